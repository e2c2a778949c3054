"""When to look next: listen while it is quiet, read in short steps while files are busy."""

from __future__ import annotations

from dataclasses import dataclass, replace

RECONCILE = 1.0  # seconds between two full looks, at the most
POLL = 0.25  # the same where no bell is to be had
STEP = 0.005  # between two reads of a busy file
NEAR = 0.002  # between two turns that both brought something
BUSY = 3  # such turns in a row after which each ring costs more than it is worth
QUIET = 0.03  # without anything new, after which it is quiet again
FALSE = 8  # rings in a row, that close, for which nothing had changed
STORM = 0.1  # between two looks while others write in the same folder all the time
GLANCE = 0.1  # between two full looks while some file is busy


@dataclass(frozen=True, slots=True)
class Pace:
    """What the last turns brought."""

    brought: float = float("-inf")  # when something last came
    looked: float = float("-inf")  # when all was last looked at
    rang: float = float("-inf")  # when it last rang for nothing
    hits: int = 0  # of turns in a row that brought something; BUSY at the most
    false: int = 0


@dataclass(frozen=True, slots=True)
class Listen:
    """Hang up the bell and wait for it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Read:
    """Take the bell down and read again soon; `all` looks at every name."""

    seconds: float
    all: bool


def after(pace: Pace, now: float, *, new: bool, rang: bool, all: bool) -> Pace:
    """What is known after one turn."""
    if new:
        pace = replace(pace, brought=now, hits=_hits(pace, now), false=0)
    elif rang:
        near = now - pace.rang <= STORM
        pace = replace(pace, rang=now, false=pace.false + 1 if near else 1)
    return replace(pace, looked=now) if all else pace


def _hits(pace: Pace, now: float) -> int:
    """Busy is busy until it is quiet, though its steps are longer than what made it busy."""
    since = now - pace.brought
    if since <= (QUIET if pace.hits >= BUSY else NEAR):
        return min(BUSY, pace.hits + 1)
    return 1


def plan(pace: Pace, now: float, *, behind: bool, deaf: bool) -> Listen | Read:
    """How to wait for the next turn."""
    if behind:
        return Read(0.0, all=now - pace.looked >= GLANCE)
    if pace.hits >= BUSY and now - pace.brought < QUIET:
        return Read(STEP, all=now - pace.looked >= GLANCE)
    if pace.false >= FALSE and now - pace.rang < RECONCILE:
        return Read(STORM, all=True)
    return Listen(POLL if deaf else RECONCILE)
