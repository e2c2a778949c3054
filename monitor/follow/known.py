"""Which files were read: those that are open, and how far the others were."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from monitor.follow.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.model import FileId, Position

RECENT = 16  # files closed last
CLOSED = 256  # files no longer open of which the place is remembered


class Known:
    """Remembers every file by its number; a name may have had many of them."""

    def __init__(self, positions: Iterable[Position]) -> None:
        self.open: dict[FileId, Tail] = {}
        self.closed = {one.id: one for one in positions}  # the one read last comes last
        self.paths = {one.path for one in self.closed.values()}  # at the start
        self.lately_closed: deque[Position] = deque(maxlen=RECENT)  # to be saved once more
        self._current: dict[str, Tail] = {}

    def closed_at(self, path: str) -> list[Position]:
        """Those that had this name, the one read last at the end."""
        return [one for one in self.closed.values() if one.path == path]

    def is_last(self, known: Position) -> bool:
        """Whether no file of its name was read after it."""
        return self.closed_at(known.path)[-1].id == known.id

    def current(self, path: str) -> Tail | None:
        """The last of the files that had this name, if it is still open."""
        tail = self._current.get(path)
        return tail if tail and self.open.get(tail.id) is tail else None

    def is_current(self, tail: Tail) -> bool:
        """Whether it is the last of those that had its name."""
        return self._current.get(tail.path) is tail

    def make_current(self, tail: Tail) -> None:
        self._current[tail.path] = tail

    def follow(self, fd: int, path: str, id: FileId, offset: int, now: float) -> Tail:
        """A generation to be read on from there: no name that is followed leads to it any more."""
        tail = Tail(fd, path, id, offset, now=now)
        tail.detached = now
        self.open[id] = tail
        return tail

    def forget(self, tail: Tail) -> None:
        """Let go of an open file; how far it was read is remembered while it has a name."""
        if (position := tail.position()) and tail.links:
            self.remember(position)
        del self.open[tail.id]
        os.close(tail.fd)

    def remember(self, position: Position) -> None:
        self.closed.pop(position.id, None)
        self.closed[position.id] = position
        self.lately_closed.append(position)
        while len(self.closed) > CLOSED:
            self.closed.pop(next(iter(self.closed)))
