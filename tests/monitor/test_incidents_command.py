"""What a person sees of incidents and says about them, with the monitor there, killed and back."""

from __future__ import annotations

import getpass
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from monitor.records.story import number_of
from tests.monitor import programs
from tests.monitor.test_heal import QUICK, WORKS, wait_for
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

HOPELESS = "PermissionError: [Errno 13] Permission denied: '/nowhere/at/all'"
ME = getpass.getuser()


def says(line: str) -> list[str]:
    return programs.sh(f'echo "{line}"; exec sleep 1000')


def listed(v: Vigia, *words: str) -> dict[str, Any]:
    answer = v.run("incidents", "list", "--json", *words)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("text", ["12", "INC-12", "inc-12", " Inc-0012 "])
def test_an_incident_is_named_in_many_ways(text: str) -> None:
    assert number_of(text) == 12


@pytest.mark.parametrize(
    "text", ["", "0", "INC-", "INC-x", "12a", "-1", "INC-12.3", "١٢", "9" * 20]
)
def test_what_is_no_name_of_an_incident(text: str) -> None:
    assert number_of(text) is None


def test_a_person_has_a_word_and_it_is_recorded_once_and_for_good(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(says(HOPELESS)))
        v.start()
        wait_for(v, "failed")
        shown = v.run("incidents")
        assert "INC-1" in shown.stdout
        assert "/nowhere/at/all" in shown.stdout
        acked = v.run("incidents", "ack", "inc-1", "INC-99")
        assert acked.returncode == 1, "one of them is unknown"
        assert f"INC-1: acknowledged by {ME}" in acked.stdout
        assert "INC-99" in acked.stderr
        again = v.run("incidents", "ack", "1")
        assert again.returncode == 0
        assert "already" in again.stdout
        [record] = [r for r in records(v.home) if r["context"]["said"] == "ack"]
        assert (record["context"]["by"], record["state"]) == (ME, "failed")
        assert record["context"]["acked_by"] == ME
        assert "has seen it" in v.diary()

        v.end(signal.SIGKILL)
        gone = v.run("incidents", "list")
        assert "INC-1" in gone.stdout
        assert "the records say" in gone.stderr
        assert listed(v)["source"] == "logs/errors.json"
        assert v.run("incidents", "ack", "1").returncode == 1, "nobody is there to hear it"

        v.start()
        v.wait_state("running", "kid")
        assert listed(v, "INC-1")["source"] == "monitor"
        [mine] = listed(v, "INC-1")["incidents"]
        assert mine["context"]["acked_by"] == ME
        assert v.run("incidents", "resolve", "1").returncode == 0
        assert listed(v)["incidents"] == []
        assert [r["state"] for r in listed(v, "--all")["incidents"]] == ["resolved"]
        closed = v.run("incidents", "retry", "1")
        assert closed.returncode == 1
        assert f"is closed (closed by {ME})" in closed.stderr
        assert v.run("events", "verify").returncode == 0


def test_a_retry_climbs_the_ladder_from_the_bottom(tmp_path: Path) -> None:
    lost = tmp_path / "modelos" / "victor"
    line = f"FileNotFoundError: [Errno 2] No such file or directory: '{lost}/x/a.mp4'"
    with vigia(tmp_path) as v:
        (tmp_path / "modelos").mkdir()
        lost.write_text("a file where a folder should be")
        v.configure(QUICK + one(says(line)))
        v.start()
        wait_for(v, "failed")
        lost.unlink()
        assert v.run("incidents", "retry", "INC-1").returncode == 0
        done = wait_for(v, "resolved")
        assert done["incident"] == "INC-1"
        assert (lost / "x").is_dir()
        asked = next(r for r in records(v.home) if r["context"]["said"] == "retry")
        assert asked["context"]["by"] == ME


def test_nothing_and_nonsense_are_told_apart(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(one(programs.SLEEPS))
        v.start()
        v.wait_state("running", "kid")
        assert "no open incidents" in v.run("incidents").stderr
        assert "which incident" in v.run("incidents", "ack").stderr
        assert "is no incident" in v.run("incidents", "show", "the last one").stderr
        assert v.run("incidents", "show", "7").returncode == 1
        assert v.run("pause", "--for", "soon").returncode == 2
        assert v.run("pause", "--for", "0").returncode == 2
        assert "no pause" in v.run("resume").stdout


def test_a_pause_stops_repairs_not_watching_and_outlives_the_monitor(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        (tmp_path / "modelos").mkdir()
        v.configure(
            QUICK + one(programs.sh("until test -e go; do sleep 0.05; done; exec python3 w.py"))
        )
        (tmp_path / "w.py").write_text(WORKS)
        v.start()
        v.wait_state("running", "kid")
        assert v.run("pause", "moving", "house").returncode == 0
        (tmp_path / "go").touch()
        wait_for(v, "detected")
        v.end(signal.SIGKILL)
        v.start()
        until(lambda: v.status().get("paused"), what=v.text)
        status = v.run("status").stdout
        assert f"Repairs paused by {ME} until vigia resume (moving house)" in status
        assert "INC-1" in status
        assert v.diary().count("Repairs paused by") == 2
        until(lambda: listed(v)["incidents"][0]["occurrences"] > 3)
        assert {record["state"] for record in records(v.home)} == {"detected"}
        assert v.run("resume").returncode == 0
        wait_for(v, "resolved")
        assert v.status()["paused"] is None


def test_a_pause_for_a_time_ends_by_itself_also_after_a_kill(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.python(WORKS), "autostart = false"))
        v.start()
        v.wait_state("stopped", "kid")
        assert v.run("pause", "--for", "3s").returncode == 0
        v.run("start", "kid")
        wait_for(v, "detected")
        v.end(signal.SIGKILL)
        v.start()
        wait_for(v, "resolved")
        assert "The pause of" in v.diary()
        begun = v.diary().index("Repairs paused")
        assert v.diary().index("trying") > v.diary().index("The pause of") > begun
        assert v.status()["paused"] is None


def test_no_kill_fills_a_budget_again(tmp_path: Path) -> None:
    line = "FileNotFoundError: [Errno 2] No such file or directory: '/x/$$/a'"
    with vigia(tmp_path) as v:
        v.configure(
            "[repair]\nquiet = 0.5\nrestarts = 1\n"
            "[[ladders.missing_path]]\ndo = 'restart_child'\n" + one(says(line))
        )
        for failed in (1, 2, 3):
            v.start()
            until(
                lambda n=failed: len(refused(v)) >= n and any(r["outcome"] for r in records(v.home))
            )
            v.end(signal.SIGKILL)
        begun = [r for r in records(v.home) if r["state"] == "fixing" and not r["outcome"]]
        assert [r["action"] for r in begun] == ["restart_child"]


def refused(v: Vigia) -> set[str]:
    """Incidents of which nothing was done, because the budget for it was spent."""
    spent = "the budget of 1 an hour is spent: restarts"
    return {r["incident"] for r in records(v.home) if r["message"] == spent}


def test_a_dry_run_says_what_it_would_have_done(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.python(WORKS)))
        v.start("--dry-run")
        told = wait_for(v, "alert_only")
        assert told["outcome"]["result"] == "dry_run"
        assert told["message"] == "dry run: make_directory was not done"
        assert not (tmp_path / "modelos" / "victor").exists()
        assert "Dry run" in v.run("status").stdout


def test_a_dry_run_for_a_name_that_nothing_has_is_refused(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure("[repair]\ndry_run_for = ['timeouts']\n" + one(programs.SLEEPS))
        v.start()
        assert v.process.wait(20) == 2
        assert "there is no rule or category 'timeouts'" in v.text()


@pytest.mark.slow
def test_a_rule_of_ones_own_may_be_only_thought_through(tmp_path: Path) -> None:
    lost = tmp_path / "modelos" / "ana" / "clip.mp4"
    line = f"the pump misses {lost}"
    rule = (
        '[[rule]]\nname = "own.pump"\ncategory = "missing_path"\ndry_run = true\n'
        "patterns = ['the pump misses (?P<path>\\S+)']\n"
        f'match = ["{line}"]\nno_match = ["the pump works"]\n'
    )
    with vigia(tmp_path) as v:
        (tmp_path / "modelos").mkdir()
        (tmp_path / "rules.d").mkdir()
        (tmp_path / "rules.d" / "own.toml").write_text(rule)
        v.configure(QUICK + one(says(line)))
        v.start()
        told = wait_for(v, "alert_only")
        assert (told["rule"], told["outcome"]["result"]) == ("own.pump", "dry_run")
        assert not lost.parent.exists()
        (tmp_path / "rules.d" / "own.toml").write_text(rule.replace("dry_run = true\n", ""))
        assert v.run("reload").returncode == 0
        assert v.run("incidents", "retry", "1").returncode == 0
        until(lost.parent.exists, what=v.text)


def test_one_incident_is_shown_step_by_step_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(says(HOPELESS)))
        v.start()
        wait_for(v, "failed")
        for lang, state, needed in (
            ("es", "fallido", "hace falta una persona"),
            ("en", "failed", "a person is needed"),
        ):
            monkeypatch.setenv("VIGIA_LANG", lang)
            shown = v.run("incidents", "show", "INC-1").stdout
            assert state in shown
            assert needed in shown
            assert "take_ownership (1/1)" in shown
        v.end(signal.SIGKILL)
        gone = v.run("incidents", "show", "--json", "1")
        [told] = json.loads(gone.stdout)["incidents"]
        assert told["source"] == "logs/errors.json"
        assert told["now"]["state"] == "failed"
        assert [r["state"] for r in told["records"]] == ["detected", "fixing", "failed"]
        assert len(v.run("events", "--incident", "1").stdout.splitlines()) == 3
