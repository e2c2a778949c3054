"""What a child says because it is being stopped is told and not repaired, whoever stops it."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from monitor.model import FileId, LastWords, Line
from tests.monitor import programs
from tests.monitor.test_heal import QUICK
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

# Fails at its work when it is told to end, in many lines; the last ones come when it is gone.
COMPLAINS = (
    "import os, signal, sys, time, traceback\n"
    "def end(*_):\n"
    "    open('asked', 'w').close()\n"
    "    while not os.path.exists('may-end'): time.sleep(0.01)\n"
    "    try:\n"
    "        open('/nowhere/at/all')\n"
    "    except OSError:\n"
    "        traceback.print_exc()\n"
    "    sys.stderr.flush()\n"
    "    os._exit(1)\n"
    "signal.signal(signal.SIGTERM, end)\n"
    "print('INFO ready', flush=True)\n"
    "while True: time.sleep(1)\n"
)
NOISE = "said while it was being stopped"


def complains(v: Vigia) -> None:
    (v.home / "work.py").write_text(COMPLAINS)
    v.configure(QUICK + one(programs.sh("exec python3 work.py")))
    v.start()
    until(lambda: "INFO ready" in v.text())  # the monitor has read it


def log(v: Vigia) -> str:
    file = v.home / "logs" / "kid.log"
    return file.read_text() if file.exists() else ""


def seen(v: Vigia) -> list[tuple[Any, Any]]:
    return [(record["state"], record["message"]) for record in records(v.home)]


@pytest.mark.parametrize("order", ["restart", "stop"])
def test_an_order_by_a_person_is_no_trouble(tmp_path: Path, order: str) -> None:
    with vigia(tmp_path) as v:
        (tmp_path / "may-end").touch()
        complains(v)
        v.run(order)
        until(lambda: records(v.home), what=v.text)
        assert seen(v) == [("alert_only", NOISE)]


def test_the_end_of_the_monitor_leaves_nothing_to_be_repaired_at_its_next_start(
    tmp_path: Path,
) -> None:
    with vigia(tmp_path) as v:
        (tmp_path / "may-end").touch()
        complains(v)
        assert v.end() == 0
        assert seen(v) == [("alert_only", NOISE)]
        v.start()
        until(lambda: log(v).count("INFO ready") == 2)
        assert v.status()["incidents"] == []


def test_a_monitor_that_is_killed_while_it_stops_a_child_knows_it_afterwards(
    tmp_path: Path,
) -> None:
    with vigia(tmp_path) as v:
        complains(v)
        v.process.send_signal(signal.SIGTERM)
        until((tmp_path / "asked").exists)
        v.end(signal.SIGKILL)
        (tmp_path / "may-end").touch()
        until(lambda: "FileNotFoundError" in log(v))
        v.start()
        until(lambda: records(v.home), what=v.text)
        assert seen(v) == [("alert_only", NOISE)]


def test_the_same_words_before_and_after_are_trouble(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        (tmp_path / "may-end").touch()
        complains(v)
        v.run("restart")
        until(lambda: records(v.home), what=v.text)
        line = b"FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/at/all'\n"
        with (tmp_path / "logs" / "kid.log").open("ab") as file:
            file.write(line)
        until(lambda: "failed" in [state for state, _ in seen(v)], what=v.text)
        assert {record["incident"] for record in records(v.home)} == {"INC-1"}


@pytest.mark.parametrize(
    ("id", "start", "now", "held"),
    [
        (FileId(1, 1), 99, 0.0, False),
        (FileId(1, 1), 100, 0.0, True),
        (FileId(1, 1), 199, 1059.0, True),
        (FileId(1, 1), 200, 1000.0, False),
        (FileId(1, 1), 150, 1060.0, False),
        (FileId(1, 2), 150, 1000.0, False),
    ],
)
def test_only_what_stands_between_the_order_and_the_end_is_noise(
    id: FileId, start: int, now: float, held: bool
) -> None:
    words = LastWords(FileId(1, 1), 100, 200, 1000.0)
    assert words.hold(Line("kid.log", id, "x", start, start + 1, 0.0), now) is held
