"""All incidents and budgets of one monitor on one clock; `respond` and `replay` both keep one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from monitor.heal import incidents, person
from monitor.heal.ladders import Ladder, ladder_for
from monitor.model import OPEN, Incident, IncidentState, Match, Outcome, Pause
from monitor.options import Repair, Rung
from monitor.supervise.budget import spend

HOUR = 3600.0
_RESTARTS = ("restart_child", "raise_limits")
_LOOKS = ("probe_server", "wait_out", "note")  # a target is not worn by being looked at
_CLOSED_KEPT = 1000
LONGEST_WAIT = 3600.0
_LONGEST_NAME = 500  # characters of a target in the ledger; longer ones with one beginning share


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something is to be done now: which rung of whose ladder."""

    incident: Incident
    rung: Rung
    dry: bool = False  # it is looked at and said, and nothing is done

    @property
    def target(self) -> str:
        return incidents.target_of(self.incident)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was spent of each budget, and when something new broke; on the clock of decisions."""

    spent: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    openings: tuple[float, ...] = ()


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
    paused: Pause | None = None
    dry_rules: frozenset[str] = frozenset()
    ledger: Ledger = field(default_factory=Ledger)

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
                quiet = one.state is IncidentState.RETRYING
                longest = self.settings.quiet if quiet else LONGEST_WAIT
                kept = replace(one, next_at=min(one.next_at, now + longest))
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
        if stopping or self._is_stale(match):
            return self._keep(incidents.said_again(before, match), before)
        root = incidents.root_of(match, child, self.known.values())
        if root is not None and before.state in (IncidentState.RETRYING, IncidentState.RESOLVED):
            back = incidents.explained(incidents.said_again(before, match), root)
            return self._keep(back, before)
        if before.state in OPEN:
            return self._keep(incidents.repeated(before, match, ladder, now), before)
        if before.state is IncidentState.ALERT_ONLY and ladder and not before.tried:
            return self._reconsider(before, match, ladder, now, root)
        return self._keep(incidents.reopened(before, match, ladder, now), before)

    def _is_over(self, before: Incident, match: Match) -> bool:
        return before.state not in OPEN and match.line.at - before.last > self.settings.again

    def _is_stale(self, match: Match) -> bool:
        return incidents.is_stale(match, self.settings.oldest)

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
        elif self._is_stale(match):
            fresh = incidents.only_told(fresh, incidents.why_stale(match))
        elif fresh.state in OPEN and self._is_storm(now):
            fresh = incidents.only_told(fresh, "too much broke at once: hands off until it is calm")
        return self._keep(fresh, None)

    def _reconsider(
        self, before: Incident, match: Match, ladder: Ladder, now: float, root: Incident | None
    ) -> Incident:
        """Only told so far, for a reason that may be over: then it has its ladder after all."""
        counted = incidents.said_again(before, match)
        if root is not None:
            return self._keep(counted, before)
        within = now - self.settings.storm_within
        if sum(at > within for at in self.ledger.openings) >= self.settings.storm:
            return self._keep(counted, before)
        self._is_storm(now)
        again = replace(counted, match=match)
        taken_up = incidents.from_the_start(again, ladder, now, "it goes on by itself")
        return self._keep(taken_up, before)

    def _is_storm(self, now: float) -> bool:
        within = now - self.settings.storm_within
        openings = (*(at for at in self.ledger.openings if at > within), now)
        self.ledger = replace(self.ledger, openings=openings[-self.settings.storm - 1 :])
        return len(openings) > self.settings.storm

    # --- what is due ---

    def due(self, now: float, only: Collection[str] | None = None) -> list[Attempt]:
        """Close what stayed well; give back what must be tried now and may be."""
        attempts: list[Attempt] = []
        for incident in [one for one in self._waiting() if (one.next_at or 0.0) <= now]:
            if incident.state is IncidentState.RETRYING:
                self._keep(incidents.stayed_well(incident, self.settings.quiet), incident)
                continue
            ladder = self.ladder(incident.match)
            if incidents.mends_itself(incident, ladder):
                self._keep(incidents.recovered(incident), incident)
                continue
            if any(incidents.target_of(incident) == each.target for each in attempts):
                continue
            rung = ladder[incident.rung]
            if only is not None and rung.do not in only:
                continue
            dry = self.is_dry(incident, rung)
            if refusal := self._refusal(incident, rung, now, dry=dry):
                self._keep(incidents.failed(incident, refusal), incident)
                continue
            begun = self._keep(incidents.begun(incident), incident, rung)
            attempts.append(Attempt(begun, rung, dry))
        return attempts

    def is_dry(self, incident: Incident, rung: Rung) -> bool:
        """Whether this is only thought through: everything, this rung, or this rule."""
        match, named = incident.match, (*self.settings.dry_run_for, *self.dry_rules)
        return (
            self.settings.dry_run
            or rung.dry_run
            or match.rule in named
            or match.category.value in named
        )

    def _waiting(self) -> list[Incident]:
        """What has a time and may have it: not in a pause, nor while its target is worked on."""
        at_work = {
            incidents.target_of(one)
            for one in self.known.values()
            if one.state is IncidentState.FIXING
        }
        return [
            one
            for one in self.known.values()
            if one.next_at is not None
            and not (
                one.state is IncidentState.DETECTED
                and (self.paused or incidents.target_of(one) in at_work)
            )
        ]

    def next_due(self) -> float | None:
        """When `due` has something to say next; None when only a line can bring it."""
        times = [one.next_at for one in self._waiting() if one.next_at is not None]
        if self.paused and self.paused.until is not None:
            times.append(self.paused.until)
        return min(times, default=None)

    def _refusal(self, incident: Incident, rung: Rung, now: float, *, dry: bool) -> str:
        """Why no hand is moved: whatever is written into a log, budgets hold. Else it is spent."""
        wanted = [("actions", self.settings.actions)]
        if rung.do not in _LOOKS:
            target = incidents.target_of(incident)[:_LONGEST_NAME]
            wanted.append((f"{rung.do} on {target}", self.settings.per_target))
        if rung.do in _RESTARTS and not incident.retried_by:
            wanted.append(("restarts", self.settings.restarts))
        spent = self.ledger.spent
        after = {name: spend(spent.get(name, ()), now, most, HOUR) for name, most in wanted}
        for name, most in wanted:
            if not after[name][1]:
                return f"the budget of {most} an hour is spent: {name}"
        if not dry:
            recent = {name: at for name, at in spent.items() if at and at[-1] > now - HOUR}
            spending = {name: at for name, (at, _) in after.items()}
            self.ledger = replace(self.ledger, spent=recent | spending)
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
        current = self.known.get(incident.key, incident)
        again = replace(
            current,
            state=IncidentState.DETECTED,
            attempt=max(0, current.attempt - 1),
            next_at=now,
            why=outcome.detail,
        )
        return self._keep(again, current, None, outcome)

    # --- what a look shows ---

    def gone(self, incident: Incident, why: str) -> Incident:
        """The cause was seen to be gone, whoever took it away."""
        over = replace(incident, state=IncidentState.RESOLVED, next_at=None, why=why)
        return self._keep(over, incident)

    def begin_again(self, incident: Incident, why: str, now: float) -> Incident:
        """What it failed at is possible now: its ladder from the start."""
        ladder = self.ladder(incident.match)
        return self._keep(incidents.from_the_start(incident, ladder, now, why), incident)

    # --- what a person says ---

    def by_id(self, id: int) -> Incident | None:
        return next((one for one in self.known.values() if one.id == id), None)

    def said(
        self, word: str, incident: Incident, by: str, now: float
    ) -> Incident | person.Already | person.No:
        """A person's word: acknowledged, resolved, tried once more."""
        after = person.said(word, incident, self.ladder(incident.match), by, now)
        return self._keep(after, incident, word=word) if isinstance(after, Incident) else after

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
        *,
        word: str = "",
    ) -> Incident:
        moved = before is None or (after.state, after.returned) != (before.state, before.returned)
        if moved or outcome is not None or word:
            by = after.by if word else ""
            after = replace(after, moves=after.moves + 1, word=word, by=by)
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
