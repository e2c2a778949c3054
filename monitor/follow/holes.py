"""The NUL bytes that a truncation leaves before what a writer goes on to write at its old place."""

from __future__ import annotations

import errno
import os


def nulls_from(fd: int, place: int, most: int) -> tuple[int, bool] | None:
    """Up to where they are known to go, and whether something stands there; none at the file's end.

    A hole is skipped without being read; of NUL bytes that were written, `most` are looked at.
    """
    try:
        place = os.lseek(fd, place, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return None
    body = os.pread(fd, most, place)
    nulls = len(body) - len(body.lstrip(b"\0"))
    return (place + nulls, nulls < len(body)) if body else None
