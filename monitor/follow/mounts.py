"""What the mount table says about a place: mounted alone, or on another machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

REMOTE = ("nfs", "cifs", "smb", "9p", "fuse", "ceph", "afs", "gluster", "lustre", "proc", "sysfs")


def is_mounted_alone(path: str) -> bool:
    """Whether this very file is a mount point: it keeps showing the old file after a rename."""
    real = os.path.realpath(path)
    return any(point == real for _, point, _ in _mounts())


def is_remote(folder: str) -> bool:
    """Whether others may write here without the kernel telling us."""
    with suppress(OSError):
        return _is_remote_device(os.stat(folder).st_dev)
    return False


@lru_cache(maxsize=64)
def _is_remote_device(device: int) -> bool:
    """A device number keeps its kind while it is mounted; the table is long and asked for often."""
    number = f"{os.major(device)}:{os.minor(device)}"
    return any(one == number and kind.startswith(REMOTE) for one, _, kind in _mounts())


def _mounts() -> Iterator[tuple[str, str, str]]:
    """Device number, mount point and file system of every mount."""
    with (
        suppress(OSError),
        open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table,
    ):
        for line in table:
            left, _, right = line.partition(" - ")
            fields = left.split(" ")
            yield fields[2], _plain(fields[4]), right.split(" ", 1)[0]


def _plain(point: str) -> str:
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, letter)
    return point
