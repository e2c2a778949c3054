"""The time a line says of itself, in the forms that programs write it."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable

HEAD = 512  # bytes of a line in which its time is looked for
_LEAST, _MOST = 946_684_800.0, 4_102_444_800.0  # 2000 to 2100: no number beyond is a time
_YEAR = 31_556_952.0
_MONTHS = {
    name: number
    for number, name in enumerate(
        b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1
    )
}
_MONTH = rb"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = rb"(?P<hour>[0-2]\d):(?P<minute>[0-5]\d):(?P<second>[0-6]\d)(?:[.,](?P<part>\d{1,9}))?"
_ZONE = rb"(?: ?(?P<zone>Z|UTC\b|GMT\b|[+-][01]\d:?[0-5]\d)(?!\d))?"
_KEY = rb"(?:time|ts|timestamp|date|datetime|asctime)\"?\s{0,2}[=:]\s{0,2}\"?"
# Before the time there may be a level, the name of a service or a priority, not a story.
_NEAR = rb"^.{0,40}?(?<![\w.:/-])"


def stamp_of(line: bytes, near: float) -> float | None:
    """Seconds since 1970 as the line tells them, in UTC where it names no zone; None without.

    Where it names no year either, it is the one that brings it nearest to a time that is known.
    """
    head = line[:HEAD]
    for pattern, read in _FORMS:
        found = pattern.search(head)
        if found is not None:
            moment = read(found, near)
            if moment is not None and _LEAST <= moment < _MOST:
                return moment
    return None


def _dated(found: re.Match[bytes], near: float) -> float | None:
    """A day and a time of day; what no calendar has is none."""
    given = found.groupdict()
    month = _MONTHS.get(given["month"]) or int(given["month"])
    day, clock = int(given["day"]), [int(given[key]) for key in ("hour", "minute", "second")]
    if not (1 <= month <= 12 and 1 <= day <= 31 and clock[0] < 24):
        return None
    fraction = float(b"0." + given["part"]) if given.get("part") else 0.0
    rest = fraction - _offset(given.get("zone"))
    if given.get("year"):
        return timegm((int(given["year"]), month, day, *clock)) + rest
    year = 1970 + int(near // _YEAR)
    moments = [timegm((one, month, day, *clock)) + rest for one in (year, year - 1, year + 1)]
    return min(moments, key=lambda moment: abs(moment - near))


def _offset(zone: bytes | None) -> float:
    """Seconds that this zone is ahead of UTC."""
    if zone is None or zone[:1] not in b"+-":
        return 0.0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (hours * 60 + minutes) * (-60.0 if zone[:1] == b"-" else 60.0)


def _counted(found: re.Match[bytes], near: float) -> float:  # noqa: ARG001
    """Seconds, milliseconds, micro- or nanoseconds since 1970, told apart by their length."""
    whole = found["epoch"]
    part = float(b"0." + found["part"]) if found["part"] else 0.0
    return (int(whole) + part) / 10.0 ** (len(whole) - 10)


_Read = Callable[[re.Match[bytes], float], float | None]
_DAY = rb"(?P<day>[0-3 ]?\d)"
_EPOCH = rb"(?P<epoch>1\d{9}(?:\d{3}|\d{6}|\d{9})?)(?:\.(?P<part>\d{1,9}))?(?![\w.:/-])"
_ISO = rb"(?P<year>20\d\d)[-/](?P<month>[01]\d)[-/](?P<day>[0-3]\d)[T _]" + _CLOCK + _ZONE
_FORMS: tuple[tuple[re.Pattern[bytes], _Read], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (_NEAR + _ISO, _dated),
        (_NEAR + rb"\[?(?:[A-Z][a-z]{2} )?" + _MONTH + b" " + _DAY + b" " + _CLOCK
         + rb"(?: (?P<year>20\d\d)\b)?", _dated),  # syslog; apache's errors
        (rb"\[" + _DAY + b"/" + _MONTH + rb"/(?P<year>20\d\d)[: ]" + _CLOCK + _ZONE, _dated),
        (_NEAR + rb"\[?" + _DAY + b"[ -]" + _MONTH + rb"[ -](?P<year>20\d\d) " + _CLOCK + _ZONE, _dated),
        (_KEY + _ISO, _dated),
        (rb"^[\[(<]?" + _EPOCH, _counted),
        (_KEY + _EPOCH, _counted),
    )
)  # fmt: skip
