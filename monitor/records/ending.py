"""How a file of records ends: whole, torn by a write that did not finish, damaged, or not ours."""

from __future__ import annotations

import os
from dataclasses import dataclass

from monitor.records.record import GENESIS, LONGEST, digest, parsed

OPENING = b"[\n"
BETWEEN = b",\n"
GROUP = 64 * 1024  # bytes of one write, but for its last record

_OURS = b'[\n{"seq":'
_WINDOW = 64 * 1024
_LONGEST_WRITE = GROUP + 2 * LONGEST  # more than that no single write of ours has torn


@dataclass(frozen=True, slots=True)
class End:
    """After which byte the next record goes, and what it follows."""

    offset: int
    seq: int
    hash: str
    carried: bool = False  # the last line repeats an older record: its seq is not the newest


@dataclass(frozen=True, slots=True)
class Whole:
    end: End


@dataclass(frozen=True, slots=True)
class Torn:
    end: End
    rest: bytes  # what stands after the last whole record instead of the closing bracket


@dataclass(frozen=True, slots=True)
class Damaged:
    end: End
    why: str


@dataclass(frozen=True, slots=True)
class Foreign:
    why: str


EMPTY = End(len(OPENING), 0, GENESIS)


def closing(offset: int) -> bytes:
    """What follows the last record; the next one is written over it."""
    return b"]\n" if offset == len(OPENING) else b"\n]\n"


def length(end: End) -> int:
    """Bytes of a file that ends so."""
    return end.offset + len(closing(end.offset))


def examine(fd: int) -> Whole | Torn | Damaged | Foreign:
    """Reads only the end of the file, however large it is."""
    size = os.fstat(fd).st_size
    start = os.pread(fd, len(_OURS), 0)
    if not (_OURS.startswith(start) or (OPENING + closing(len(OPENING))).startswith(start)):
        return Foreign(f"it begins with {start!r}")
    base, window = _reaching_a_record(fd, size)
    found = last_whole(window, base)
    if found is None:
        end, rest = EMPTY, window[len(OPENING) :]
    else:
        end, rest = found, window[found.offset - base :]
    if len(rest) > _LONGEST_WRITE:
        return Damaged(end, f"its last {len(rest)} bytes are no records")
    if found and (at := _first_fault(window[: end.offset - base], base)) is not None:
        return Damaged(end, f"what stands from byte {at} on is no record")
    whole = rest == closing(end.offset) and size >= length(EMPTY)
    return Whole(end) if whole else Torn(end, rest)


def last_whole(window: bytes, base: int) -> End | None:
    """The end after the last whole record in these bytes, which begin at `base` in the file."""
    stop = len(window)
    while stop > 0:
        start = window.rfind(b"\n", 0, stop) + 1
        if start == 0 and base > 0:
            return None  # the line begins before the window
        line = window[start : window.rfind(b"}", start, stop) + 1]
        if (record := parsed(line)) is not None:
            seq, carried = record["seq"], record.get("carried") is True
            assert isinstance(seq, int)
            return End(base + start + len(line), seq, digest(line), carried)
        stop = start - 1
    return None


def _reaching_a_record(fd: int, size: int) -> tuple[int, bytes]:
    """The last bytes of the file, as many as it takes to hold a whole record."""
    span = _WINDOW
    while True:
        base = max(0, size - span)
        window = os.pread(fd, size - base, base)
        if base == 0 or last_whole(window, base) is not None:
            return base, window
        span *= 4


def _first_fault(window: bytes, base: int) -> int | None:
    """Where the first line stands that is no record, though a whole one comes after it."""
    first, *lines = window.split(b"\n")  # the opening bracket, or the rest of a line
    at = base + len(first) + 1
    for line in lines[:-1]:
        if not line.endswith(b"},") or parsed(line[:-1]) is None:
            return at
        at += len(line) + 1
    return None
