"""Is a child alive? By the age of its last finished work, not by its pid."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from monitor.model import Cause, Vitals
from monitor.options import Health
from monitor.supervise import child_api
from monitor.supervise.child import Child
from monitor.texts import lasting, sized

# What may come of an answer that is none; also JSON nested deeper than anybody needs.
_NONSENSE = (KeyError, TypeError, ValueError, OverflowError, RecursionError)
_FIRST = 2.0  # seconds after the start; later measurements come further and further apart


@dataclass(frozen=True, slots=True)
class Sick:
    cause: Cause
    why: str


def judge(vitals: Vitals, up: float, since_memory: float, limits: Health) -> Sick | None:
    """Whether it must be restarted; what it has not had the time to do is not held against it."""
    if limits.memory and (vitals.memory or 0) > limits.memory and since_memory > limits.memory_rest:
        used, most = sized(vitals.memory or 0), sized(limits.memory)
        return Sick(Cause.MEMORY_LIMIT, f"uses {used}, more than {most}")
    age = min(up, vitals.progress_age or 0.0)
    if limits.hang_after and age > limits.hang_after:
        return Sick(Cause.HANG, f"has finished nothing for {lasting(age)}, though it is alive")
    quiet = min(up, vitals.silence or 0.0)
    if limits.silence and quiet > limits.silence:
        return Sick(Cause.HANG, f"has written nothing for {lasting(quiet)}")
    if limits.hang_after and min(up, vitals.unanswered * limits.every) > limits.hang_after:
        return Sick(Cause.HANG, f"did not answer {vitals.unanswered} questions in a row")
    return None


@dataclass(slots=True)
class _Changes:
    """Since when a file looks the same; clocks that jump do not matter."""

    path: Path
    looks: tuple[int, int, int] | None = None
    since: float = field(default_factory=time.monotonic)

    def age(self, now: float) -> float | None:
        try:
            status = os.stat(self.path)
        except OSError:
            return None if self.looks is None else now - self.since
        looks = (status.st_ino, status.st_size, status.st_mtime_ns)
        if looks != self.looks:
            self.looks, self.since = looks, now
        return now - self.since


def _age(raw: float) -> float:
    """Seconds, as a child says them: what is no number is no answer."""
    age = float(raw)
    if math.isnan(age):
        raise ValueError("not a number")
    return age


class Checkup:
    """Measures one child again and again, and says when it needs a restart."""

    def __init__(self, limits: Health, control: Path, log: Path, heartbeat: Path | None) -> None:
        self.vitals = Vitals()
        self._limits = limits
        self._control = control
        self._log = log
        self._heartbeat = heartbeat
        self._cured_memory_at = float("-inf")
        self._unanswered = 0

    async def watch(self, child: Child, cure: Callable[[Cause, str], None]) -> None:
        """Until cancelled; `cure` is called when it is sick."""
        log = _Changes(self._log)
        heartbeat = _Changes(self._heartbeat) if self._heartbeat else None
        self._unanswered = 0
        used: tuple[float, float] | None = None
        while True:
            now = time.monotonic()
            memory, cpu = child.tree.usage()
            share = None if used is None else max(0.0, cpu - used[1]) / max(1e-3, now - used[0])
            used = (now, cpu)
            age = heartbeat.age(now) if heartbeat else await self._progress_age()
            self.vitals = Vitals(memory, share, age, log.age(now), self._unanswered)
            since_memory = now - self._cured_memory_at
            if sick := judge(self.vitals, child.ran(), since_memory, self._limits):
                if sick.cause is Cause.MEMORY_LIMIT:
                    self._cured_memory_at = now
                cure(sick.cause, sick.why)
            await asyncio.sleep(min(self._limits.every, max(_FIRST, child.ran())))

    async def _progress_age(self) -> float | None:
        """What the child says of its last finished work; None when it has no way to say it."""
        if not child_api.is_served(self._control):
            return None
        try:
            answer = await child_api.ask(self._control, "GET", "/health")
            age = answer.body["age"]
            age = None if age is None else _age(age)
        except (child_api.NoAnswerError, *_NONSENSE):
            self._unanswered += 1
            return None
        self._unanswered = 0
        return age
