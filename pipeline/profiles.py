"""Who sends and how it is posted: a modelo is a folder `modelos/NAME/` with a `config.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_TIMES = re.compile(r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)")
_LASTING = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


class ProfileError(Exception):
    """A config.json that cannot be used: which, and what is wrong with it."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@dataclass(frozen=True, slots=True)
class Posting:
    """When and where posts go out."""

    targets: tuple[str, ...] = ()  # telegram:@channel, telegram:-100123, folder:posted
    opens: time = time(0, 0)
    closes: time = time(0, 0)  # the same as `opens`: at any hour
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    spacing: float = 0.0  # seconds between two posts
    daily: int = 0  # posts a day; 0 without limit


@dataclass(frozen=True, slots=True)
class Profile:
    """One modelo, as its config.json says."""

    name: str
    telegram_user_ids: frozenset[int] = frozenset()
    display: str = ""
    language: str = "es"
    questions: tuple[str, ...] = ()
    caption_prompt: str = ""
    posting: Posting = field(default_factory=Posting)
    text: str = field(default="", repr=False, compare=False)  # of its config.json


def read_profile(modelos: Path, name: str) -> Profile:
    """The profile of a modelo; FileNotFoundError when it has no config.json."""
    shown = f"modelos/{name}/config.json"
    if not NAME.fullmatch(name):
        raise ProfileError(shown, "a name has only letters, digits, and . _ - inside")
    try:
        text = (modelos / name / "config.json").read_text(encoding="utf-8")
    except ValueError as error:  # no UTF-8
        raise ProfileError(shown, f"is no JSON: {error}") from None
    return parse_profile(name, text)


def parse_profile(name: str, text: str) -> Profile:
    shown = f"modelos/{name}/config.json"
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ProfileError(shown, f"is no JSON: {error}") from None
    if not isinstance(raw, dict):
        raise ProfileError(shown, "must be an object: {…}")
    try:
        return replace(_profile(name, raw), text=text)
    except (ValueError, TypeError, KeyError) as error:
        why = error.args[0] if isinstance(error, KeyError) else error  # whose text is quoted
        raise ProfileError(shown, str(why)) from None


def read_profiles(modelos: Path) -> tuple[dict[str, Profile], list[ProfileError | OSError]]:
    """All modelos by name, and what is wrong with the others; a folder without config is wrong."""
    found: dict[str, Profile] = {}
    wrong: list[ProfileError | OSError] = []
    for name in _folders(modelos):
        try:
            found[name] = read_profile(modelos, name)
        except (ProfileError, OSError) as error:
            wrong.append(error)
    owners: dict[int, str] = {}
    for name, profile in list(found.items()):
        for user in profile.telegram_user_ids:
            if (other := owners.setdefault(user, name)) != name:
                why = f"telegram_user_id {user} belongs to {other} already"
                wrong.append(ProfileError(f"modelos/{name}/config.json", why))
                found.pop(name, None)
    return found, wrong


def _folders(modelos: Path) -> Iterator[str]:
    for entry in sorted(modelos.iterdir()) if modelos.is_dir() else ():
        if entry.is_dir() and not entry.name.startswith("."):
            yield entry.name


_KEYS = ("telegram_user_id", "display", "language", "questions", "caption_prompt", "posting")


def _profile(name: str, raw: dict[str, Any]) -> Profile:
    _only(raw, _KEYS, "")
    ids = raw.get("telegram_user_id", [])
    ids = ids if isinstance(ids, list) else [ids]
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in ids):
        raise ValueError("telegram_user_id must be a number or a list of numbers")
    language = raw.get("language", "es")
    if language not in {"es", "en"}:
        raise ValueError(f"language must be es or en, not {language!r}")
    return Profile(
        name=name,
        telegram_user_ids=frozenset(ids),
        display=_text(raw, "display") or name,
        language=language,
        questions=_texts(raw, "questions"),
        caption_prompt=_text(raw, "caption_prompt"),
        posting=_posting(raw.get("posting", {})),
    )


def _posting(raw: Any) -> Posting:
    if not isinstance(raw, dict):
        raise TypeError("posting must be an object: {…}")
    _only(raw, ("targets", "hours", "timezone", "spacing", "daily"), "posting.")
    opens = closes = time(0, 0)
    if hours := _text(raw, "hours"):
        if not (match := _TIMES.fullmatch(hours)):
            raise ValueError(f"posting.hours must be like 09:00-23:00, not {hours!r}")
        opens, closes = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    daily = raw.get("daily", 0)
    if not isinstance(daily, int) or isinstance(daily, bool) or daily < 0:
        raise ValueError("posting.daily must be a whole number")
    targets = _texts(raw, "targets")
    for target in targets:
        if target.partition(":")[0] not in {"telegram", "folder"} or not target.partition(":")[2]:
            raise ValueError(f"posting.targets: {target!r} is neither telegram:… nor folder:…")
    try:
        zone = ZoneInfo(_text(raw, "timezone") or "UTC")
    except (KeyError, ValueError, OSError):
        raise ValueError(f"posting.timezone: {raw['timezone']!r} is not known") from None
    return Posting(targets, opens, closes, zone, _lasting(raw.get("spacing", 0)), daily)


def _only(raw: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in raw:
        if key not in known:
            raise ValueError(f"{where}{key} is not known; known are {', '.join(known)}")


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str):
        raise TypeError(f"{key} must be a text")
    return value


def _texts(raw: dict[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError(f"{key} must be a list of texts")
    return tuple(value)


def _lasting(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    if isinstance(value, str) and (match := _LASTING.fullmatch(value.strip())):
        return float(match[1]) * _UNITS[match[2]]
    raise ValueError(f"posting.spacing must be like 30m or 2h, not {value!r}")
