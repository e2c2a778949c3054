"""Hours of a day in a zone: when it is quiet, and when the digest is due."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_HALF_A_DAY = 720  # minutes after which a missed digest waits for the next day


class HoursError(ValueError):
    """Not hours; the text says what would be."""

    def __init__(self, what: str, given: str) -> None:
        shown = f'"{given}"'
        super().__init__(f"must be {what}, not {shown}")


def minutes_of(text: str) -> int:
    """`"09:30"` as minutes since midnight."""
    if not (found := _TIME.fullmatch(text.strip())):
        raise HoursError('a time of day like "09:00"', text)
    return int(found[1]) * 60 + int(found[2])


def span_of(text: str) -> tuple[int, int] | None:
    """`"23:00-07:00"` as two times of day; "" is no hours at all."""
    if not text.strip():
        return None
    begin, dash, end = text.partition("-")
    if not dash:
        raise HoursError('hours like "23:00-07:00"', text)
    return minutes_of(begin), minutes_of(end)


def digest_at(text: str) -> int | None:
    """`"09:00"` as minutes since midnight; "" is never."""
    return minutes_of(text) if text.strip() else None


def check_zone(zone: str) -> None:
    if zone:
        _in_zone(0.0, zone)


def local(at: float, zone: str) -> tuple[str, int]:
    """The day and the minute of it there; without a zone, where the machine thinks it is."""
    moment = _in_zone(at, zone) if zone else datetime(*time.localtime(at)[:6])
    return moment.date().isoformat(), moment.hour * 60 + moment.minute


def shown(at: float, zone: str) -> str:
    moment = _in_zone(at, zone) if zone else datetime(*time.localtime(at)[:6])
    return moment.strftime("%H:%M:%S")


def _in_zone(at: float, zone: str) -> datetime:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only who names a zone pays for it

    try:
        return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        known = 'an IANA zone like "Europe/Madrid" that this machine knows'
        raise HoursError(known, zone) from None


def is_quiet(quiet: str, zone: str, at: float) -> bool:
    """Whether that moment lies in the quiet hours, which may go over midnight."""
    span = span_of(quiet)
    if span is None or span[0] == span[1]:
        return False
    begin, end = span
    _, minute = local(at, zone)
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def digest_due(digest: str, zone: str, last_day: str, at: float) -> str:
    """The day whose digest is due now, or ""; one missed by half a day is not made up for."""
    due = digest_at(digest)
    if due is None:
        return ""
    day, minute = local(at, zone)
    late = minute - due
    return day if day > last_day and 0 <= late <= _HALF_A_DAY else ""
