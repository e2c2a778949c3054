"""The older generations of a log beside it: what a rotation renamed, copied or compressed."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
import zlib
from contextlib import suppress
from dataclasses import dataclass

from monitor.follow.fingerprint import is_same
from monitor.model import FileId, Position

LISTED = 24  # lists at the most until two agree
RENAMED = 8  # times that a file is looked for under its next name
UNPACKED = 256 * 1024 * 1024  # bytes of one .gz that are looked into
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z", ".zip")
ROTATED = re.compile(r"[.\-_~]([\d.\-_T:]*\d[\d.\-_T:]*|old|prev|bak|orig)(\.gz)?", re.ASCII)

NUMBERED = re.compile(r"\.(\d{1,4})(?:\.gz)?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Generation:
    """A file that a rotation left beside the log."""

    path: str
    id: FileId
    size: int
    changed: int  # mtime in nanoseconds

    @property
    def number(self) -> int:
        """The 2 of a.log.2 and of a.log.2.gz; 0 for a name that does not count."""
        counted = NUMBERED.search(self.path)
        return int(counted[1]) if counted else 0

    @property
    def packed(self) -> bool:
        return self.path.endswith(".gz")


def is_generation(path: str, name: str) -> bool:
    """Whether a rotation of `path` gives such a name: a.log.1, a.log-20260131, a.log.2.gz."""
    base = os.path.basename(path)
    return name.startswith(base) and ROTATED.fullmatch(name, len(base)) is not None


class Beside:
    """The older generations of a log, oldest first, as they stood at one moment.

    A folder in which names are shifted while it is listed hides some of them and shows others
    twice: it is listed until two lists agree. `agreed` is False when none did; then all that was
    ever seen is here, and something may be missing.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.agreed = False
        self.found: dict[FileId, Generation] = {}
        self.look()

    def look(self) -> None:
        ever: dict[FileId, Generation] = {}
        before: set[tuple[str, FileId]] = set()
        for number in range(LISTED):
            found = _listed(self.path)
            ever.update((one.id, one) for one in found)
            names = {(one.path, one.id) for one in found}
            self.agreed = number > 0 and names == before
            if self.agreed:
                ever = {one.id: one for one in found}
                break
            before = names
        ordered = sorted(ever.values(), key=lambda one: (one.changed, one.path))
        self.found = {one.id: one for one in ordered}

    def has_hole_before(self, id: FileId) -> bool:
        """Whether a number is missing between the log and this generation."""
        own = self.found[id].number if id in self.found else 0
        return not set(range(1, own)) <= {one.number for one in self.found.values()}

    def open(self, id: FileId) -> int | None:
        """It may be renamed again and again while we look; none when it is gone or out of reach."""
        for _ in range(RENAMED):
            one = self.found.get(id)
            if one is None:
                return None
            with suppress(FileNotFoundError):
                fd = open_file(one.path)
                if id_of(fd) == id:
                    return unpacked(fd) if one.packed else fd
                os.close(fd)
            self.look()
        return None


def _listed(path: str) -> list[Generation]:
    found = []
    with suppress(OSError), os.scandir(os.path.dirname(path) or ".") as entries:
        for entry in entries:
            if is_generation(path, entry.name):
                with suppress(OSError):  # it has another name by now, or none
                    if entry.is_file(follow_symlinks=False):
                        stat = entry.stat(follow_symlinks=False)
                        id = FileId(stat.st_dev, stat.st_ino)
                        found.append(Generation(entry.path, id, stat.st_size, stat.st_mtime_ns))
    return found


def open_file(path: str) -> int:
    """Never waits, as opening a FIFO would, and never makes a terminal ours."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)


def id_of(fd: int) -> FileId:
    found = os.fstat(fd)
    return FileId(found.st_dev, found.st_ino)


def unpacked(fd: int) -> int | None:
    """The contents of a .gz as a file without a name; none when it cannot be read or is too big."""
    with (
        suppress(OSError, EOFError, zlib.error),
        open(fd, "rb") as file,
        gzip.GzipFile(fileobj=file) as packed,
        tempfile.TemporaryFile() as plain,
    ):
        shutil.copyfileobj(_Bounded(packed), plain)
        plain.flush()
        return os.dup(plain.fileno())
    return None


class _Bounded:
    """A source that ends with an error where it grows beyond what anyone would want."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self._source, self._left = source, UNPACKED

    def read(self, count: int = -1, /) -> bytes:
        data = self._source.read(count)
        self._left -= len(data)
        if self._left < 0:
            raise OSError(f"more than {UNPACKED} bytes")
        return data


def copy_of(fd: int, position: Position) -> bool:
    """Whether this file ends where the known one was read to, and is the same up to there."""
    whole = os.fstat(fd).st_size == position.offset
    return position.offset > 0 and whole and is_same(fd, position)
