"""From a line that means trouble to the record of its end: decided, written down, done, told."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from monitor.heal.book import Book, Ledger
from monitor.heal.cases import Cases
from monitor.heal.incidents import is_told, key_of, opened, said_again, severity_of
from monitor.heal.person import Already, No
from monitor.heal.recording import (
    ChildFacts,
    gap_record,
    message_of,
    quoted_by,
    record_of,
    stamp,
)
from monitor.heal.unknown import Unknown
from monitor.model import (
    OPEN,
    Incident,
    IncidentState,
    Match,
    Outcome,
    Pause,
    Severity,
    Told,
)
from monitor.options import Rung
from monitor.records.record import is_move, safe
from monitor.records.story import kinds_of, number_of
from monitor.records.writer import Records, RecordsError
from monitor.state import State, StateFull, StateUnwritable

T = TypeVar("T")
_MOST_WAITING = 1000  # records that wait in memory while the disk takes nothing


def clock() -> float:
    """The clock of decisions: it goes on while the machine sleeps and never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Herald(Protocol):
    """Who tells people; what it has to say is written down with the move that it is about."""

    def incident(
        self, incident: Incident, rung: Rung | None, outcome: Outcome | None, pid: int | None
    ) -> None: ...

    def save(self) -> None: ...

    def saved(self) -> None: ...


class Casework:
    """Owns the book and what it leaves behind; every change is durable before it is acted on."""

    def __init__(
        self,
        state: State,
        open_records: Callable[[], Records],
        child_facts: Callable[[str], ChildFacts],
        tell: Callable[[Told], None],
    ) -> None:
        self.book: Book
        self._state = state
        self._cases = Cases(state)
        self.unknown = Unknown(self._cases)
        self._open_records = open_records
        self._records: Records | None = None
        self._newest: dict[object, dict[str, object]] = {}  # of each open incident, for a new file
        self._facts = child_facts
        self._tell = tell
        self._host = socket.gethostname()
        self._touched: dict[int, Incident] = {}  # not yet written down, as they are now
        self._unsaved: list[dict[str, object]] = []
        self._lost = 0  # of those that waited too long
        self._degraded = False
        self._spent: Ledger | None = None  # as it was written down last
        self.on_news: Callable[[], None] = lambda: None
        self.herald: Herald | None = None

    def take(self, match: Match, child: str) -> None:
        """A line that means trouble; of the unknown only the first of each shape."""
        now = clock()
        if is_told(match) or self.unknown.is_news(match, now):
            last_words = self._facts(child).last_words
            stopping = last_words is not None and last_words.hold(match.line, now)
            taken = self.book.take(match, child, now, stopping=stopping)
            self._touched[taken.id] = taken  # also what was only counted, without a record
            if self._unsaved:  # also when it cannot be written down: who makes room may act
                self.on_news()

    def noted(self, match: Match, child: str, outcome: Outcome | None) -> None:
        """What a child's minder sees to and tells: recorded, and no hand is moved for it here."""
        known = self.book.known.get(key_of(match, child))
        if known is not None and outcome is None:
            self._touched[known.id] = self.book.known[known.key] = said_again(known, match)
            return
        fresh = opened(self.book.next_id, match, child, (), clock())
        self.book.next_id += 1
        one = replace(fresh, why=match.line.text, moves=1, tried=int(outcome is not None))
        self._touched[one.id] = self.book.known[one.key] = one
        rung = Rung("restart_child") if outcome else None
        self._unsaved.append(self._record(one, rung, outcome))
        self.on_news()

    def reached(self, names: Iterable[str], where: str, why: str = "") -> None:
        """People were told of these there, or why they could not be: recorded, and nothing follows."""
        for name in names:
            number = number_of(name)
            incident = self.book.by_id(number) if number else None
            if incident is None:
                continue
            kept = replace(incident, moves=incident.moves + 1)
            self._touched[kept.id] = self.book.known[kept.key] = kept
            word = "not_told" if why else "told"
            told = replace(kept, word=word, by=where, why=why)
            self._unsaved.append(self._record(told, None, None))
        self.settle()

    # --- the book tells what moved ---

    def changed(self, incident: Incident, rung: Rung | None, outcome: Outcome | None) -> None:
        self._unsaved.append(self._record(incident, rung, outcome))
        if len(self._unsaved) > _MOST_WAITING:
            self._lost += 1 if self._lost else 2
            why = f"{self._lost} records were lost here: the disk took none for too long"
            self._unsaved[:2] = [gap_record(why, time.time())]
        self._touched[incident.id] = incident
        if self.herald:
            self.herald.incident(incident, rung, outcome, self._facts(incident.child).pid)
        for told in _told(incident, rung, outcome):
            self._tell(told)

    def shown(self, incident: Incident) -> dict[str, object]:
        """As it stands now, in the words of its records; `action` is what is tried, or comes next."""
        ladder = self.book.ladder(incident.match)
        going_on = incident.state in OPEN and incident.rung < len(ladder)
        return safe(self._record(incident, ladder[incident.rung] if going_on else None, None))

    def _record(
        self, incident: Incident, rung: Rung | None, outcome: Outcome | None
    ) -> dict[str, object]:
        facts = self._facts(incident.child)
        rungs = len(self.book.ladder(incident.match))
        at, waits = time.time(), incident.next_at
        next_try = None if waits is None else at + max(0.0, waits - clock())
        return record_of(incident, rung, outcome, rungs, facts, self._host, at, next_try)

    # --- durable ---

    def save(self) -> None:
        """Within the caller's transaction: what moved, with the place in the log it comes from."""
        self._cases.save(self._touched.values(), self._unsaved)
        if self.book.ledger is not self._spent:
            self._cases.keep_ledger(self.book.ledger)
        self.unknown.keep(clock())
        if self.herald:
            self.herald.save()

    def saved(self) -> None:
        """The transaction held: nothing of it is waiting any more, and people may read it."""
        moved = bool(self._unsaved)
        self._touched.clear()
        self._unsaved.clear()
        self._lost = 0
        self._spent = self.book.ledger
        if self.herald:
            self.herald.saved()
        if moved:
            self.project()
            self.on_news()

    @property
    def has_news(self) -> bool:
        """Whether a decision waits to be written down."""
        return bool(self._touched)

    def settle(self) -> bool:
        """Save what moved by itself; with a disk that takes nothing it waits, in order."""
        self._end_a_pause_that_is_over()
        if self.has_news:
            with contextlib.suppress(StateUnwritable):
                self._durably(lambda: None)
        return not self.has_news

    def catch_up(self) -> None:
        """What waited for room on the disk is written as soon as there is some."""
        if self._state.move_in():
            self._tell(Told("state_on_disk"))
        self.settle()
        self.project()

    def intend(self, incident: Incident, strategy: str) -> int:
        """On disk before anything is done."""
        return self._durably(lambda: self._cases.intend(incident.id, strategy, time.time()))

    def _durably(self, write: Callable[[], T]) -> T:
        """With all that moved, in one transaction; on a full disk the ballast makes room for it."""
        try:
            done = self._written(write)
        except StateFull:
            if self._records is None or not self._records.make_room():
                raise
            self._state.shrink()
            done = self._written(write)
        self.saved()
        return done

    def _written(self, write: Callable[[], T]) -> T:
        with self._state.transaction():
            self.save()
            return write()

    def outcome(self, attempt: int, outcome: Outcome) -> None:
        with contextlib.suppress(StateUnwritable):
            self._durably(lambda: self._cases.finish(attempt, outcome.result))

    def unfinished(self) -> Sequence[tuple[int, Incident, str]]:
        """What a killed monitor was in the middle of."""
        found = []
        for number, id, strategy in self._cases.unfinished():
            incident = self.book.by_id(id)
            if incident is not None and incident.state is IncidentState.FIXING:
                found.append((number, incident, strategy))
            else:
                self._cases.finish(number, "forgotten")
        return found

    # --- what a person says ---

    def said(self, word: str, id: int, by: str) -> Incident | Already | No:
        """Durable when this returns; what cannot be written down raises StateUnwritable."""
        incident = self.book.by_id(id)
        if incident is None:
            return No("no_such_incident", (("id", f"INC-{id}"),))
        after = self.book.said(word, incident, by, clock())
        self._durably(lambda: None)
        return after

    def pause(self, pause: Pause) -> None:
        """No repair is begun any more, also with a disk that takes nothing; then this raises."""
        self.book.paused = pause
        self._tell(told_of_pause(pause))
        self.on_news()
        self._cases.keep_pause(pause)

    def resume(self, by: str) -> bool:
        """Repairs go on; whether they were paused."""
        was = self.book.paused is not None
        self.book.paused = None
        if was:
            self._tell(Told("repairs_resumed", facts=(("by", by),)))
            self.on_news()
        self._cases.keep_pause(None)
        return was

    def _end_a_pause_that_is_over(self) -> None:
        pause = self.book.paused
        if pause is not None and pause.until is not None and pause.until <= clock():
            self.book.paused = None
            with contextlib.suppress(StateUnwritable):  # it is over at the next start as well
                self._cases.keep_pause(None)
            self._tell(Told("pause_over", facts=(("by", pause.by),)))

    def project(self) -> None:
        """Bring `logs/errors.json` up to what the state has; what does not fit now comes later."""
        try:
            records = self._records or self._opened()
            while rows := self._cases.records_after(records.last_seq):
                records.append(rows, lambda: list(self._newest.values()))
                for row in filter(is_move, rows):
                    self._newest.pop(row["incident"], None)
                    if row["state"] in OPEN:
                        self._newest[row["incident"]] = row
            self._cases.forget_records(records.last_seq)
        except (RecordsError, StateUnwritable) as error:
            if not self._degraded:
                facts = (("why", str(error)),)
                self._tell(Told("records_unwritable", severity=Severity.CRITICAL, facts=facts))
            self._degraded = True
        else:
            self._degraded = False

    def _opened(self) -> Records:
        """The file, and the state's counter behind what already stands in it."""
        records = self._records = self._open_records()
        self._newest = records.newest_of({f"INC-{one.id}" for one in self.book.open_ones()})
        if self._cases.last_seq() < records.last_seq:
            self._cases.count_from(records.last_seq)
            why = "the monitor's memory was lost; what it had not written here yet is not known"
            self._cases.save([], [gap_record(why, time.time())])
        return records

    def close(self) -> None:
        self.settle()
        with contextlib.suppress(StateUnwritable):
            self.unknown.keep(clock(), at_once=True)
        if self._records:
            self._records.close()


def told_of_pause(pause: Pause) -> Told:
    ends = "" if pause.ends is None else stamp(pause.ends)
    facts = {"by": pause.by, "note": pause.why or "-", "until": ends or "vigia resume"}
    return Told("repairs_paused", severity=Severity.WARNING, facts=tuple(facts.items()))


def _told(incident: Incident, rung: Rung | None, outcome: Outcome | None) -> list[Told]:
    facts = {
        "id": f"INC-{incident.id}",
        "category": incident.match.category.value,
        "subject": incident.match.subject or incident.match.rule,
        "do": rung.do if rung else "",
        "attempt": f"{incident.tried}/{rung.attempts}" if rung else "",
        "why": message_of(incident),
        "quoted": quoted_by(incident),
        "result": outcome.result.value if outcome else "",
        "detail": outcome.detail if outcome else "",
        "proof": outcome.proof if outcome else "",
        "times": str(incident.occurrences),
        "by": incident.by,
    }
    told, severity = tuple(facts.items()), severity_of(incident)
    kinds = kinds_of(incident.state, incident.word, ended=outcome is not None)
    return [Told(kind, incident.child, severity, told) for kind in kinds]
