"""Which files are copies of others that were read, and how much of a copy that was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from monitor.follow.fingerprint import is_same
from monitor.follow.generations import is_generation

if TYPE_CHECKING:
    from monitor.follow.fingerprint import Imprint
    from monitor.follow.generations import Beside
    from monitor.follow.known import Known
    from monitor.follow.tail import Tail
    from monitor.model import FileId, Position

REWRITES = 16  # former contents that are remembered, to know their copies


class Copies:
    """Remembers what stood in files that were copied and then emptied."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._rewritten: list[Imprint] = []
        self._mismatched: list[Position] = []

    def emptied(self, former: Imprint) -> None:
        """This stood in a file while it was read."""
        self._rewritten.append(former)
        del self._rewritten[:-REWRITES]

    def mismatched(self, known: Position) -> None:
        """This stood in a file that was rewritten while nobody read it."""
        self._mismatched.append(known)
        del self._mismatched[:-REWRITES]

    def claim(self, tail: Tail) -> bool:
        """Whether a rotation copied a followed file here: only its unread rest is new."""
        folder, name = os.path.split(tail.path)
        of = {one for one in self._paths() if os.path.dirname(one) == folder}
        of = {one for one in of if is_generation(one, name)}
        upto = self.read_upto(tail.fd, of)
        if upto is not None:
            tail.cursor.go(upto)
            return True
        for other in self._known.open.values():
            current = other.path in of and self._known.is_current(other)
            if current and other.cursor.imprint.is_copied_by(tail.fd):
                tail.copies(other)
                return True
        return False

    def _paths(self) -> set[str]:
        known = [*self._mismatched, *self._known.closed.values()]
        return {
            *(one.path for one in known),
            *(former.path for former in self._rewritten),
            *(tail.path for tail in self._known.open.values()),
        }

    def read_upto(self, fd: int, paths: set[str]) -> int | None:
        """How much of a copy was read before its original was emptied; none when it is no copy."""
        upto = [
            known.offset
            for known in (*self._mismatched, *self._known.closed.values())
            if known.path in paths and known.offset and is_same(fd, known)
        ]
        size = os.fstat(fd).st_size
        upto += [
            min(former.offset, size)
            for former in self._rewritten
            if former.path in paths and former.is_copied_by(fd)
        ]
        return max(upto, default=None)

    def furthest(self, fd: int, known: Position, path: str) -> int:
        """A file saved over another may have the inode of one that was saved over before it."""
        return max(known.offset, self.read_upto(fd, {known.path, path}) or 0)

    def is_another(self, fd: int, id: FileId, known: Position, beside: Beside) -> bool:
        """Whether it was saved over the known one and read further, or is a copy of what was."""
        own = self._known.closed.get(id)
        if own is not None and own.offset > known.offset and is_same(fd, own):
            return True
        # One that still has its own name was not copied here; a log may well repeat itself.
        return any(
            one.offset > known.offset and is_same(fd, one) and not _has_own_name(one, beside)
            for one in self._known.closed_at(known.path)
        )


def _has_own_name(known: Position, beside: Beside) -> bool:
    """Its number alone may be that of another by now."""
    fd = beside.open(known.id)
    if fd is None:
        return False
    try:
        return is_same(fd, known)
    finally:
        os.close(fd)
