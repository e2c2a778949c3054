"""The quarantine of a home: a folder on each file system that has roots, and one list of them.

A file is renamed into the folder on its own file system, so that putting it away needs no
room but for its note.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from monitor.safe.paths import QUARANTINE
from monitor.safe.quarantine import Entry, Quarantine
from monitor.safe.root_helper import Failed, Place, Refused, outcome
from monitor.safe.shelf import folders_in, shelf


class Shelves:
    """All that was put away in a home, wherever it lies."""

    def __init__(
        self,
        main: Path,
        owners: frozenset[int] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._main = main
        self._owners = owners
        self._clock = clock

    def put(self, place: Place, cause: str, incident: str = "") -> Entry | Refused | Failed:
        """The file is in the folder nearest to it, which is known before anything lies in it."""
        folder = self._nearest(place)
        if folder != self._main:
            known = outcome(lambda: self._remember(folder))
            if isinstance(known, Refused | Failed):
                return known
        return self._at(folder, self._owners).put(place, cause, incident)

    def entries(self) -> tuple[Entry, ...] | Refused | Failed:
        """Oldest first; what lies on a disk that is away is missing."""
        return self._all(Quarantine.entries)

    def show(self, id: str) -> Entry | Refused | Failed:
        return self._of(id).show(id)

    def restore(self, id: str) -> Entry | Refused | Failed:
        return self._of(id).restore(id)

    def purge(self, id: str) -> Entry | Refused | Failed:
        return self._of(id).purge(id)

    def purge_older(
        self, seconds: float, device: int | None = None
    ) -> tuple[Entry, ...] | Refused | Failed:
        """What is older is gone for good, everywhere or on that file system."""
        return self._all(lambda each: each.purge_older(seconds), device)

    def recover(self) -> tuple[Entry, ...] | Refused | Failed:
        """What a crash left half done, in every folder."""
        return self._all(Quarantine.recover)

    def _at(self, folder: Path, owners: frozenset[int]) -> Quarantine:
        keeper = None if folder == self._main else os.lstat(self._main).st_uid
        return Quarantine(folder, owners, self._clock, keeper=keeper)

    def _nearest(self, place: Place) -> Path:
        root = Path(place.root.path)
        return self._main if _device(root) == _device(self._main) else root / QUARANTINE

    def _remember(self, folder: Path) -> None:
        with shelf(self._main, self._owners, make=True, lock=True) as on:
            known = folders_in(on)
            if known.get(str(folder)) != self._owners:
                on.list_folders(known | {str(folder): self._owners})

    def _folders(self) -> Iterator[tuple[Path, Quarantine]]:
        """The main one first; others only while they are there, for none is made by looking."""
        yield self._main, self._at(self._main, self._owners)
        listed = outcome(self._listed)
        if not isinstance(listed, Refused | Failed):
            for path, owners in listed.items():
                if Path(path).is_dir():
                    yield Path(path), self._at(Path(path), owners | self._owners)

    def _listed(self) -> dict[str, frozenset[int]]:
        with shelf(self._main, self._owners, make=False, lock=False) as on:
            return folders_in(on)

    def _all(
        self,
        ask: Callable[[Quarantine], tuple[Entry, ...] | Refused | Failed],
        device: int | None = None,
    ) -> tuple[Entry, ...] | Refused | Failed:
        found: list[Entry] = []
        for folder, quarantine in self._folders():
            if device is not None and _device(folder) != device:
                continue
            answer = ask(quarantine)
            if not isinstance(answer, Refused | Failed):
                found += answer
            elif folder == self._main:
                return answer
        return tuple(sorted(found, key=lambda entry: entry.id))

    def _of(self, id: str) -> Quarantine:
        """The folder in which it lies; the main one says that there is no such thing."""
        every = [quarantine for _, quarantine in self._folders()]
        return next((one for one in every if isinstance(one.show(id), Entry)), every[0])


def _device(path: Path) -> int:
    """Of the path, or of the first folder above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.stat(path).st_dev
