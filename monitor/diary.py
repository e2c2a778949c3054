"""`logs/monitor.log`: what the monitor did, for people; one line each, redacted, rotated."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from monitor.model import FileId
from monitor.redact import printable, redact


class Diary:
    """Appends lines; survives its file being moved or deleted, and a full disk."""

    def __init__(self, path: Path, size: int = 5 << 20, keep: int = 5) -> None:
        self._path = path
        self._size = size
        self._keep = keep
        self._fd = -1
        self.missed = 0  # lines that a full or broken disk did not take

    def write(self, level: str, text: str) -> str:
        """Write one line and give it back as it was written, without its end."""
        at = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
        line = f"{at.replace('+00:00', 'Z')} {level:<7} {_one_line(text)}"
        data = f"{line}\n".encode(errors="replace")
        try:
            taken = os.write(self._open(), data)
            if taken < len(data):  # the disk is full: no half line stays for the next to hang on
                self.missed += 1
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - taken)
        except OSError:
            self.missed += 1
        return line

    @property
    def id(self) -> FileId | None:
        """Which file it is now, so that nobody follows our own words."""
        if self._fd < 0:
            return None
        status = os.fstat(self._fd)
        return FileId(status.st_dev, status.st_ino)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> int:
        """The descriptor of the file that stands at our path now, with room in it."""
        if self._fd >= 0:
            mine = os.fstat(self._fd)
            if not _same_file(self._path, mine):
                self.close()
            elif mine.st_size >= self._size:
                with contextlib.suppress(OSError):  # too large is better than silent
                    self._rotate()
        if self._fd < 0:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            never_wait = os.O_NOFOLLOW | os.O_NONBLOCK  # nor go elsewhere: a link, a pipe
            self._fd = os.open(self._path, flags | never_wait, 0o640)
        return self._fd

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
        os.replace(self._path, f"{self._path}.1")


def _same_file(path: Path, mine: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), mine)
    except OSError:
        return False


def _one_line(text: str) -> str:
    return printable(redact(text)).replace("\n", "\\n")
