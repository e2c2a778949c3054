"""How much room the disks have that we use, and from where on that is trouble."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from monitor.options import Disk
from monitor.safe.paths import Failed, Space, free_space
from monitor.texts import sized

PATIENCE = 5.0  # seconds for a disk to say how full it is
_FEW_FILES, _FEWER_FILES = 10_000, 1_000
_CALM = 1.1  # what was told is over only when there is clearly more room than the mark


@dataclass(frozen=True, slots=True)
class Volume:
    """One file system at one moment, judged by marks that fit its size."""

    path: str  # the first place of ours on it
    space: Space
    disk: Disk

    @property
    def is_full(self) -> bool:
        """Too little is left to go on working."""
        return self._has_less_than(self._critical, _files(self.space, _FEWER_FILES, 100))

    @property
    def is_low(self) -> bool:
        """A person should know."""
        return self._has_less_than(self._warn, _files(self.space, _FEW_FILES, 20))

    @property
    def is_calm(self) -> bool:
        """Clearly above what a person was told about."""
        files = _files(self.space, _FEW_FILES, 20)
        return not self._has_less_than(self._warn * _CALM, files * _CALM)

    @property
    def has_room(self) -> bool:
        """Clearly above the mark below which work is held up."""
        files = _files(self.space, _FEWER_FILES, 100)
        return not self._has_less_than(self._critical * _CALM, files * _CALM)

    @property
    def has_plenty(self) -> bool:
        """Nothing more needs to go."""
        target = max(min(self.disk.target, self.space.total // 4), self._critical * _CALM)
        return not self._has_less_than(target, _files(self.space, _FEW_FILES, 20))

    @property
    def said(self) -> str:
        space, few = self.space, self.space.inodes
        free, total = sized(space.bytes), sized(space.total)
        if few is None or few > _FEW_FILES:
            return f"{free} of {total} are free on {self.path}"
        return f"{free} of {total} are free, room for {few} more files on {self.path}"

    @property
    def _critical(self) -> float:
        return min(self.disk.critical, self.space.total // 10)

    @property
    def _warn(self) -> float:
        return min(self.disk.warn, self.space.total // 4)

    def _has_less_than(self, size: float, files: float) -> bool:
        few = self.space.inodes is not None and self.space.inodes < files
        return self.space.bytes < size or (few and size > 0)


def _files(space: Space, most: int, share: int) -> float:
    """So many more files must fit; on a small disk, that share of all it can have."""
    return min(most, space.inodes_total // share)


class Room:
    """The file systems of these places; one that hangs is waited for by nobody."""

    def __init__(
        self,
        disk: Disk,
        places: Iterable[str],
        measure: Callable[[str], Space | Failed] = free_space,
        patience: float = PATIENCE,
    ) -> None:
        self.disk = disk
        self.places = tuple(dict.fromkeys(places))
        self._measure = measure
        self._patience = patience
        self._asked: dict[str, asyncio.Future[Space | Failed]] = {}

    async def volumes(self) -> tuple[list[Volume], list[Failed]]:
        """Each file system once, under its first place; and those that gave no answer."""
        answers = await asyncio.gather(*(self._ask(place) for place in self.places))
        found: dict[int, Volume] = {}
        silent = []
        for place, answer in zip(self.places, answers, strict=True):
            if isinstance(answer, Space):
                found.setdefault(answer.device, Volume(place, answer, self.disk))
            elif answer.errno == 0:
                silent.append(answer)
        return list(found.values()), silent

    async def of(self, text: str | None) -> Volume | None:
        """The one on which that path lies; for anything else the one with the smallest share."""
        volumes, _ = await self.volumes()
        path = os.path.join(self.places[0], text) if text else ""
        within = [place for place in self.places if f"{path}/".startswith(f"{place}/")]
        if within:
            answer = await self._ask(max(within, key=len))
            if isinstance(answer, Space):
                return next((one for one in volumes if one.space.device == answer.device), None)
        return min(volumes, key=lambda one: one.space.bytes / (one.space.total or 1), default=None)

    async def _ask(self, place: str) -> Space | Failed:
        """A thread of its own, never two for one place: a dead mount holds one thread, not all."""
        if place not in self._asked:
            self._asked[place] = answer = asyncio.get_running_loop().create_future()
            thread = threading.Thread(
                target=self._answer, args=(place, answer, answer.get_loop()), daemon=True
            )
            thread.start()
        answer = self._asked[place]
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(answer)
        except TimeoutError:
            return Failed(f"{place} does not answer within {self._patience:g} s", 0, place)

    def _answer(
        self,
        place: str,
        answer: asyncio.Future[Space | Failed],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        space = self._measure(place)

        def give() -> None:
            self._asked.pop(place, None)
            answer.set_result(space)

        try:
            loop.call_soon_threadsafe(give)
        except RuntimeError:
            return  # the monitor has ended meanwhile
