"""Locks that say who lives: whoever inherits the descriptor holds it until the last one ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def take(path: Path) -> int | None:
    """The locked descriptor, or None while somebody else holds it; never follows a link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return fd


def is_free(path: Path) -> bool:
    """Whether nobody holds it right now."""
    fd = take(path)
    if fd is None:
        return False
    os.close(fd)
    return True


def holders(path: Path) -> tuple[int, ...]:
    """The processes with the file open, as far as we may see; not ourselves."""
    try:
        wanted = path.stat()
    except OSError:
        return ()
    others = (p for p in Path("/proc").iterdir() if p.name.isdigit() and p.name != str(os.getpid()))
    return tuple(int(process.name) for process in others if _has_open(process, wanted))


def _has_open(process: Path, wanted: os.stat_result) -> bool:
    with contextlib.suppress(OSError):
        for fd in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if os.path.samestat(fd.stat(), wanted):
                    return True
    return False


def sign(fd: int) -> None:
    """Leave our pid in the file, so that a second one can name us."""
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)


def signed_by(path: Path) -> int | None:
    try:
        return int(path.read_text().strip())
    except (OSError, ValueError):
        return None
