"""`vigia events` tells people and programs what was recorded, with the monitor gone."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from monitor.ask import RefusedError
from monitor.commands import events
from tests.monitor.records_story import opened, record, some

FOLLOW = """
import argparse, sys
from pathlib import Path
from monitor.commands import events
parser = argparse.ArgumentParser()
events.arguments(parser, "en")
args = parser.parse_args(sys.argv[2:])
args.home, args.lang = Path(sys.argv[1]), "en"
sys.exit(events.run(args))
"""


@pytest.fixture
def home(tmp_path):
    return tmp_path


def path_in(home):
    return home / "logs" / "errors.json"


def vigia_events(home, *words, lang="en"):
    parser = argparse.ArgumentParser()
    events.arguments(parser, "en")
    args = parser.parse_args(words)
    args.home, args.lang = home, lang
    return events.run(args)


def write(home, records, **more):
    with opened(path_in(home), **more) as file:
        file.append(records)


def test_one_line_tells_a_record_to_people(home, capsys, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    try:
        write(home, some(1, 1, state="resolved"))
        assert vigia_events(home) == 0
        assert vigia_events(home, lang="es") == 0
    finally:
        monkeypatch.undo()
        time.tzset()
    english, spanish = capsys.readouterr().out.splitlines()
    assert english == (
        "2026-11-20 09:00:01  resolved      i1          permission    modelos/victor/clip.mp4"
        "  take_ownership 1/3  done, 0644, writable"
    )
    assert "resuelto" in spanish


def test_programs_get_every_record_as_json(home, capsys):
    write(home, some(1, 80, message="\x9b31m niño \U000e0041"))
    assert vigia_events(home, "--json") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, 81))
    assert json.loads(lines[0])["message"] == "\x9b31m niño \U000e0041"
    assert all(line.isprintable() for line in lines)
    assert "niño" in lines[0]


def test_people_get_the_last_fifty_or_what_they_ask_for(home, capsys):
    write(home, some(1, 80))
    for words, count in (((), 50), (("-n", "3"), 3), (("--incident", "i3"), 12)):
        assert vigia_events(home, *words) == 0
        assert len(capsys.readouterr().out.splitlines()) == count


def test_filters_hold_together(home, capsys):
    write(home, [
        record(1, category="timeout", state="failed"),
        record(2, category="timeout", state="resolved"),
        record(3, category="permission", state="failed"),
    ])  # fmt: skip
    vigia_events(home, "--category", "timeout", "--state", "failed", "--json")
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [1]


def test_since_is_a_time_ago_or_a_date(home, capsys):
    now = datetime.now(UTC)
    write(home, [
        record(n + 1, timestamp=(now - timedelta(hours=ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        for n, ago in enumerate((50, 5, 1))
    ])  # fmt: skip
    two_days_ago = (now - timedelta(days=2)).isoformat()
    for since, seqs in (("2h", [3]), ("1d", [2, 3]), ("1w", [1, 2, 3]), (two_days_ago, [2, 3])):
        vigia_events(home, "--since", since, "--json")
        found = [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()]
        assert found == seqs, since
    with pytest.raises(RefusedError, match="'soon' is neither a date"):
        vigia_events(home, "--since", "soon")


def test_no_records_are_said_and_no_error(home, capsys):
    assert vigia_events(home) == 0
    assert "no records" in capsys.readouterr().err


def test_nothing_that_a_terminal_obeys_reaches_it(home, capsys):
    hostile = "\x1b]0;owned\x07\n\r\x9b2J\u202e"
    write(home, [record(1, subject=hostile, incident=hostile, outcome={"detail": hostile})])
    vigia_events(home)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out[:-1].isprintable()


def test_verify_ends_with_0_when_all_is_as_written_and_1_when_not(home, capsys):
    assert vigia_events(home, "verify") == 1
    assert "there is no" in capsys.readouterr().err
    write(home, some(1, 9), size=3000)
    assert vigia_events(home, "verify") == 0
    assert "9 records in 1 file(s)" in capsys.readouterr().out
    content = path_in(home).read_bytes()
    path_in(home).write_bytes(content.replace(b'"job":"j4"', b'"job":"j5"'))
    assert vigia_events(home, "verify") == 1
    assert "errors.json:5: record 4 was changed" in capsys.readouterr().out


def test_follow_goes_on_across_rotations_and_a_lost_file(home):
    file = path_in(home)
    said = []
    with opened(file, size=3000, keep=50, warn=said.append) as records:
        records.append(some(1, 3))
        with subprocess.Popen(
            [sys.executable, "-c", FOLLOW, home, "--follow", "--json"],
            stdout=subprocess.PIPE, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        ) as follower:  # fmt: skip
            found = [json.loads(follower.stdout.readline())["seq"] for _ in range(3)]
            for seq in range(4, 30):
                records.append([record(seq)], carry=lambda: [record(1)])
                time.sleep(0.02)
            found += [json.loads(follower.stdout.readline())["seq"] for _ in range(26)]
            file.rename(home / "moved")
            records.append([record(30)])
            found.append(json.loads(follower.stdout.readline())["seq"])
            follower.send_signal(signal.SIGINT)
            rest = follower.stdout.read()
            assert follower.wait(60) == 0
    assert found == list(range(1, 31))
    assert rest == b""
