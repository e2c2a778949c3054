"""What a poll came to, and what follows: how long to wait, what to say, when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FIRST, MOST = 1.0, 30.0  # seconds between two tries
_REMIND = 300.0  # what a person must mend is said again so often
_CALM = 60.0  # two pollers take turns: one good answer between two conflicts ends nothing


class Kind(StrEnum):
    AWAY = "away"  # no connection, 5xx, no answer in time
    UNAUTHORIZED = "unauthorized"  # getMe says so, too
    CONFLICT = "conflict"  # somebody else polls for the same bot
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Came:
    updates: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    kind: Kind
    words: str
    after: float = 0.0  # seconds that Telegram wants us to wait
    url: str = ""  # of the server that is away


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong since when; none of it when `kind` is None."""

    kind: Kind | None = None
    since: float = 0.0
    last: float = 0.0
    said: float = 0.0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    level: str
    event: str
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Next:
    trouble: Trouble
    wait: float
    lines: tuple[Line, ...] = ()


def after(was: Trouble, outcome: Came | Failed, now: float) -> Next:
    if isinstance(outcome, Failed):
        return _failed(was, outcome, now)
    if was.kind is None:
        return Next(was, 0.0)
    if was.kind is Kind.CONFLICT and now - was.last < _CALM:
        return Next(was, 0.0)
    ended = Line("info", "poll.back", {"was": was.kind.value, "after": round(now - was.since)})
    return Next(Trouble(), 0.0, (ended,))


def _failed(was: Trouble, failed: Failed, now: float) -> Next:
    if was.kind is failed.kind:
        trouble = Trouble(was.kind, was.since, now, was.said, was.tries + 1)
    else:
        trouble = Trouble(failed.kind, now, now, now, 1)
    wait = max(failed.after, min(FIRST * 1.5 ** min(trouble.tries - 1, 20), MOST))
    begins = was.kind is not failed.kind
    mendable = failed.kind in {Kind.UNAUTHORIZED, Kind.CONFLICT}
    if not begins and not (mendable and now - trouble.said >= _REMIND):
        return Next(trouble, wait)
    trouble = Trouble(trouble.kind, trouble.since, now, now, trouble.tries)
    return Next(trouble, wait, (_line(failed, wait),))


def _line(failed: Failed, wait: float) -> Line:
    given: dict[str, Any] = {"error": failed.words}
    if failed.kind in {Kind.UNAUTHORIZED, Kind.CONFLICT}:
        return Line("error", "poll.failed", given)
    if failed.kind is Kind.FLOOD:
        return Line("warning", "poll.flooded", given | {"retry_after": failed.after})
    return Line("warning", "poll.waiting", {"again": round(wait), "url": failed.url} | given)
