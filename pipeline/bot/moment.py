"""A time as a person writes it in a chat."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_LATER = re.compile(r"\+(\d{1,5})\s?([mhd])")
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


def read_moment(text: str, now: float, zone: ZoneInfo) -> float | None:
    """`now`, `+2h`, `18:30` (when it next comes), `2026-12-24 18:30`; None for anything else."""
    word = text.strip().lower()
    if word in {"now", "ahora", "ya"}:
        return now
    if match := _LATER.fullmatch(word):
        return now + int(match[1]) * _UNITS[match[2]]
    try:
        if match := _CLOCK.fullmatch(word):
            here = datetime.fromtimestamp(now, zone)
            at = here.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
            return (at if at > here else at + timedelta(days=1)).timestamp()
        at = datetime.strptime(word, "%Y-%m-%d %H:%M").replace(tzinfo=zone)
    except (ValueError, OverflowError):
        return None
    return at.timestamp() if at.timestamp() > now else None
