"""`vigia explain INCIDENT`: everything about it from the records alone, with the monitor gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.monitor import programs
from tests.monitor.test_heal import QUICK, WORKS, wait_for
from tests.monitor.test_incidents_command import HOPELESS, ME, says
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, vigia

OWN = (
    '[[rule]]\nname = "own.nowhere"\ncategory = "dependency"\nweight = "exact"\n'
    'patterns = ["/nowhere/at/all"]\nmatch = ["{}"]\nno_match = ["all is well"]\n'
)


def explained(v: Vigia, name: str) -> dict[str, Any]:
    answer = v.run("explain", "--json", name)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_from_the_line_to_the_proof_with_the_monitor_gone_and_the_file_rotated(
    tmp_path: Path,
) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.python(WORKS), "autostart = false"))
        v.start()
        v.wait_state("stopped", "kid")
        assert v.run("pause").returncode == 0
        v.run("start", "kid")
        wait_for(v, "detected")
        assert v.run("incidents", "ack", "1").returncode == 0
        assert v.run("resume").returncode == 0
        wait_for(v, "resolved")
        v.end()
        log = tmp_path / "logs"
        inode = (log / "kid.log").stat().st_ino
        (log / "errors.json").rename(log / "errors.json.1")
        found = explained(v, "inc-1")
        assert found["source"]["inode"] == inode
        line = found["source"]["line"].encode()
        at = found["source"]["offset"]
        assert (log / "kid.log").read_bytes()[at : at + len(line)] == line
        assert found["rule"] in found["verdict"]["hits"]
        assert found["verdict"]["why"]
        assert found["today"] == {"rules": found["verdict"]["rules"], "changed": False}
        [attempt] = found["attempts"]
        assert attempt["action"] == "make_directory"
        assert attempt["outcome"]["result"] == "done"
        assert "can write" in attempt["outcome"]["proof"]
        assert attempt["outcome"]["duration_ms"] > 0
        assert [ack["by"] for ack in found["acked"]] == [ME]
        assert len(found["told"]) >= len(found["records"])
        diary = v.diary()
        for told in found["told"]:
            assert told["text"] in diary
        people = v.run("explain", "1").stdout
        for part in (
            "INC-1  resolved",
            "missing_path",
            "kid.log",
            f"inode {inode}",
            "make_directory 1/1",
            ME,
        ):
            assert part in people


@pytest.mark.slow
def test_rules_that_have_changed_since_are_said_so(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(says(HOPELESS)))
        v.start()
        wait_for(v, "failed")
        v.end()
        (tmp_path / "rules.d").mkdir()
        (tmp_path / "rules.d" / "own.toml").write_text(OWN.replace("{}", HOPELESS))
        found = explained(v, "INC-1")
        assert found["category"] == "permission", "what was decided then stays what it was"
        assert found["today"]["changed"] is True
        assert (found["today"]["rule"], found["today"]["category"]) == ("own.nowhere", "dependency")
        assert "now it would be dependency: own.nowhere" in v.run("explain", "INC-1").stdout
        (tmp_path / "rules.d" / "own.toml").write_text("nonsense")
        assert "today's rules cannot be read" in v.run("explain", "INC-1").stdout


def test_an_incident_without_records_is_not_made_up(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        answer = v.run("explain", "INC-4711")
        assert answer.returncode == 1
        assert "there are no records of INC-4711" in answer.stderr
        assert answer.stdout == ""


@pytest.mark.parametrize("lang", ["es", "en"])
def test_it_speaks_both_languages(
    tmp_path: Path, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(says(HOPELESS)))
        v.start()
        wait_for(v, "failed")
        v.end()
        monkeypatch.setenv("VIGIA_LANG", lang)
        said = v.run("explain", "1").stdout
        assert ("el sistema no lo permite" in said) is (lang == "es")
        assert ("the system does not allow it" in said) is (lang == "en")
        assert ("a person is needed" in said) is (lang == "en")


def test_a_secret_in_the_line_is_in_no_explanation(tmp_path: Path) -> None:
    token = "123456789:AAEhBP0av28FrI-7xG9ZzTq1abcDEFghiJK"
    line = f"telegram.error.InvalidToken: The token {token} was rejected by the server."
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(says(line)))
        v.start()
        wait_for(v, "fixing")
        live = v.run("incidents", "show", "1", "--json").stdout + v.run("incidents").stdout
        v.end()
        assert "INC-1" in live
        assert (
            token
            not in live + v.run("explain", "1").stdout + v.run("explain", "--json", "1").stdout
        )
