"""Keeps one child running; the only place that starts it, whoever asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from monitor.model import Cause, ChildState, Exit, FileId, LastWords, Severity, Told, View
from monitor.options import Child as Settings
from monitor.supervise import cgroup, lock
from monitor.supervise.budget import Again, Done, GiveUp, Memory, Rest, after_exit, after_stable
from monitor.supervise.child import PASSING, Child, NotStartedError, Spec
from monitor.supervise.family import Family
from monitor.supervise.health import Checkup
from monitor.supervise.tree import Tree
from monitor.texts import lasting

_LOOK_AGAIN = 1.0  # seconds, where a descriptor or a process could not be had
RUNNING_AFTER = 1.0  # up for this long, it counts as started


ENDED_FOR_GOOD = (ChildState.GIVEN_UP, ChildState.FINISHED)


@dataclass(frozen=True, slots=True)
class _Order:
    """A wish that interrupts whatever the minder does."""

    cause: Cause
    why: str


class Minder:
    """One child's whole life. Orders ring a bell; one task answers them and nothing else acts."""

    def __init__(
        self,
        settings: Settings,
        spec: Spec,
        checkup: Checkup,
        family: Family,
        tell: Callable[[Told], None],
        remember: Callable[[Memory], None],
        memory: Memory,
    ) -> None:
        self.name = spec.name
        self.settings = settings
        self.spec = spec
        self.child: Child | None = None
        self.running = asyncio.Event()
        self.state = ChildState.STOPPED
        self.hurry = asyncio.Event()
        self.tried = asyncio.Event()  # it was started, or had its chance
        self.down = asyncio.Event()  # nothing of it runs and nothing will by itself
        self._checkup = checkup
        self._family = family
        self._tell_all = tell
        self._remember = remember
        self._memory = memory
        self._up = settings.autostart and not memory.stopped_by
        self._bell = asyncio.Event()
        self._order: _Order | None = None
        self._starts = 0
        self._last_exit = ""
        self._next: float | None = None
        self._why = f"stopped by {memory.stopped_by}" if memory.stopped_by else ""
        self._after_start: Callable[[], None] | None = None

    # --- orders: they take effect at once, whatever is going on ---

    def start(self, by: str) -> None:
        """A person's start forgets the past: the breaker closes, a stop is lifted."""
        self._keep(Memory(last_words=self._memory.last_words))
        self._up = True
        self.tried.clear()
        if self.child is None:
            self._give(_Order(Cause.ASKED, by))
        else:
            self.tried.set()

    def stop(self, by: str) -> None:
        """A person's stop holds until a person's start; no timer undoes it."""
        self._keep(replace(self._memory, stopped_by=by))
        self._up = False
        self._give(_Order(Cause.ASKED, by))

    def restart(self, by: str) -> None:
        """A person's restart is no failure and waits for nothing."""
        self._keep(Memory(last_words=self._memory.last_words))
        self._up = True
        self.tried.clear()
        self._give(_Order(Cause.ASKED, by))

    def cure(self, cause: Cause, why: str) -> None:
        """A restart by ourselves: counted like a crash, and nothing while it is not running."""
        if self.settings.restart.policy == "never":
            why = f"{why}; its policy is never to restart"
            self._tell("child_sick", Severity.WARNING, why=why, cause=cause, left="yes")
            return
        settled = self.state in (ChildState.STARTING, ChildState.RUNNING) and self._order is None
        if self.child is not None and self._up and settled:
            self._tell("child_sick", Severity.WARNING, why=why, cause=cause)
            self._give(_Order(cause, why))

    def close(self) -> None:
        """The monitor ends: stop it, remember nothing of this as a person's stop."""
        self._up = False
        self._give(_Order(Cause.ASKED, ""))

    def _give(self, order: _Order) -> None:
        self._order = order
        self._bell.set()

    # --- what can be seen ---

    @property
    def wanted(self) -> bool:
        return self._up

    def view(self) -> View:
        now = time.monotonic()
        child = self.child
        return View(
            name=self.name,
            state=self.state,
            pid=child.pid if child else None,
            up=now - child.started if child else 0.0,
            starts=self._starts,
            last_exit=self._last_exit,
            next_start=max(0.0, self._next - now) if self._next is not None else None,
            why=self._why,
            vitals=self._checkup.vitals,
        )

    # --- the life ---

    async def run(self, may_start: Callable[[], asyncio.Event | None]) -> NoReturn:
        """Live until cancelled; `may_start` gives the event of another child to wait for."""
        while True:
            self._order = None
            self._bell.clear()
            if not self._up:
                await self._rest()
            elif (other := may_start()) is not None:
                await self._wait_for_other(other)
            elif await self._is_alone():
                self._answer(await self._one_run())
                await self._until_next()

    async def _rest(self) -> None:
        self._catch_up()
        if self.state not in (*ENDED_FOR_GOOD, ChildState.STOPPED):
            self.state = ChildState.STOPPED
            if by := self._memory.stopped_by:
                self._why = f"stopped by {by}"
                self._tell("child_stopped", by=by)
        self.down.set()
        self.tried.set()
        await self._bell.wait()
        if self._up:
            self.down.clear()

    async def _wait_for_other(self, other: asyncio.Event) -> None:
        self.state = ChildState.WAITING
        waits = [asyncio.ensure_future(e.wait()) for e in (other, self._bell)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _is_alone(self) -> bool:
        """No second copy beside the first: one left by a killed monitor is ended, or awaited."""
        with contextlib.suppress(OSError):  # the start will say what is lacking
            if self._starts and lock.is_free(self.spec.lock):
                return True
        mark = self.spec.env["VIGIA_CHILD"]
        tree = Tree(lock.holders(self.spec.lock), mark, cgroup.find(mark))
        if not tree.members():
            return True
        pids = ", ".join(str(process.pid) for process in tree.members())
        tree.wake()
        if self.settings.stop.orphans == "end":
            self._begins_to_end()
            tree.ask(signal.Signals[f"SIG{self.settings.stop.signal}"])
            await _empty(tree, self.settings.stop.timeout, self._bell)
            await tree.end()
            self._tell("orphans_ended", Severity.WARNING, pids=pids)
            return not self._bell.is_set()
        if self.state is not ChildState.WAITING:
            self.state = ChildState.WAITING
            self._tell("orphans_awaited", Severity.WARNING, pids=pids)
        await _empty(tree, 1.0, self._bell)
        return False

    async def _one_run(self) -> Exit:
        """Start it, watch it, and see it ended with all that descends from it."""
        self._next, self._why = None, ""
        self.state = ChildState.STARTING
        self._has_ended()
        try:
            child = self.child = Child.start(self.spec, self._family)
            self._catch_up()
        except NotStartedError as error:
            self._catch_up()
            self.tried.set()
            cause = Cause.ERROR if error.passing else Cause.NOT_STARTED
            return Exit(cause, 0, 0.0, str(error))
        self._starts += 1
        self.tried.set()
        self._tell("child_started", pid=str(child.pid))
        watching = asyncio.ensure_future(self._checkup.watch(child, self.cure))
        try:
            return await self._see_through(child)
        finally:
            watching.cancel()
            self.running.clear()
            self.child = None
            if not child.ended.done():  # we are cancelled: whatever broke, nothing is left behind
                await child.stop(signal.SIGTERM, self.settings.stop.timeout, self.hurry)

    async def _see_through(self, child: Child) -> Exit:
        if not await self._until_end(child, RUNNING_AFTER):
            self.state = ChildState.RUNNING
            self.running.set()
            if not await self._until_end(child, self.settings.restart.stable):
                self._forgive(child)
                await self._until_end(child, None)
        if not child.ended.done():
            return await self._stop(child)
        if child.left_a_daemon():
            await self._sit_with_daemon(child)
        if count := await self._swept(child):
            self._tell("child_swept", count=str(count))
        return child.how_it_ended()

    async def _swept(self, child: Child) -> int:
        """What it left behind is ended; where we lack the means to look, we look again."""
        told = False
        while True:
            try:
                return await child.sweep()
            except OSError as error:
                if error.errno not in PASSING:
                    raise
                if not told:
                    self._tell("means_lacking", Severity.WARNING, why=error.strerror or str(error))
                told = True
                await asyncio.sleep(_LOOK_AGAIN)

    async def _until_end(self, child: Child, patience: float | None) -> bool:
        """Wait for its end or an order, at most so long; whether one of them came."""
        bell = asyncio.ensure_future(self._bell.wait())
        try:
            done, _ = await asyncio.wait(
                (child.ended, bell), timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            bell.cancel()
        return bool(done)

    def _forgive(self, child: Child) -> None:
        """It is told also when we know of no trouble: a person's start and a reboot forget the
        ledger, and what was told of the trouble before must come to its end.
        """
        ran = time.monotonic() - child.started
        if self._memory.past.opened:
            self._tell("breaker_closed", Severity.WARNING, ran=lasting(ran))
        else:
            self._tell("child_stable", ran=lasting(ran))
        past = after_stable(self._memory.past, ran, self.settings.restart)
        if past != self._memory.past:
            self._keep(replace(self._memory, past=past))

    async def _stop(self, child: Child) -> Exit:
        order, self._order = self._order, None
        assert order is not None, "the bell rings for an order"
        self._bell.clear()
        self.state = ChildState.STOPPING
        stop = self.settings.stop
        number = signal.Signals[f"SIG{stop.signal}"]
        self._begins_to_end()
        in_time = await child.stop(number, stop.timeout, self.hurry)
        self._has_ended()
        if not in_time and not self.hurry.is_set():
            self._tell("child_slow_to_stop", Severity.WARNING, patience=f"{stop.timeout:g}")
        return child.how_it_ended(order.cause, order.why)

    async def _sit_with_daemon(self, child: Child) -> None:
        """What went to the background is left alone and watched until it ends or an order comes."""
        self.state = ChildState.DAEMONISED
        self._tell("child_daemonised", Severity.WARNING)
        while not self._bell.is_set() and child.tree.members():
            await _empty(child.tree, 1.0, self._bell)

    def _answer(self, exit: Exit) -> None:
        """What follows its end: the state, the time of the next start, and the word about it."""
        self._last_exit = exit.detail or "ended as asked"
        if exit.cause is Cause.ASKED:
            return
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        decision = after_exit(exit, self._memory.past, now, self.settings.restart, random.random())
        self._memory = replace(self._memory, past=decision.past)
        self._why = decision.why
        match decision:
            case Again(delay=delay):
                self._await_next(ChildState.BACKOFF, delay)
                facts = {"ran": lasting(exit.ran), "delay": lasting(delay)}
                self._soon("child_ended", Severity.WARNING, why=decision.why, **facts)
            case Rest(delay=delay):
                self._keep(self._memory)
                self._await_next(ChildState.FAILED, delay)
                facts = {"why": decision.why, "delay": lasting(delay)}
                self._tell("breaker_opened", Severity.CRITICAL, **facts)
            case GiveUp():
                self._keep(self._memory)
                self._end_for_good(ChildState.GIVEN_UP)
                self._tell("child_given_up", Severity.CRITICAL, why=decision.why)
            case Done():
                self._keep(self._memory)
                self._end_for_good(ChildState.FINISHED)
                self._tell("child_finished", why=decision.why)

    def _await_next(self, state: ChildState, delay: float) -> None:
        self.state, self._next = state, time.monotonic() + delay

    def _end_for_good(self, state: ChildState) -> None:
        self.state, self._up = state, False

    def _soon(self, kind: str, severity: Severity, **facts: str) -> None:
        """Told and remembered at once, unless a start is due at once: that goes first."""

        def tell_and_remember() -> None:
            self._tell(kind, severity, **facts)
            self._keep(self._memory)

        self._after_start = tell_and_remember
        if self._next is None or self._next > time.monotonic():
            self._catch_up()

    def _catch_up(self) -> None:
        late, self._after_start = self._after_start, None
        if late is not None:
            late()

    async def _until_next(self) -> None:
        """The pause before the next start; an order ends it."""
        if self._next is not None and (left := self._next - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._bell.wait()
        self._next = None

    def _begins_to_end(self) -> None:
        """What it says from here on is the noise of its end, also if we die meanwhile."""
        words = self._memory.last_words
        if words is None or words.end is not None:
            here = _end_of(self.spec.log)
            self._keep(replace(self._memory, last_words=here and LastWords(*here)))

    def _has_ended(self) -> None:
        words = self._memory.last_words
        if words is not None and words.end is None:
            here, now = _end_of(self.spec.log), time.clock_gettime(time.CLOCK_BOOTTIME)
            same = here is not None and here[0] == words.log
            ended = replace(words, end=here[1], ended=now) if here and same else None
            self._keep(replace(self._memory, last_words=ended))

    def _keep(self, memory: Memory) -> None:
        self._memory = memory
        self._remember(memory)

    def _tell(self, kind: str, severity: Severity = Severity.INFO, **facts: str) -> None:
        self._tell_all(Told(kind, self.name, severity, tuple(facts.items())))


def _end_of(log: Path) -> tuple[FileId, int] | None:
    """Which file the log is now, and how long."""
    try:
        status = os.stat(log, follow_symlinks=False)
    except OSError:
        return None
    return FileId(status.st_dev, status.st_ino), status.st_size


async def _empty(tree: Tree, patience: float, bell: asyncio.Event) -> None:
    """Wait until nobody of the tree lives, the time is over or the bell rings."""
    deadline = time.monotonic() + patience
    while tree.members() and not bell.is_set() and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
