"""When posts may go out: hours, spacing and daily limit, in the time zone of the modelo."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.profiles import Posting
from pipeline.rules import next_time

MADRID = ZoneInfo("Europe/Madrid")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=MADRID).timestamp()


def text(moment: float) -> str:
    return datetime.fromtimestamp(moment, MADRID).strftime("%Y-%m-%d %H:%M")


def rule(
    opens: str = "00:00", closes: str = "00:00", spacing: float = 0, daily: int = 0
) -> Posting:
    hours = time.fromisoformat(opens), time.fromisoformat(closes)
    return Posting(("folder:x",), *hours, MADRID, spacing, daily)


@pytest.mark.parametrize(
    ("posting", "taken", "now", "expected"),
    [
        (rule(), [], "2026-11-20 03:00", "2026-11-20 03:00"),
        (rule("09:00", "23:00"), [], "2026-11-20 03:00", "2026-11-20 09:00"),
        (rule("09:00", "23:00"), [], "2026-11-20 23:00", "2026-11-21 09:00"),
        (rule("22:00", "02:00"), [], "2026-11-20 01:30", "2026-11-20 01:30"),
        (rule("22:00", "02:00"), [], "2026-11-20 12:00", "2026-11-20 22:00"),
        (rule(spacing=1800), ["2026-11-20 12:00"], "2026-11-20 12:10", "2026-11-20 12:30"),
        (
            rule(spacing=1800),
            ["2026-11-20 12:00", "2026-11-20 12:30"],
            "2026-11-20 12:10",
            "2026-11-20 13:00",
        ),
        (
            rule("09:00", "12:00", 3600),
            ["2026-11-20 11:30"],
            "2026-11-20 11:40",
            "2026-11-21 09:00",
        ),
        (
            rule("09:00", "23:00", 0, 2),
            ["2026-11-20 09:00", "2026-11-20 10:00"],
            "2026-11-20 11:00",
            "2026-11-21 09:00",
        ),
        # The night in which the clock goes back has one nine o'clock all the same.
        (rule("09:00", "10:00"), [], "2026-10-24 11:00", "2026-10-25 09:00"),
    ],
)
def test_the_next_time_is_the_first_that_all_rules_allow(
    posting: Posting, taken: list[str], now: str, expected: str
) -> None:
    assert text(next_time(posting, [at(one) for one in taken], at(now))) == expected


@given(
    opens=st.integers(0, 23),
    closes=st.integers(0, 23),
    spacing=st.sampled_from([0, 60, 1800, 7200]),
    daily=st.integers(0, 5),
    count=st.integers(1, 20),
)
def test_any_row_of_posts_keeps_every_rule(
    opens: int, closes: int, spacing: int, daily: int, count: int
) -> None:
    posting = rule(f"{opens:02}:00", f"{closes:02}:00", spacing, daily)
    now, taken = at("2026-10-23 17:20"), []
    for _ in range(count):
        taken.append(next_time(posting, sorted(taken), now))
    for moment in taken:
        clock = datetime.fromtimestamp(moment, MADRID)
        hour = clock.hour + clock.minute / 60
        inside = opens <= hour < closes if opens < closes else hour >= opens or hour < closes
        assert moment >= now
        assert opens == closes or inside
        if daily:
            day = clock.date()
            same = [m for m in taken if datetime.fromtimestamp(m, MADRID).date() == day]
            assert len(same) <= daily
    for one, other in zip(sorted(taken), sorted(taken)[1:], strict=False):
        assert other - one >= spacing
