"""The book on a clock of its own: what would be decided about lines of the past; nothing is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.heal.book import Attempt, Book
from monitor.heal.ladders import Ladder
from monitor.model import OPEN, Incident, Match, Outcome, Result
from monitor.options import Repair, Rung

# What an attempt is taken to last: what is said meanwhile, or within the same second, is the
# trouble that it is about, and no sign that it came back.
TAKES = 1.0
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Move:
    """What happened to an incident, and when on the clock of the lines."""

    at: float
    what: str  # a state of an incident, or `done`
    action: str = ""
    attempt: str = ""
    why: str = ""


@dataclass(slots=True)
class Story:
    """One incident from the line that opened it to its end."""

    incident: Incident
    opening: Match
    number: int  # of the line in its file, from 1
    moves: list[Move] = field(default_factory=list)


class Replay:
    """Takes lines in the order of their time; each attempt is assumed done, unless they say not."""

    def __init__(
        self, repair: Repair, ladders: Mapping[str, Ladder], dry_rules: frozenset[str]
    ) -> None:
        self._again = repair.again
        self._book = Book(repair, ladders, self._changed, dry_rules=dry_rules)
        self._now = 0.0
        self._ends: dict[int, tuple[float, Attempt]] = {}  # attempts under way
        self._next = _NEVER  # nothing is due before
        self._stories: dict[int, Story] = {}
        self._number = 0
        self.actions: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def take(self, match: Match, child: str, number: int) -> Story | None:
        """A line, at its time; the story that begins with it."""
        self._advance(match.line.at)
        known = self._book.next_id
        self._number = number
        incident = self._book.take(match, child, self._now)
        if incident.id in self._stories:
            self._stories[incident.id].incident = incident
        return self._stories[incident.id] if incident.id >= known else None

    def finish(self) -> None:
        """After the last line it stays silent until all has its end."""
        self._advance(_NEVER)

    def is_over(self, story: Story) -> bool:
        """Whether no later line can add to it; then it may be forgotten here."""
        one = story.incident
        known = self._book.known.get(one.key)
        if known is None or known.id != one.id:
            return True
        return one.state not in OPEN and self._now - one.last > self._again

    def forget(self, story: Story) -> None:
        state = story.incident.state.value
        self.ended[state] = self.ended.get(state, 0) + 1
        self._stories.pop(story.incident.id, None)

    # --- the clock ---

    def _advance(self, until: float) -> None:
        """All that has its time before that moment happens, in order; what has it then, after it."""
        while self._next < until:
            self._now = max(self._now, self._next)
            for attempt in [one for at, one in self._ends.values() if at <= self._now]:
                del self._ends[attempt.incident.id]
                self._book.outcome(attempt.incident, _assumed(attempt), self._now)
            for attempt in self._book.due(self._now):
                self._ends[attempt.incident.id] = (self._now + TAKES, attempt)
            due = self._book.next_due()
            moments = [at for at, _ in self._ends.values()]
            self._next = min(moments if due is None else [due, *moments], default=_NEVER)
        if until < _NEVER:
            self._now = max(self._now, until)

    # --- what the book tells ---

    def _changed(self, incident: Incident, rung: Rung | None, outcome: Outcome | None) -> None:
        if incident.next_at is not None:
            self._next = min(self._next, incident.next_at)
        story = self._stories.get(incident.id)
        if story is None:
            story = self._stories[incident.id] = Story(incident, incident.match, self._number)
        before, story.incident = story.incident, incident
        if outcome is not None:
            story.moves.append(Move(self._now, "done", rung.do if rung else "", why=outcome.detail))
        elif rung is not None:
            self.actions[rung.do] = self.actions.get(rung.do, 0) + 1
            attempt = f"{incident.attempt}/{rung.attempts}"
            story.moves.append(Move(self._now, incident.state.value, rung.do, attempt))
        elif before.state is not incident.state or not story.moves:
            story.moves.append(Move(self._now, incident.state.value, why=incident.why))


def _assumed(attempt: Attempt) -> Outcome:
    if attempt.dry:
        return Outcome(Result.DRY_RUN, f"dry run: {attempt.rung.do} was not done")
    return Outcome(Result.DONE, f"{attempt.rung.do} is assumed to help", "replay", TAKES)
