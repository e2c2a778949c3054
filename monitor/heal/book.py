"""All incidents and budgets of one monitor on one clock; `respond` and `replay` both keep one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from monitor.heal import incidents
from monitor.heal.ladders import Ladder, ladder_for
from monitor.model import OPEN, Incident, IncidentState, Match, Outcome
from monitor.options import Repair, Rung
from monitor.supervise.budget import spend

HOUR = 3600.0
_RESTARTS = ("restart_child", "raise_limits")
_CLOSED_KEPT = 1000
LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something is to be done now: which rung of whose ladder."""

    incident: Incident
    rung: Rung


@dataclass(slots=True)
class Book:
    """Takes lines, times and outcomes.

    `changed` is called with each incident that moved, the rung it stands on and, when that is what
    moved it, the outcome of an attempt. Repeats are counted without a word.
    """

    settings: Repair
    ladders: Mapping[str, Ladder]
    changed: Callable[[Incident, Rung | None, Outcome | None], None]
    next_id: int = 1
    known: dict[str, Incident] = field(default_factory=dict)
    paused: bool = False
    _spent: dict[str, tuple[float, ...]] = field(default_factory=dict)
    _openings: tuple[float, ...] = ()

    def restore(self, known: Iterable[Incident], attempted: Iterable[int], now: float) -> None:
        """What the last monitor knew: an attempt it had only decided on has its time again."""
        begun = set(attempted)
        for one in known:
            kept = one
            if one.state is IncidentState.FIXING and one.id not in begun:
                kept = replace(
                    one, state=IncidentState.DETECTED, attempt=one.attempt - 1, next_at=now
                )
            elif one.next_at is not None:  # the clock begins anew with the machine
                kept = replace(one, next_at=min(one.next_at, now + LONGEST_WAIT))
            self.known[kept.key] = kept
            self.next_id = max(self.next_id, kept.id + 1)

    # --- what comes in ---

    def take(self, match: Match, child: str, now: float, *, stopping: bool = False) -> Incident:
        """A line that means trouble: a new incident, or one more time the same."""
        key = incidents.key_of(match, child)
        ladder = self.ladder(match)
        before = self.known.get(key)
        if before is None or self._is_over(before, match):
            return self._open(match, child, ladder, now, stopping=stopping)
        if before.state in OPEN:
            return self._keep(incidents.repeated(before, match, ladder, now), before)
        return self._keep(incidents.reopened(before, match, ladder, now), before)

    def _is_over(self, before: Incident, match: Match) -> bool:
        return before.state not in OPEN and match.line.at - before.last > self.settings.again

    def _open(
        self, match: Match, child: str, ladder: Ladder, now: float, *, stopping: bool
    ) -> Incident:
        fresh = incidents.opened(self.next_id, match, child, ladder, now)
        self.next_id += 1
        root = incidents.root_of(match, child, self.known.values())
        if root is not None:
            fresh = incidents.explained(fresh, root)
        elif stopping:
            fresh = incidents.only_told(fresh, "said while it was being stopped")
        elif match.line.old:
            fresh = incidents.only_told(fresh, "written before anyone watched")
        elif fresh.state in OPEN and self._is_storm(now):
            fresh = incidents.only_told(fresh, "too much broke at once: hands off until it is calm")
        return self._keep(fresh, None)

    def _is_storm(self, now: float) -> bool:
        within = now - self.settings.storm_within
        self._openings = (*(at for at in self._openings if at > within), now)
        return len(self._openings) > self.settings.storm

    # --- what is due ---

    def due(self, now: float, busy: Iterable[int] = ()) -> list[Attempt]:
        """Close what stayed well; give back what must be tried now and may be."""
        attempts = []
        for incident in self._ripe(now, set(busy)):
            if incident.state is IncidentState.RETRYING:
                self._keep(incidents.stayed_well(incident, self.settings.quiet), incident)
                continue
            rung = self.ladder(incident.match)[incident.rung]
            if refusal := self._refusal(incident, rung, now):
                self._keep(incidents.failed(incident, refusal), incident)
                continue
            begun = self._keep(incidents.begun(incident), incident, rung)
            attempts.append(Attempt(begun, rung))
        return attempts

    def _ripe(self, now: float, busy: set[int]) -> list[Incident]:
        return [
            incident
            for incident in self.known.values()
            if incident.next_at is not None
            and incident.next_at <= now
            and incident.id not in busy
            and not (self.paused and incident.state is IncidentState.DETECTED)
        ]

    def next_due(self) -> float | None:
        """When `due` has something to say next; None when only a line can bring it."""
        times = [
            incident.next_at
            for incident in self.known.values()
            if incident.next_at is not None
            and not (self.paused and incident.state is IncidentState.DETECTED)
        ]
        return min(times, default=None)

    def _refusal(self, incident: Incident, rung: Rung, now: float) -> str:
        """Why no hand is moved: whatever is written into a log, budgets hold. Else it is spent."""
        target = incident.match.subject or incident.child
        wanted = [(f"{rung.do} on {target}", self.settings.per_target)]
        wanted.append(("actions", self.settings.actions))
        if rung.do in _RESTARTS:
            wanted.append(("restarts", self.settings.restarts))
        after = {name: spend(self._spent.get(name, ()), now, most, HOUR) for name, most in wanted}
        for name, most in wanted:
            if not after[name][1]:
                return f"the budget of {most} an hour is spent: {name}"
        self._spent |= {name: spent for name, (spent, _) in after.items()}
        return ""

    def outcome(self, incident: Incident, outcome: Outcome, now: float) -> Incident:
        """An attempt has ended."""
        current = self.known.get(incident.key, incident)
        ladder = self.ladder(current.match)
        after = incidents.judged(current, outcome, ladder, self.settings.quiet, now)
        rung = ladder[current.rung] if current.rung < len(ladder) else None
        return self._keep(after, current, rung, outcome)

    def once_more(self, incident: Incident, outcome: Outcome, now: float) -> Incident:
        """An attempt that was cut short counts for nothing and has its time again."""
        again = replace(
            incident,
            state=IncidentState.DETECTED,
            attempt=max(0, incident.attempt - 1),
            next_at=now,
            why=outcome.detail,
        )
        return self._keep(again, incident, None, outcome)

    # --- what a person says ---

    def by_id(self, id: int) -> Incident | None:
        return next((one for one in self.known.values() if one.id == id), None)

    def put(self, incident: Incident) -> Incident:
        """A person's change: acknowledged, resolved, tried once more."""
        return self._keep(incident, self.by_id(incident.id))

    # --- keeping ---

    def ladder(self, match: Match) -> Ladder:
        return ladder_for(match.rule, match.category, self.ladders)

    def open_ones(self) -> list[Incident]:
        return [one for one in self.known.values() if one.state in OPEN]

    def _keep(
        self,
        after: Incident,
        before: Incident | None,
        rung: Rung | None = None,
        outcome: Outcome | None = None,
    ) -> Incident:
        moved = before is None or (after.state, after.returned) != (before.state, before.returned)
        if moved or outcome is not None or after.acked_by != getattr(before, "acked_by", ""):
            after = replace(after, moves=after.moves + 1)
            self.changed(after, rung, outcome)
        self.known.pop(after.key, None)
        self.known[after.key] = after
        self._forget_old()
        return after

    def _forget_old(self) -> None:
        """Closed ones are remembered for coming back, but not for ever."""
        if len(self.known) > 2 * _CLOSED_KEPT:
            closed = [key for key, one in self.known.items() if one.state not in OPEN]
            for key in closed[: len(closed) - _CLOSED_KEPT]:
                del self.known[key]
