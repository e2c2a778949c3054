"""The end of a file, without reading the rest of it."""

from __future__ import annotations

import os
import stat
from collections import deque
from pathlib import Path

_BLOCK = 64 << 10
_MOST = 4 << 20  # bytes that are looked through: a line may have no end


def last_lines(path: Path, count: int) -> list[bytes]:
    """The last lines of a regular file of any size, also one that has no end yet."""
    if count <= 0:
        return []
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "it is not a file")
        end = file.seek(0, os.SEEK_END)
        data = b""
        while end > 0 and data.count(b"\n") <= count and len(data) < _MOST:
            start = max(0, end - _BLOCK)
            file.seek(start)
            data = file.read(end - start) + data
            end = start
    return list(deque(data.splitlines(), count))
