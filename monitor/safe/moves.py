"""Moving exactly the file that was looked at, and never over another one."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import os
import signal
from contextlib import suppress
from pathlib import Path

from monitor.safe.root_helper import Refusal, Walked, shown

_NOREPLACE = 1
_UNABLE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


class Displaced(Refusal):
    """Something else was moved, and its own name is taken by now: it stays where it was moved to."""


def rename_new(source: int, name: str, target: int, new: str) -> None:
    """Rename between two held folders; raises FileExistsError when the new name is taken."""
    if not _renameat2(source, name, target, new):
        os.link(name, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        os.unlink(name, dir_fd=source)


def _renameat2(source: int, name: str, target: int, new: str) -> bool:
    """False where the file system or the C library does not have it."""
    call = _rename_call()
    if call is None:
        return False
    if call(source, os.fsencode(name), target, os.fsencode(new), _NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNABLE:
        return False
    raise OSError(number, os.strerror(number), name)


@functools.cache
def _rename_call() -> ctypes._NamedFuncPointer | None:
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is not None:
        call.argtypes = (*(ctypes.c_int, ctypes.c_char_p) * 2, ctypes.c_uint)
    return call


def move_exactly(at: Walked, target: int, new: str) -> None:
    """Move what is held, or nothing: what was moved instead of it goes back at once."""
    name = at.place.parts[-1]
    rename_new(at.folder, name, target, new)
    if is_same(os.stat(new, dir_fd=target, follow_symlinks=False), at.found):
        return
    try:
        rename_new(target, new, at.folder, name)
    except FileExistsError:
        raise Displaced(f"{shown(at.place.path)} was exchanged while it was moved") from None
    raise Refusal(f"{shown(at.place.path)} was exchanged while it was moved")


def is_same(one: os.stat_result, other: os.stat_result) -> bool:
    return os.path.samestat(one, other)


def sync_folder(folder: int) -> None:
    """What was renamed in a held folder is on disk; a folder that we cannot read is left to its time."""
    with suppress(PermissionError):
        real = os.open(f"/proc/self/fd/{folder}/.", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(real)
        finally:
            os.close(real)


def is_open(at: Walked) -> bool:
    """Whether a process has the held file open, or we cannot know that none has.

    The kernel grants a write lease only on a file that nobody else has open.
    """
    try:
        fd = os.open(at.handle, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except PermissionError:
        return is_seen_open(at.found)
    try:
        # Who opens it meanwhile makes the kernel signal us: with one that does no harm.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:  # no leases here (a network file system), or the file is not ours
        os.close(fd)
        fd = -1
        return is_seen_open(at.found)
    finally:
        if fd >= 0:
            os.close(fd)
    return False


def is_seen_open(found: os.stat_result) -> bool:
    """The same from /proc; a process that we may not look into might have it open."""
    return any(
        _has_open(process, found) for process in Path("/proc").iterdir() if process.name.isdigit()
    )


def _has_open(process: Path, found: os.stat_result) -> bool:
    try:
        descriptors = list((process / "fd").iterdir())
    except PermissionError:
        return True
    except OSError:  # it has ended
        return False
    return any(_is_it(process, fd, found) for fd in descriptors)


def _is_it(process: Path, fd: Path, found: os.stat_result) -> bool:
    with suppress(OSError):
        return is_same(fd.stat(), found) and not _is_path_only(process / "fdinfo" / fd.name)
    return False


def _is_path_only(info: Path) -> bool:
    """Whether a descriptor only names the file, as the ones of our own walk do."""
    lines = info.read_text().splitlines()
    flags = next(line.split()[1] for line in lines if line.startswith("flags:"))
    return bool(int(flags, 8) & os.O_PATH)
