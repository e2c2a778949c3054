"""Room kept on the disk for the records that matter most: those written when it is full."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SIZE = 256 * 1024


class Ballast:
    """A file that is there for nothing but to be deleted."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path
        self._size = size
        self._there = False

    def make(self) -> None:
        """It is there when twice its size was free; without room, another time."""
        if self._there:
            return
        with suppress(OSError):
            if self._path.exists() or self._free() >= 2 * self._size:
                self._there = self._fill()

    def free(self) -> bool:
        """Whether there was something to give away, which now is room."""
        self._there = False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _free(self) -> int:
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize

    def _fill(self) -> bool:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(self._path, flags, 0o640)
        try:
            os.posix_fallocate(fd, 0, self._size)
        except OSError:
            self._path.unlink()
            return False
        finally:
            os.close(fd)
        return True
