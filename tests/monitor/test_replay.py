"""`vigia replay`: the decisions of life on the clock of the lines, and nothing touched."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.understand.stamps import stamp_of

FOLDER = "ERROR FileNotFoundError: [Errno 2] No such file or directory: 'modelos/ana/clip.mp4'"
OTHER = "ERROR FileNotFoundError: [Errno 2] No such file or directory: 'modelos/eva/clip.mp4'"
EIGHT = 1795161600.0  # 2026-11-20 08:00:00 UTC


def replay(home: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "monitor", "replay", "--home", str(home), *words]
    env = os.environ | {"LANG": "C.UTF-8", "VIGIA_LANG": "en"}
    return subprocess.run(
        command, input=given, capture_output=True, timeout=60, check=False, env=env
    )


def told(home: Path, *words: str, given: bytes = b"") -> list[dict[str, Any]]:
    done = replay(home, *words, "--json", given=given)
    assert done.returncode == 0, done.stderr
    return [json.loads(row) for row in done.stdout.splitlines()]


def moves(incident: dict[str, Any]) -> list[tuple[str, str]]:
    """Each move as (time of day, what and by which attempt)."""
    return [
        (move["at"][11:], " ".join(filter(None, (move["what"], move["action"], move["attempt"]))))
        for move in incident["moves"]
    ]


def log(path: Path, *lines: tuple[str, str]) -> Path:
    path.write_text("".join(f"2026-11-20 {at} {text}\n" for at, text in lines))
    return path


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("2026-11-20T08:00:00.123Z ERROR x", 0.123),
        ("2026-11-20T08:00:00,5 x", 0.5),
        ("2026-11-20T09:00:00.123456789+01:00 x", 0.123456789),
        ("2026-11-20 03:00:00-0500 x", 0.0),
        ("2026-11-20 08:00:00,123 - root - ERROR - x", 0.123),
        ("INFO 2026-11-20 08:00:00,123 x", 0.123),
        ("[2026-11-20 08:00:00 +0000] [12] [INFO] x", 0.0),
        ("Nov 20 08:00:00 host bot[1]: x", 0.0),
        ('1.2.3.4 - ana [20/Nov/2026:08:00:00 +0000] "GET /2026-01-01T00:00:00 HTTP/1.1"', 0.0),
        ("2026/11/20 08:00:00 [error] 12#0: x", 0.0),
        ("[Fri Nov 20 08:00:00.250000 2026] [core:error] x", 0.25),
        ("1:M 20 Nov 2026 08:00:00.123 * x", 0.123),
        ("1795161600.25 x", 0.25),
        ("[1795161600] x", 0.0),
        ("1795161600250 x", 0.25),
        ('{"level":"error","ts":1795161600.25,"msg":"x"}', 0.25),
        ('{"level":"error","time":"2026-11-20T08:00:00Z"}', 0.0),
        ("<34>1 2026-11-20T08:00:00.003Z host app", 0.003),
    ],
)
def test_a_time_is_read_in_the_forms_that_programs_write(line: str, at: float) -> None:
    assert stamp_of(line.encode(), EIGHT) == pytest.approx(EIGHT + at, abs=1e-6)


@pytest.mark.parametrize(
    "line",
    [
        "ERROR:root:no time at all",
        "2026-13-41 08:00:00 no such day",
        "2026-11-20 28:00:00 no such hour",
        "12345678901234 is a number",
        '  File "/srv/2026-11-20/x.py", line 3',
    ],
)
def test_what_is_no_time_is_none(line: str) -> None:
    assert stamp_of(line.encode(), EIGHT) is None


def test_a_day_without_a_year_is_the_one_nearest_to_what_is_known() -> None:
    new_year = stamp_of(b"2027-01-01 00:00:05 x", EIGHT)
    assert new_year is not None
    assert stamp_of(b"Dec 31 23:59:55 host x", new_year) == new_year - 10
    assert stamp_of(b"Jan  1 00:00:05 host x", new_year - 10) == new_year


def test_each_rung_has_its_time_and_a_quiet_incident_ends(tmp_path: Path) -> None:
    file = log(tmp_path / "bot.log", ("08:00:00,250", FOLDER), ("08:00:01", FOLDER))
    incident, totals = told(tmp_path, str(file))
    assert (incident["rule"], incident["file"], incident["line"]) == (
        "system.missing_path",
        str(file),
        1,
    )
    assert moves(incident) == [
        ("08:00:00.250", "detected"),
        ("08:00:00.250", "fixing make_directory 1/1"),
        ("08:00:01.250", "done make_directory"),
        ("08:00:11.250", "resolved"),
    ]
    assert (incident["category"], incident["occurrences"]) == ("missing_path", 2)
    assert totals["ended"] == {"resolved": 1}
    assert totals["actions"] == {"make_directory": 1}


def test_trouble_that_comes_back_takes_the_next_rung(tmp_path: Path) -> None:
    (tmp_path / "vigia.toml").write_text(
        "[ladders]\nmissing_path = [{do = 'make_directory', attempts = 2}, {do = 'restart_child'}]\n"
    )
    times = ("08:00:00", "08:00:05", "08:00:10", "08:00:14")
    file = log(tmp_path / "bot.log", *((at, FOLDER) for at in times))
    incident = told(tmp_path, str(file))[0]
    assert [what for _, what in moves(incident) if what.startswith("fixing")] == [
        "fixing make_directory 1/2",
        "fixing make_directory 2/2",
        "fixing restart_child 1/1",
    ]
    assert incident["end"] == "failed"
    assert "came back" in incident["why"]


def test_budgets_and_the_storm_breaker_of_the_configuration_hold(tmp_path: Path) -> None:
    (tmp_path / "vigia.toml").write_text("[repair]\nactions = 2\nstorm = 4\n")
    lines = [(f"08:{n:02}:00", FOLDER.replace("ana", f"m{n}")) for n in range(3)]
    lines += [("09:30:00", FOLDER.replace("ana", f"storm{n}")) for n in range(6)]
    *incidents, totals = told(tmp_path, str(log(tmp_path / "bot.log", *lines)))
    assert "the budget of 2 an hour is spent" in incidents[2]["why"]
    assert [one["end"] for one in incidents[3:]].count("alert_only") == 2
    assert totals["incidents"] == 9


def test_a_line_without_a_time_has_the_one_before_and_time_never_goes_back(tmp_path: Path) -> None:
    file = tmp_path / "bot.log"
    file.write_text(
        f"{OTHER}\n2026-11-20 08:00:00 INFO up\n2026-11-20 07:00:00 INFO a clock set back\n{FOLDER}\n"
    )
    early, late, _ = told(tmp_path, str(file))
    assert early["opened"] == late["opened"] == "2026-11-20 08:00:00.000"
    assert late["line"] == 4


def test_a_traceback_has_the_time_and_the_number_of_its_first_line(tmp_path: Path) -> None:
    rows = ["2026-11-20 08:00:00 INFO x" + "y" * 100] * 1200
    rows += ["2026-11-20 08:00:07 ERROR cannot", "Traceback (most recent call last):"]
    rows += [f'  File "/srv/x{n}.py", line 3, in f' for n in range(900)]
    rows += [FOLDER.removeprefix("ERROR "), "2026-11-20 08:00:09 INFO on"]
    file = tmp_path / "bot.log"
    file.write_text("\n".join(rows) + "\n")
    assert file.stat().st_size > 2 << 16, "it lies across chunks"
    incident, totals = told(tmp_path, str(file))
    assert (incident["line"], incident["opened"]) == (1201, "2026-11-20 08:00:07.000")
    assert incident["subject"] == "modelos/ana/clip.mp4"
    assert totals["lines"] == len(rows)


def test_a_log_without_any_time_says_so(tmp_path: Path) -> None:
    done = replay(tmp_path, "-", given=f"{FOLDER}\n".encode())
    assert b"- tells no time" in done.stdout
    assert b"make_directory 1/1" in done.stdout


def test_several_files_packed_ones_too_are_one_story_of_one_child(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "pipeline.log.2.gz", "wt") as packed:
        packed.write(f"2026-11-20 08:00:00 {FOLDER}\n")
    newer = log(tmp_path / "pipeline.log", ("08:00:03", FOLDER))
    incident, _ = told(tmp_path, str(newer), str(tmp_path / "pipeline.log.2.gz"))
    assert incident["child"] == "pipeline"
    assert incident["file"].endswith(".gz")
    assert incident["occurrences"] == 2


def test_a_packed_pipe_is_read_and_half_a_file_is_a_fault(tmp_path: Path) -> None:
    whole = gzip.compress(f"2026-11-20 08:00:00 {FOLDER}\n".encode())
    assert told(tmp_path, "-", given=whole)[0]["category"] == "missing_path"
    (tmp_path / "half.gz").write_bytes(whole[: len(whole) // 2])
    for name in (str(tmp_path / "half.gz"), str(tmp_path), str(tmp_path / "none")):
        done = replay(tmp_path, name)
        assert done.returncode == 2
        assert name.encode() in done.stderr
        assert b"Traceback" not in done.stderr


RULE = """
[[rule]]
name = "pump.hot"
category = "{category}"
patterns = ['pump (?P<subject>\\S+) overheated']
match = ["ERROR pump p7 overheated"]
no_match = ["pump p7 is warm"]
"""


@pytest.mark.slow
def test_two_sets_of_rules_show_only_where_they_differ(tmp_path: Path) -> None:
    for name, text in (("a", RULE.format(category="hang")), ("b", RULE.format(category="timeout"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.toml").write_text(text)
    extra = RULE.replace("pump", "valve").replace("hang", "timeout").format(category="timeout")
    (tmp_path / "b" / "valve.toml").write_text(extra)
    file = log(
        tmp_path / "bot.log",
        ("08:00:00", FOLDER),
        ("08:01:00", "ERROR pump p1 overheated"),
        ("08:02:00", "ERROR valve v1 overheated"),
    )
    rules = ("--rules", str(tmp_path / "a"), "--rules", str(tmp_path / "b"))
    *differ, totals = told(tmp_path, str(file), *rules)
    assert [(one["kind"], one["difference"]) for one in differ] == [
        ("line", "differs"),
        ("line", "only_b"),
        ("incident", "differs"),
        ("incident", "only_b"),
    ]
    assert differ[0]["A"]["category"] == "hang"
    assert differ[0]["B"]["category"] == "timeout"
    assert differ[2]["A"]["moves"][1]["action"] == "restart_child"
    assert differ[2]["B"]["moves"][1]["action"] == "resume_job"
    assert (totals["A"]["incidents"], totals["B"]["incidents"]) == (2, 3)
    said = replay(tmp_path, str(file), *rules).stdout.decode()
    assert "lines: 0 only A, 1 only B, 1 judged differently" in said
    assert "make_directory" not in said.split("-- ")[0]


def test_one_more_folder_of_rules_is_added_to_the_home_s_own(tmp_path: Path) -> None:
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "rules.d" / "own.toml").write_text(RULE.format(category="hang"))
    more = tmp_path / "more.toml"
    more.write_text(RULE.replace("pump", "valve").format(category="timeout"))
    lines = (("08:01:00", "ERROR pump p1 overheated"), ("08:02:00", "ERROR valve v1 overheated"))
    file = log(tmp_path / "bot.log", *lines)
    *found, _ = told(tmp_path, str(file), "--rules", str(more))
    assert [one["rule"] for one in found] == ["pump.hot", "valve.hot"]


def test_wrong_rules_are_refused_by_name(tmp_path: Path) -> None:
    done = replay(tmp_path, "-", "--rules", str(tmp_path / "none"))
    assert done.returncode == 2
    assert b"no such file or folder of rules" in done.stderr
    assert replay(tmp_path, "-", *(["--rules", "x"] * 3)).returncode == 1


def test_the_same_bytes_come_each_time_and_nothing_is_touched(tmp_path: Path) -> None:
    file = log(
        tmp_path / "bot.log",
        *((f"08:{n % 60:02}:{n % 7:02}", FOLDER.replace("ana", f"m{n}")) for n in range(300)),
    )
    home = tmp_path / "home"
    (home / "modelos").mkdir(parents=True)
    runs = {replay(home, str(file)).stdout for _ in range(2)}
    runs.add(
        replay(home, "-", given=file.read_bytes()).stdout.replace(b" -:", f" {file}:".encode())
    )
    assert len(runs) == 1
    assert [path.name for path in home.rglob("*")] == ["modelos"]


@pytest.mark.needs("strace")
def test_no_file_is_written_no_process_started_and_no_connection_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    file = log(
        tmp_path / "bot.log",
        ("08:00:00", FOLDER),
        ("08:00:02", "ERROR Error 111 connecting to 127.0.0.1:9. Connection refused."),
        ("08:00:03", "telegram.error.InvalidToken: The token `x` was rejected by the server."),
    )
    trace = tmp_path / "trace"
    calls = "trace=connect,execve,mkdir,mkdirat,unlink,unlinkat,rename,renameat2,chown,openat,kill"
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", calls, sys.executable]
    command += ["-B", "-m", "monitor", "replay", "--home", str(home), str(file)]
    done = subprocess.run(command, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    rows = trace.read_text().splitlines()
    assert sum("execve(" in row and " = 0" in row for row in rows) == 1
    acts = ("connect(", "mkdir", "unlink", "rename", "chown", "kill(", "O_WRONLY", "O_RDWR")
    assert [row for row in rows if any(act in row for act in acts) and "/dev/" not in row] == []


@pytest.mark.campaign
@pytest.mark.timeout(240)
@pytest.mark.slow
def test_a_million_lines_take_less_than_a_minute_and_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for thousands in (100, 1000):
        file = tmp_path / "big.log"
        with file.open("w") as out:
            for n in range(thousands * 1000):
                at = (
                    f"2026-11-{1 + n // 86400:02} {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}"
                )
                trouble = FOLDER.replace("ana", f"m{n}") if n % 50 == 0 else "INFO all is well here"
                out.write(f"{at},000 {trouble}\n")
        command = [sys.executable, "-m", "monitor", "replay", "--home", str(tmp_path), str(file)]
        before = os.times()
        with (tmp_path / "out").open("wb") as out_file:
            process = subprocess.Popen(command, stdout=out_file)
        _, code, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        assert process.returncode == 0
        assert os.times().elapsed - before.elapsed < 60
        peaks.append(used.ru_maxrss)
    assert peaks[1] < peaks[0] * 1.3 + 10_000, f"{peaks} KB"
