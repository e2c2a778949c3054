"""Containers, as far as a cut file shows in them; the floor that needs nothing installed."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.model import BrokenFileError

Range = tuple[int, int]
_TAIL = 64 << 10


@dataclass(frozen=True, slots=True)
class Container:
    """What the outside says. `dense` are the ranges in which no long run of zeros belongs."""

    moving: bool = False
    dense: tuple[Range, ...] = ()
    duration: float = 0.0
    width: int = 0
    height: int = 0


class _WrongError(Exception):
    pass


Check = Callable[[BinaryIO, int], Container]


def check(path: Path) -> Container | None:
    """None for a kind of file that is not known here; BrokenFileError when its name says one of
    ours and its content does not.
    """
    wanted = _BY_SUFFIX.get(path.suffix.lower())
    if wanted is None:
        return None
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            return wanted(file, size)
        except (_WrongError, struct.error) as error:
            raise BrokenFileError(str(path), f"truncated or invalid: {error}") from None


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of an MP4 from `start` to `end`: kind, where the inside begins and ends."""
    at = start
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        inside = at + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            inside = at + 16
        elif size == 0:
            size = end - at
        if size < inside - at:
            raise _WrongError(f"a box of {size} bytes at {at}")
        if at + size > end:
            name = kind.decode("latin-1")
            raise _WrongError(f"its {name!r} needs {at + size} bytes and there are {end}")
        yield kind, inside, at + size
        at += size
    if at != end:
        raise _WrongError(f"{end - at} bytes after its last box")


def _mp4(file: BinaryIO, size: int) -> Container:
    kinds: set[bytes] = set()
    dense, duration = [], 0.0
    for kind, start, end in _boxes(file, 0, size):
        if not kinds and kind not in {
            b"ftyp",
            b"moov",
            b"mdat",
            b"free",
            b"skip",
            b"wide",
            b"pnot",
        }:
            raise _WrongError("it is no MP4")
        kinds.add(kind)
        if kind == b"mdat":
            dense.append((start, end))
        elif kind == b"moov":
            duration = _movie_length(file, start, end)
    if not kinds & {b"moov", b"moof"}:
        raise _WrongError("it has no index (moov)")
    if b"mdat" not in kinds:
        raise _WrongError("it has no data (mdat)")
    return Container(moving=True, dense=tuple(dense), duration=duration)


def _movie_length(file: BinaryIO, start: int, end: int) -> float:
    for kind, at, _ in _boxes(file, start, end):
        if kind == b"mvhd":
            file.seek(at)
            head = file.read(32)
            if head[0] == 1:
                scale, units = struct.unpack(">IQ", head[20:32])
            else:
                scale, units = struct.unpack(">II", head[12:20])
            return units / scale if scale else 0.0
    return 0.0


def _jpeg(file: BinaryIO, size: int) -> Container:
    """From its first mark to its last; some cameras leave something after it."""
    if file.read(3) != b"\xff\xd8\xff":
        raise _WrongError("it is no JPEG")
    at, width, height = 2, 0, 0
    while at + 4 <= size:
        file.seek(at)
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or length < 2:
            raise _WrongError(f"no segment at {at}")
        if kind in {0xC0, 0xC1, 0xC2, 0xC3} and length >= 7:
            _, height, width = struct.unpack(">BHH", file.read(5))
        at += 2 + length
        if kind == 0xDA:  # from here on it is the picture
            break
    else:
        raise _WrongError("it ends before its picture")
    if b"\xff\xd9" not in _tail(file, size, at):
        raise _WrongError("it has no end mark")
    return Container(dense=((at, size),), width=width, height=height)


def _png(file: BinaryIO, size: int) -> Container:
    if file.read(8) != b"\x89PNG\r\n\x1a\n":
        raise _WrongError("it is no PNG")
    at, width, height = 8, 0, 0
    while at + 12 <= size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        if at + 12 + length > size:
            raise _WrongError(f"a chunk of {length} bytes at {at} goes beyond its end")
        found, left = zlib.crc32(kind), length
        while data := file.read(min(_TAIL, left)):  # a chunk may be as long as the file
            if kind == b"IHDR" and left == length:
                width, height = struct.unpack(">II", data[:8])
            found, left = zlib.crc32(data, found), left - len(data)
        (crc,) = struct.unpack(">I", file.read(4))
        if found != crc:
            raise _WrongError(f"the chunk at {at} has another checksum")
        if kind == b"IEND":
            return Container(width=width, height=height)
        at += 12 + length
    raise _WrongError("it has no end chunk")


def _pdf(file: BinaryIO, size: int) -> Container:
    if b"%PDF-" not in file.read(1024):
        raise _WrongError("it is no PDF")
    if b"%%EOF" not in _tail(file, size, 0):
        raise _WrongError("it has no end mark (%%EOF)")
    return Container()


def _riff(file: BinaryIO, size: int) -> Container:
    mark, length = struct.unpack("<4sI", file.read(8))
    kind = file.read(4)
    if mark != b"RIFF":
        raise _WrongError("it is no RIFF file")
    if length + 8 > size:
        raise _WrongError(f"it needs {length + 8} bytes and there are {size}")
    return Container(moving=kind in {b"AVI ", b"WAVE"})


def _gif(file: BinaryIO, size: int) -> Container:
    head = file.read(10)
    if head[:6] not in {b"GIF87a", b"GIF89a"}:
        raise _WrongError("it is no GIF")
    if b"\x3b" not in _tail(file, size, 0)[-64:]:
        raise _WrongError("it has no end mark")
    width, height = struct.unpack("<HH", head[6:10])
    return Container(width=width, height=height)


def _matroska(file: BinaryIO, size: int) -> Container:
    if file.read(4) != b"\x1a\x45\xdf\xa3":
        raise _WrongError("it is no Matroska or WebM file")
    return Container(moving=True, dense=((4096, size),))


def _tail(file: BinaryIO, size: int, least: int) -> bytes:
    file.seek(max(least, size - _TAIL))
    return file.read(_TAIL)


_BY_SUFFIX: dict[str, Check] = {
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".m4a"), _mp4),
    **dict.fromkeys((".jpg", ".jpeg"), _jpeg),
    **dict.fromkeys((".webm", ".mkv"), _matroska),
    **dict.fromkeys((".webp", ".avi", ".wav"), _riff),
    ".png": _png,
    ".gif": _gif,
    ".pdf": _pdf,
}
