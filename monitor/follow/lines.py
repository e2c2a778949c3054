"""Which of the bytes that were read are handed out together, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.follow.encoding import Encoding

LINE_CAP = 64 * 1024  # bytes of one line; what is longer is cut, and said


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines."""

    end: int
    more: bool  # what follows does not come in one piece with them


@dataclass(frozen=True, slots=True)
class TooLong:
    """The first line is longer than the cap, whether its end is here or not."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """No line has its end here."""


def first_piece(
    data: bytearray, low: int, high: int, new: int, encoding: Encoding
) -> Lines | TooLong | Unfinished:
    """What data[low:high] begins with; new lines start at `new`, old ones stand before it."""
    end, more = encoding.last(data, low, high), False
    null = data.find(0, low, end) if encoding.is_bytes else -1
    if null >= 0:
        # A hole may follow a line: the line comes alone, the hole is skipped at the next read.
        end, more = _before(data, low, null, end, encoding), True
    if low < new < end:
        end, more = _before(data, low, new, end, encoding), True
    long = encoding.overlong(data, low, end, LINE_CAP)
    if long == low or (end == low and high - low > LINE_CAP):
        return TooLong()
    if long > low:
        return Lines(long, more=True)
    return Lines(end, more) if end > low else Unfinished()


def _before(data: bytearray, low: int, border: int, last: int, encoding: Encoding) -> int:
    """Where the lines before the border end, or the one that stands across it."""
    end = encoding.last(data, low, border)
    return end if end > low else encoding.first(data, low, last)


def line_at(offset: int, before: bytes, encoding: Encoding) -> tuple[int, bool]:
    """Where the line that goes on at the offset starts, and whether it is longer than the cap.

    `before` is what stands there, at most as much as a line may have.
    """
    odd = (len(before) - offset) % len(encoding.newline)
    unfinished = len(before) - encoding.last(before, odd, len(before))
    if unfinished >= LINE_CAP - 1:
        return offset, True
    return offset - unfinished + (len(encoding.bom) if unfinished == offset else 0), False


def told_before(data: bytearray, low: int, given: int, last: int, encoding: Encoding) -> int:
    """How much of data[low:last] says nothing new after a line of which `given` bytes were told.

    A line that got nothing more than its end does not come again.
    """
    end = encoding.first(data, low + given, last)
    rest = bytes(data[low + given : end])
    return 0 if rest.replace(b"\0", b"").strip(b"\r\n") else end - low


def texts(start: int, data: bytes, encoding: Encoding) -> Iterator[tuple[int, int, bytes]]:
    """In UTF-8, with start and end; line by line where it was not, so that both are the file's."""
    if encoding.is_bytes:
        yield start, start + len(data), data
        return
    low = 0
    while low < len(data):
        end = encoding.first(data, low, len(data))
        end = len(data) if end == low else end
        yield start + low, start + end, encoding.utf8(data[low:end])
        low = end
