"""May it be started again, and when? The same ledger counts crashes and repairs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from monitor.model import Cause, Exit, LastWords
from monitor.options import Restart

LONGEST_PROBE_WAIT = 3600.0
LATER_DELAY = 5.0  # exit 75: the world failed; asking again at once helps nobody


@dataclass(frozen=True, slots=True)
class Past:
    """What a child's earlier ends leave behind."""

    ends: tuple[float, ...] = ()  # when it ended, within the period
    streak: int = 0  # ends in a row without a stable run between them
    opened: int = 0  # how often the breaker has opened since the last stable run


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives the monitor: the ledger, who stopped it, and what it says as it ends."""

    past: Past = field(default_factory=Past)
    stopped_by: str = ""
    last_words: LastWords | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Start it once more after `delay` seconds."""

    delay: float
    past: Past
    why: str


@dataclass(frozen=True, slots=True)
class Rest:
    """The breaker is open: one probe run after `delay` seconds."""

    delay: float
    past: Past
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Only a person or a new configuration starts it again."""

    past: Past
    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """It has ended for good, and that is fine."""

    past: Past
    why: str


def after_exit(
    exit: Exit, past: Past, now: float, limits: Restart, spread: float
) -> Again | Rest | GiveUp | Done:
    """What follows an end that nobody asked for; `spread` in 0..1 keeps many from one rhythm."""
    if exit.ran >= limits.stable:
        past = Past()
    if exit.cause is Cause.CONFIG:
        return GiveUp(past, "it says that its configuration is wrong (exit 78)")
    if exit.cause is Cause.NOT_STARTED:
        return GiveUp(past, exit.detail)
    if limits.policy == "never":
        return Done(past, f"{exit.detail}; its policy is never to start it again")
    if limits.policy == "on-failure" and exit.cause is Cause.CLEAN:
        return Done(past, f"{exit.detail}; its policy is on-failure")
    return _after_failure(exit, past, now, limits, spread)


def _after_failure(
    exit: Exit, past: Past, now: float, limits: Restart, spread: float
) -> Again | Rest | GiveUp:
    delay = backoff(past.streak, limits, spread)
    longer = replace(past, streak=past.streak + 1)
    if exit.cause is Cause.LATER:
        return Again(max(delay, min(LATER_DELAY, max(limits.max_delay, 1.0))), longer, exit.detail)
    ends = (*(end for end in past.ends if end > now - limits.period), now)
    counted = replace(longer, ends=ends)
    if past.opened == 0 and len(ends) < limits.limit:
        first_after_long = exit.ran >= limits.stable
        return Again(0.0 if first_after_long else delay, counted, exit.detail)
    return _open(exit, counted, limits)


def _open(exit: Exit, past: Past, limits: Restart) -> Rest | GiveUp:
    why = f"ended {len(past.ends)} times in {limits.period / 60:g} minutes; last: {exit.detail}"
    if past.opened:
        why = f"the probe run failed as well: {exit.detail}"
    if limits.give_up == "exit":
        return GiveUp(past, why)
    delay = min(max(LONGEST_PROBE_WAIT, limits.probe_delay), limits.probe_delay * 2**past.opened)
    return Rest(delay, replace(past, opened=min(past.opened + 1, 30)), why)


def spend(
    recent: tuple[float, ...], now: float, limit: int, period: float
) -> tuple[tuple[float, ...], bool]:
    """One more within the period, if the limit allows it; what is refused costs nothing."""
    inside = tuple(at for at in recent if at > now - period)
    if len(inside) >= limit:
        return inside, False
    return (*inside, now), True


def backoff(streak: int, limits: Restart, spread: float) -> float:
    """Doubling from `delay` to `max_delay`, up to a fifth less by `spread`."""
    full = min(limits.max_delay, limits.delay * 2.0 ** min(streak, 30))
    return full * (1.0 - 0.2 * spread)


def after_stable(past: Past, ran: float, limits: Restart) -> Past:
    """A run that has lasted long enough forgives what was before it, and closes the breaker."""
    return Past() if ran >= limits.stable else past
