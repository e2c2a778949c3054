"""When a post may go out: hours, spacing and daily limit of a modelo, in its own time zone."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.profiles import Posting

_FAR = 730  # days; a rule that allows nothing for so long is no rule


def next_time(posting: Posting, taken: list[float], now: float) -> float:
    """The first moment from now on that the rules allow beside those that are taken."""
    at = now
    for _ in range(_FAR * 4 + len(taken)):
        moved = max(_in_hours(posting, at), _spaced(posting, taken, at))
        if moved > at:
            at = moved
            continue
        if not posting.daily or _that_day(posting, taken, at) < posting.daily:
            return at
        at = _tomorrow(posting, at)
    return at


def _in_hours(posting: Posting, at: float) -> float:
    """Now, when the hours allow it; else when they next begin. They may go over midnight."""
    if posting.opens == posting.closes:
        return at
    here = datetime.fromtimestamp(at, posting.zone)
    clock = here.time()
    if posting.opens < posting.closes:
        inside = posting.opens <= clock < posting.closes
    else:
        inside = clock >= posting.opens or clock < posting.closes
    if inside:
        return at
    day = here.date() if clock < posting.opens else here.date() + timedelta(days=1)
    return datetime.combine(day, posting.opens, posting.zone).timestamp()


def _spaced(posting: Posting, taken: list[float], at: float) -> float:
    """Far enough from every other one, before and after it."""
    for other in taken:
        if abs(other - at) < posting.spacing:
            return other + posting.spacing
    return at


def _that_day(posting: Posting, taken: list[float], at: float) -> int:
    day = datetime.fromtimestamp(at, posting.zone).date()
    return sum(datetime.fromtimestamp(one, posting.zone).date() == day for one in taken)


def _tomorrow(posting: Posting, at: float) -> float:
    day = datetime.fromtimestamp(at, posting.zone).date() + timedelta(days=1)
    return datetime.combine(day, posting.opens, posting.zone).timestamp()
