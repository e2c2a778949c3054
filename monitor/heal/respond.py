"""One incident -> its ladder of strategies -> outcomes; the one failure boundary of repairs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from monitor.heal.book import Attempt, Book
from monitor.heal.strategy import FailedError, NotThereError, RefusedError, Strategy, Tools
from monitor.model import Incident, Outcome, Result
from monitor.state import StateUnwritable

Clock = Callable[[], float]

_GONE = (Result.DONE, Result.NOTHING)
_WRITE_AGAIN = 5.0  # seconds until a disk that took nothing is tried again
WITHOUT_A_NOTE = ("free_disk",)  # who makes room for the notes of all others
_JOB_LIMIT = 900.0  # seconds that a resumed job may take


class Journal(Protocol):
    """Where an attempt is written down before it is made, and after."""

    def intend(self, incident: Incident, strategy: str) -> int: ...

    def outcome(self, attempt: int, outcome: Outcome) -> None: ...

    def settle(self) -> bool: ...

    def unfinished(self) -> Sequence[tuple[int, Incident, str]]: ...


class Respond:
    """Does what the book says is due, and writes it down first."""

    def __init__(
        self,
        book: Book,
        journal: Journal,
        strategies: Mapping[str, Strategy],
        tools_for: Callable[[Incident, bool], Tools],
        clock: Clock,
    ) -> None:
        self._book = book
        self._journal = journal
        self._strategies = strategies
        self._tools_for = tools_for
        self._clock = clock
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something came in: look again at what is due."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; each attempt is a task of its own, so that one cannot hold up another."""
        async with asyncio.TaskGroup() as attempts:
            for number, incident, name in self._journal.unfinished():
                attempts.create_task(self._probe(number, incident, name))
            while True:
                may = None if self._journal.settle() else WITHOUT_A_NOTE
                for attempt in self._book.due(self._clock(), may):
                    attempts.create_task(self._attempt(attempt))
                await self._until_due(written=self._journal.settle())

    async def _until_due(self, *, written: bool) -> None:
        """Also until the disk may take again what it did not take just now."""
        self._news.clear()
        due = self._book.next_due() if written else self._clock() + _WRITE_AGAIN
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _attempt(self, attempt: Attempt) -> None:
        incident, rung = attempt.incident, attempt.rung
        started = time.monotonic()
        tools = self._tools_for(incident, incident.attempt >= rung.attempts)
        try:
            number, outcome = await self._try(self._strategies[rung.do], attempt, tools)
        except StateUnwritable as error:
            why = f"nothing is done that cannot be written down: {error}"
            later = self._clock() + _WRITE_AGAIN
            self._book.once_more(incident, Outcome(Result.ABORTED, why), later)
            self.wake()
            return
        took = Outcome(
            outcome.result,
            outcome.detail,
            outcome.proof,
            time.monotonic() - started,
            outcome.wait,
        )
        self._book.outcome(incident, took, self._clock())
        if number is not None:
            self._journal.outcome(number, took)
        self.wake()

    async def _try(
        self, strategy: Strategy, attempt: Attempt, tools: Tools
    ) -> tuple[int | None, Outcome]:
        """Whatever goes wrong in a strategy becomes an outcome here, and nowhere else."""
        incident = attempt.incident
        written: list[int | None] = [None]
        try:
            outcome = await self._acted(strategy, attempt, tools, written)
            if outcome.result in _GONE and strategy.resumes and _can_resume(incident, tools):
                if outcome.result is Result.NOTHING:
                    written.append(self._intend(incident, strategy))
                proof = await _resumed(incident, tools, outcome.proof)
                outcome = Outcome(Result.DONE, outcome.detail, proof)
        except StateUnwritable:
            raise
        except Exception as error:  # noqa: BLE001 - one broken strategy must not end the monitor
            outcome = _outcome_of(error, strategy)
        return written[-1], outcome

    async def _acted(
        self, strategy: Strategy, attempt: Attempt, tools: Tools, written: list[int | None]
    ) -> Outcome:
        """The cause was there and was taken away, or it was not there any more."""
        incident = attempt.incident
        dry = Outcome(Result.DRY_RUN, f"dry run: {strategy.name} was not done")
        async with asyncio.timeout(strategy.limit):
            try:
                await strategy.check(incident, tools)
            except NotThereError as nothing:
                job = strategy.resumes and _can_resume(incident, tools)
                return dry if job and attempt.dry else Outcome(Result.NOTHING, str(nothing))
            if attempt.dry:
                return dry
            written.append(self._intend(incident, strategy))
            detail = await strategy.act(incident, tools)
            return Outcome(Result.DONE, detail, await strategy.prove(incident, tools))

    def _intend(self, incident: Incident, strategy: Strategy) -> int | None:
        """On disk first; only who makes room on the disk may act without."""
        try:
            return self._journal.intend(incident, strategy.name)
        except StateUnwritable:
            if strategy.name not in WITHOUT_A_NOTE:
                raise
            return None

    async def _probe(self, number: int, incident: Incident, name: str) -> None:
        """We died in the middle of it: see whether it holds; only what may be repeated is."""
        strategy = self._strategies.get(name)
        if strategy is None:
            outcome = Outcome(Result.UNKNOWN, f"there is no {name} any more")
        else:
            outcome = await self._probed(strategy, incident)
        if outcome.result is Result.ABORTED:
            self._book.once_more(incident, outcome, self._clock())
        else:
            self._book.outcome(incident, outcome, self._clock())
        self._journal.outcome(number, outcome)  # both at once: a kill between them repeats nothing
        self.wake()

    async def _probed(self, strategy: Strategy, incident: Incident) -> Outcome:
        try:
            async with asyncio.timeout(strategy.limit):
                proof = await strategy.prove(incident, self._tools_for(incident, True))
        except Exception as error:  # noqa: BLE001 - whatever fails here means: it does not hold
            result = Result.ABORTED if strategy.repeatable else Result.UNKNOWN
            return Outcome(result, f"the monitor ended while it was at {strategy.name}: {error}")
        holds = f"the monitor ended while it was at {strategy.name}, and it holds"
        return Outcome(Result.DONE, holds, proof)


def _outcome_of(error: Exception, strategy: Strategy) -> Outcome:
    match error:
        case RefusedError():
            return Outcome(Result.REFUSED, str(error))
        case FailedError():
            return Outcome(Result.FAILED, str(error), wait=error.wait)
        case TimeoutError():
            return Outcome(Result.ABORTED, f"{strategy.name} took too long")
    return Outcome(Result.FAILED, f"{strategy.name}: {type(error).__name__}: {error}")


def _can_resume(incident: Incident, tools: Tools) -> bool:
    named = "job" in dict(incident.match.captures)
    return named and tools.child is not None and tools.child.can_retry()


async def _resumed(incident: Incident, tools: Tools, proof: str) -> str:
    """The job that failed is done again and seen to succeed."""
    assert tools.child is not None, "asked before"
    async with asyncio.timeout(_JOB_LIMIT):
        done = await tools.child.retry(dict(incident.match.captures))
    return f"{proof}; {done}" if proof else done
