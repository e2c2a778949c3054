from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.tell.hours import HoursError, check_zone, digest_at, digest_due, is_quiet, span_of


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("quiet", "zone", "when", "expected"),
    [
        ("23:00-07:00", "UTC", "2026-11-20 23:00", True),
        ("23:00-07:00", "UTC", "2026-11-20 06:59", True),
        ("23:00-07:00", "UTC", "2026-11-20 07:00", False),
        ("23:00-07:00", "UTC", "2026-11-20 22:59", False),
        ("13:00-15:00", "UTC", "2026-11-20 14:00", True),
        ("13:00-15:00", "UTC", "2026-11-20 12:00", False),
        ("23:00-07:00", "Europe/Madrid", "2026-11-20 22:30", True),  # 23:30 there
        ("23:00-07:00", "Europe/Madrid", "2026-07-20 21:30", True),  # summer: 23:30 there
        ("23:00-07:00", "Europe/Madrid", "2026-07-20 05:30", False),  # 07:30 there
        ("23:00-07:00", "America/Sao_Paulo", "2026-11-20 02:30", True),
        ("02:00-03:00", "Europe/Madrid", "2026-10-25 00:30", True),  # 02:30 comes twice that night
        ("02:00-03:00", "Europe/Madrid", "2026-10-25 01:30", True),
        ("", "UTC", "2026-11-20 03:00", False),
        ("07:00-07:00", "UTC", "2026-11-20 07:00", False),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall_there(
    quiet: str, zone: str, when: str, expected: bool
) -> None:
    assert is_quiet(quiet, zone, at(when)) is expected


@pytest.mark.parametrize(
    ("last", "when", "due"),
    [
        ("2026-11-19", "2026-11-20 08:59", ""),
        ("2026-11-19", "2026-11-20 09:00", "2026-11-20"),
        ("2026-11-20", "2026-11-20 09:01", ""),
        ("2026-11-01", "2026-11-20 12:00", "2026-11-20"),  # many were missed: one is made up for
        ("2026-11-19", "2026-11-20 21:30", ""),  # too late for this morning's
    ],
)
def test_a_digest_comes_once_a_day_also_when_nobody_was_there_at_its_minute(
    last: str, when: str, due: str
) -> None:
    assert digest_due("09:00", "UTC", last, at(when)) == due
    assert digest_due("", "UTC", last, at(when)) == ""


@pytest.mark.parametrize("wrong", ["23-7", "25:00-07:00", "night", "23:00", "23:00-7:60", "-"])
def test_hours_that_are_none_are_refused_by_name(wrong: str) -> None:
    with pytest.raises(HoursError, match="must be"):
        span_of(wrong)
    with pytest.raises(HoursError, match="must be a time of day"):
        digest_at("9am")


@pytest.mark.parametrize("wrong", ["Madrid", "UTC+1", "../etc/passwd", "/etc/localtime", "\0"])
def test_a_zone_that_is_none_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(HoursError, match="IANA zone"):
        check_zone(wrong)
    check_zone("Europe/Madrid")
