"""What a strategy is: check that the cause is there, act, prove; and the tools it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from monitor.heal.room import Room
from monitor.model import Incident
from monitor.options import Server
from monitor.safe.paths import Owner, Roots
from monitor.safe.shelves import Shelves


class NotThereError(Exception):
    """The cause is not there (any more): nothing to do, and that is good news."""


class RefusedError(Exception):
    """It would not be safe, or we may not; the next rung may."""


class FailedError(Exception):
    """It was tried and the proof fails; `wait` when the world said how long to wait."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Child(Protocol):
    """As much of a child as a strategy may touch."""

    name: str

    @property
    def pid(self) -> int | None: ...

    @property
    def argv(self) -> tuple[str, ...]: ...

    async def restart(self, why: str) -> str: ...

    async def stop(self, why: str) -> str: ...

    async def pause(self, paused: bool) -> bool: ...

    async def retry(self, captures: Mapping[str, str]) -> str: ...

    def can_retry(self) -> bool: ...


class Intake(Protocol):
    """Who is told to take nothing new while something is in the way."""

    async def hold(self, incident: Incident) -> tuple[str, ...]: ...

    async def release(self, incident: int) -> None: ...

    async def well(self, incident: Incident) -> None: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What a strategy works with."""

    home: Path
    child: Child | None  # None when somebody else runs the program
    roots: Roots  # where files may be touched
    owner: Owner  # whose they shall be: the child's user
    quarantine: Shelves
    room: Room  # what is free on the disks
    intake: Intake
    servers: Mapping[str, Server]  # those that we may start again, by host and port
    last: bool  # no further attempt on this rung


Step = Callable[[Incident, Tools], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to help. Each step says what it found or did; what it raises says why not."""

    name: str
    limit: float  # seconds for all three steps together
    check: Step
    act: Step
    prove: Step
    resumes: bool = False  # when it is proved, the job that failed is resumed
    repeatable: bool = False  # doing it twice is as good as once: it checks before it acts
