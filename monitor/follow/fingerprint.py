"""Knowing a file again by what stands in it, where its inode number alone would lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b

from monitor.model import FileId, Position

HEAD = 1024  # bytes at the start; they grow with the file until there are so many
MARKER = 32  # bytes before the offset; a file rewritten past the old offset differs here
TAIL = 1024  # bytes kept to find the place again in a file that is rewritten for every line
RING = 256  # fewer bytes than this prove nothing: a log may well repeat itself


def digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def before(fd: int, offset: int, count: int) -> bytes:
    """Up to `count` bytes that stand before the offset."""
    count = min(count, offset)
    return os.pread(fd, count, offset - count)


def position_of(fd: int, path: str, id: FileId, offset: int) -> Position:
    head = digest(os.pread(fd, min(HEAD, offset), 0))
    return Position(path, id, offset, head, digest(before(fd, offset, MARKER)))


def is_same(fd: int, position: Position) -> bool:
    """Whether this file begins as the known one did and has its bytes before the offset."""
    if not 0 <= position.offset <= os.fstat(fd).st_size:
        return False
    here = position_of(fd, position.path, position.id, position.offset)
    return here.head == position.head and here.marker == position.marker


@dataclass(frozen=True, slots=True)
class Imprint:
    """What was read of a file, by heart: enough to know it again, whatever stands there now."""

    path: str
    id: FileId
    offset: int
    head: bytes  # its first bytes
    tail: bytes  # the last ones before the offset

    @classmethod
    def of(cls, fd: int, path: str, id: FileId, offset: int) -> Imprint:
        head = os.pread(fd, min(HEAD, offset), 0)
        return cls(path, id, offset, head, before(fd, offset, TAIL))

    @property
    def marker(self) -> bytes:
        return self.tail[-MARKER:]

    @property
    def position(self) -> Position:
        return Position(self.path, self.id, self.offset, digest(self.head), digest(self.marker))

    def then(self, data: bytes) -> Imprint:
        """With these bytes read, too."""
        head = self.head if len(self.head) >= HEAD else (self.head + data[:HEAD])[:HEAD]
        tail = data[-TAIL:] if len(data) >= TAIL else (self.tail + data)[-TAIL:]
        return Imprint(self.path, self.id, self.offset + len(data), head, tail)

    def after_nulls(self, fd: int, count: int) -> Imprint:
        """With so many NUL bytes passed over, most of which may never have been read."""
        head = os.pread(fd, min(HEAD, self.offset + count), 0)
        tail = (self.tail + bytes(min(count, TAIL)))[-TAIL:]
        return Imprint(self.path, self.id, self.offset + count, head, tail)

    def upto(self, offset: int) -> Imprint | None:
        """As it was when less had been read; none when that is too far back."""
        tail = self.tail[: max(0, len(self.tail) - self.offset + offset)]
        if len(tail) < min(MARKER, offset):
            return None
        return Imprint(self.path, self.id, offset, self.head[:offset], tail)

    def stands_in(self, fd: int) -> bool:
        """Whether this file still has the bytes before the offset."""
        return before(fd, self.offset, MARKER) == self.marker

    def is_copied_by(self, fd: int) -> bool:
        """Whether that file is a copy of this one, finished or still being made."""
        size = os.fstat(fd).st_size
        count = min(size, len(self.head))
        if count == 0 or os.pread(fd, count, 0) != self.head[:count]:
            return False
        return size < self.offset or self.stands_in(fd)

    def seen_in(self, content: bytes) -> int:
        """How much of a rewritten file was read before it was rewritten; 0 when it is all new.

        A ring log holds its old lines, moved up, and a new one at the end: the last bytes that
        were read are found again in it. Half of what was read must move up for that, or nothing
        is proved.
        """
        half = self.offset // 2
        known = self.tail[-min(TAIL, half) :] if half >= RING else b""
        if len(known) < RING or len(content) < half:
            return 0
        at = content.find(known)
        return 0 if at < 0 else at + len(known)
