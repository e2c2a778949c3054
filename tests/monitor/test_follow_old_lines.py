"""Lines that are too old: recorded, and nothing is done about them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from monitor.heal.book import Book
from monitor.model import Category, FileId, IncidentState, Line, Match, Severity
from monitor.options import Repair, Rung
from monitor.understand.stamped import written_at
from tests.monitor import programs
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("2026-11-20T11:59:00.250Z ERROR x", 59.75),
        ("2026-11-20 12:58:00,000+0100 x", 120.0),
        ("[2026-11-20T06:00:00-05:00] x", 3600.0),
        ("ERROR 2026-11-20T11:00:00Z x", 3600.0),
        ("[ERROR] [2026-11-20T11:00:00Z] x", 3600.0),
        ('time="2026-11-20T11:59:30Z" level=error', 30.0),
        ('{"level":"error","ts":"2026-11-20T11:59:30.000Z","msg":"x"}', 30.0),
        ('10.0.0.1 - - [20/Nov/2026:11:50:00 +0000] "GET / HTTP/1.1" 500', 600.0),
        ("2026-11-20T12:00:30Z a clock that is a little fast", 0.0),
    ],
)
def test_the_time_at_the_head_of_a_line_is_its_age(text: str, age: float) -> None:
    now = NOW.timestamp()
    written = written_at(text, now)
    assert written is not None
    assert now - written == pytest.approx(age)


@pytest.mark.parametrize(
    "text",
    [
        "cannot open backup-2025-12-01 10:00:00.tar",
        "Backup 2025-12-01 10:00:00 is missing",
        "2026-13-45T99:00:00Z no such moment",
        "2026-11-21T12:00:00Z tomorrow",
        "1970-01-01T00:00:09Z a clock that was never set",
        "Traceback (most recent call last):",
        "",
    ],
)
def test_what_is_no_time_of_writing_or_not_to_be_believed_tells_nothing(text: str) -> None:
    assert written_at(text, NOW.timestamp()) is None


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "America/Bogota"], indirect=True)
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S x", "%b %d %H:%M:%S host app: x"])
@pytest.mark.usefixtures("zone")
def test_without_a_zone_a_new_line_is_new_in_whatever_zone_its_program_lives(form: str) -> None:
    now = NOW.timestamp()
    for written in (NOW, NOW.astimezone()):
        assert written_at(written.strftime(form), now) == now
        old = written_at((written - 9 * HOUR).strftime(form), now)
        assert old is not None
        assert now - old >= 3 * 3600.0


def match(written: float | None, at: float) -> Match:
    line = Line("kid.log", FileId(1, 2), "it took too long", 0, 10, at, written=written)
    return Match(line, "a rule", Category.TIMEOUT, Severity.WARNING, "https://api.example")


def book() -> Book:
    return Book(Repair(oldest=300.0), {"timeout": (Rung("resume_job"),)}, lambda *_: None)


def test_a_line_that_is_too_old_is_told_and_a_new_one_after_it_is_acted_on() -> None:
    kept = book()
    old = kept.take(match(1000.0, 1301.0), "kid", 1.0)
    assert old.state is IncidentState.ALERT_ONLY
    assert old.why == "written 301 s before it was read: too old to act on"
    assert kept.due(1.0) == []
    kept.take(match(1001.0, 1302.0), "kid", 2.0)
    assert kept.due(2.0) == [], "the second of them is only counted"
    new = kept.take(match(1303.0, 1303.0), "kid", 3.0)
    assert new.occurrences == 3
    assert [attempt.incident.id for attempt in kept.due(3.0)] == [new.id]


def test_an_old_line_neither_reopens_nor_climbs() -> None:
    kept = book()
    kept.take(match(1000.0, 1000.0), "kid", 1.0)
    assert len(kept.due(1.0)) == 1
    after = kept.take(match(600.0, 1001.0), "kid", 2.0)
    assert after.state is IncidentState.FIXING
    assert after.occurrences == 2
    assert after.returned == 0


def test_a_line_of_which_nobody_knows_the_time_is_new() -> None:
    assert book().take(match(None, 9e9), "kid", 1.0).state is IncidentState.DETECTED


# --- the whole monitor -------------------------------------------------------------------------

QUICK = "follow = ['other.log']\n[repair]\nquiet = 0.2\noldest = 60\n"


def missing(folder: str, age: float = 0.0, *, stamped: bool = True) -> str:
    moment = datetime.now(timezone(HOUR)) - timedelta(seconds=age)
    stamp = f"{moment.isoformat(timespec='milliseconds')} " if stamped else ""
    path = f"modelos/{folder}/clip.txt"
    return f"{stamp}ERROR FileNotFoundError: [Errno 2] No such file or directory: '{path}'\n"


def about(v: Vigia, folder: str) -> list[dict[str, Any]]:
    return [one for one in records(v.home) if folder in one["source"]["line"]]


def acted(v: Vigia, folder: str) -> bool:
    return any(one["action"] == "make_directory" and one["outcome"] for one in about(v, folder))


def test_old_lines_are_recorded_and_not_acted_on_by_their_own_time_or_that_of_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "modelos").mkdir()
    log = tmp_path / "other.log"
    log.touch()

    def say(text: str) -> None:
        with log.open("a") as file:
            file.write(text)

    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.SLEEPS))
        v.start()
        v.wait_state("running", "kid")
        say(missing("long-ago", age=3600.0))
        until(lambda: about(v, "long-ago"), what=v.text)
        say(missing("just-now"))
        until(lambda: acted(v, "just-now"), what=lambda: (v.text(), records(v.home)))
        assert v.end() == 0
        say(missing("while-away", age=3600.0) + missing("unstamped", stamped=False))
        before = time.time() - 3600.0
        os.utime(log, (before, before))
        v.start()
        until(lambda: about(v, "while-away") and about(v, "unstamped"), what=v.text)
        say(missing("again"))
        until(lambda: acted(v, "again"), what=lambda: (v.text(), records(v.home)))
        assert v.end() == 0
        for folder in ("long-ago", "while-away", "unstamped"):
            assert [one["state"] for one in about(v, folder)] == ["alert_only"], folder
            assert "too old to act on" in about(v, folder)[0]["message"]
            assert not (tmp_path / "modelos" / folder).exists()
        assert (tmp_path / "modelos" / "again").is_dir()
