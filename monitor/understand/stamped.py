"""When a line was written, by its own words; only a time that makes sense is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

AHEAD = 60.0  # seconds that another clock may be fast
BEHIND = 366 * 86400.0  # what claims to be older comes from a clock that was never set
LOOKED_AT = 400  # characters of a line

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORD = (
    r"(?:(?i:trace|debug|info|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|panic)|\d{1,3})"
)
_LEVEL = rf"(?:[\[(<]?{_WORD}[\])>:]{{0,2}}\s{{0,4}})?"
_CLOCK = r"(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)(?:[.,](?P<f>\d{1,9}))?"
_ZONE = r"(?:\s?(?P<zone>Z|UTC|[+-]\d\d:?\d\d)(?![\w:]))?"
_DATE = r"(?P<Y>\d{4})[-/](?P<m>\d\d)[-/](?P<d>\d\d)[T ]"
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_LEVEL}(?:(?:time|ts|timestamp|t)=)?[\[(\"]?{_DATE}{_CLOCK}{_ZONE}",
        rf".*?\"(?:time|timestamp|@timestamp|ts|asctime|datetime)\"\s?:\s?\"{_DATE}{_CLOCK}{_ZONE}",
        rf"(?:<\d{{1,3}}>)?(?P<b>[A-Z][a-z]{{2}}) {{1,2}}(?P<d>\d\d?) {_CLOCK} ",
        rf".{{0,150}}?\[(?P<d>\d\d)/(?P<b>[A-Z][a-z]{{2}})/(?P<Y>\d{{4}}):{_CLOCK}{_ZONE}\]",
    )
)


def written_at(text: str, now: float) -> float | None:
    """The time that stands at the head of a line; None when there is none, or none to believe.

    Without a zone it is local time or UTC, whichever is nearer to now: a line is not called old
    because its program keeps another zone than we.
    """
    head = text.split("\n", 1)[0][:LOOKED_AT]
    for form in _FORMS:
        if found := form.match(head):
            times = [time for time in _times(found, now) if now - BEHIND < time <= now + AHEAD]
            return min(max(times), now) if times else None
    return None


def _times(found: re.Match[str], now: float) -> Iterator[float]:
    """All that it may mean."""
    part = found.groupdict()
    month = _MONTHS.index(part["b"]) + 1 if part.get("b") in _MONTHS else int(part.get("m") or 0)
    this_year = datetime.fromtimestamp(now, UTC).year
    years = [int(part["Y"])] if part.get("Y") else [this_year - 1, this_year, this_year + 1]
    fraction = float(f"0.{part['f']}") if part["f"] else 0.0
    for year in years:
        with suppress(ValueError, OverflowError, OSError):
            clock = int(part["H"]), int(part["M"]), int(part["S"])
            bare = datetime(year, month, int(part["d"]), *clock)
            yield from (one.timestamp() + fraction for one in _zoned(bare, part.get("zone")))


def _zoned(bare: datetime, zone: str | None) -> list[datetime]:
    if zone in ("Z", "UTC"):
        return [bare.replace(tzinfo=UTC)]
    if zone:
        digits = zone.replace(":", "")
        away = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
        return [bare.replace(tzinfo=timezone(-away if zone[0] == "-" else away))]
    return [bare, bare.replace(fold=1), bare.replace(tzinfo=UTC)]
