"""The files of the records as files: opened without following anything, made whole, set aside."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from monitor.records.ending import BETWEEN, OPENING, End, closing, length

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_MODE = 0o640
_KEPT_ASIDE = 5  # of what was torn, and of what was not ours


class Refused(Exception):  # noqa: N818
    """What stands there is no file that we may write."""


def open_regular(path: Path) -> int:
    """A file of ours for reading and writing; never a link, a pipe or what has a second name."""
    try:
        fd = os.open(path, _FLAGS | os.O_CREAT, _MODE)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise Refused(f"{path} is a link or no file: {error.strerror}") from error
        raise
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(fd)
        what = "has a second name" if stat.S_ISREG(found.st_mode) else "is not a file"
        raise Refused(f"{path} {what}")
    with suppress(PermissionError):  # it belongs to somebody else, who lets us write
        os.fchmod(fd, _MODE)
    return fd


def is_at(path: Path, fd: int) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False


def make(path: Path, lines: Sequence[bytes]) -> int:
    """A whole file with these records, on disk."""
    with suppress(FileNotFoundError):
        path.unlink()
    data = OPENING + BETWEEN.join(lines) + closing(-1 if lines else len(OPENING))
    fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        os.fchmod(fd, _MODE)
        if os.pwrite(fd, data, 0) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(fd)
    except OSError:
        os.close(fd)
        path.unlink()
        raise
    return fd


def close_after(fd: int, end: End) -> None:
    """The array ends after that record, on disk; what stood behind it is cut."""
    data = OPENING * (end.offset == len(OPENING)) + closing(end.offset)
    if os.pwrite(fd, data, length(end) - len(data)) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.ftruncate(fd, length(end))
    os.fsync(fd)


def set_aside(path: Path, at: float) -> Path:
    """Something that is not ours gets out of the way, whole."""
    aside = _free_name(path, "broken", at)
    os.rename(path, aside)
    sync_folder(path)
    _forget_old(aside, path, "broken")
    return aside


def keep_rest(path: Path, rest: bytes, at: float) -> Path:
    """The torn end of a file, in one of its own and on disk; all of it or none."""
    aside = _free_name(path, "torn", at)
    fd = os.open(aside, _FLAGS | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        if os.write(fd, rest) < len(rest):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(fd)
    except OSError:
        aside.unlink()
        raise
    finally:
        os.close(fd)
    _forget_old(aside, path, "torn")
    return aside


def sync_folder(path: Path) -> None:
    """The names in it are on disk."""
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _forget_old(newest: Path, path: Path, word: str) -> None:
    """With this one only the four that came before it are kept."""
    form = re.compile(re.escape(f"{path.name}.{word}-") + r"\d+(?:-\d+)?")
    with suppress(OSError):
        others = [each for each in path.parent.iterdir() if form.fullmatch(each.name)]
        others.remove(newest)
        others.sort(key=lambda each: each.lstat().st_ctime_ns)
        for old in others[: 1 - _KEPT_ASIDE]:
            old.unlink()


def _free_name(path: Path, word: str, at: float) -> Path:
    aside, number = path.with_name(f"{path.name}.{word}-{int(at)}"), 0
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.{word}-{int(at)}-{number}")
    return aside
