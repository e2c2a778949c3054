"""Knowing a file again by what stands in it, where its inode number alone would lie."""

from __future__ import annotations

import os
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


def seen_before(content: bytes, tail: bytes, offset: int) -> int:
    """How much of a rewritten file was read before it was rewritten; 0 when it is all new.

    A ring log holds its old lines, moved up, and a new one at the end: the last bytes that were
    read are found again in it. Half of what was read must move up for that, or nothing is proved.
    """
    known = tail[-min(TAIL, offset // 2) :] if offset >= 2 * RING else b""
    if len(known) < RING or len(content) < offset // 2:
        return 0
    at = content.find(known)
    return 0 if at < 0 else at + len(known)
