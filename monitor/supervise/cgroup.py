"""A control group of our own for a child, where the system lets us have one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Group:
    """One child's control group (v2): who is in it, and an end for all of them at once."""

    path: Path

    def add(self, pid: int) -> bool:
        return _write(self.path / "cgroup.procs", str(pid))

    def pids(self) -> tuple[int, ...]:
        try:
            return tuple(int(pid) for pid in (self.path / "cgroup.procs").read_text().split())
        except OSError:
            return ()

    def kill(self) -> None:
        """KILL to every process inside, at once; kernels before 5.14 lack it."""
        _write(self.path / "cgroup.kill", "1")

    def freeze(self, frozen: bool) -> bool:
        """Stop or continue all of it without a signal that a program could notice."""
        return _write(self.path / "cgroup.freeze", str(int(frozen)))

    def is_frozen(self) -> bool:
        try:
            return "frozen 1" in (self.path / "cgroup.events").read_text()
        except OSError:
            return False

    def remove(self) -> None:
        """It goes when nobody is in it; otherwise it stays and is found again."""
        with contextlib.suppress(OSError):
            self.path.rmdir()


def make(mark: str) -> Group | None:
    """A group below our own, or none: most systems give one only to root or by `Delegate=yes`."""
    group = find(mark)
    if group is None:
        return None
    try:
        group.path.mkdir(exist_ok=True)
    except OSError:
        return None
    return group if os.access(group.path / "cgroup.procs", os.W_OK) else None


def find(mark: str) -> Group | None:
    """Where the group of that child is or would be: the next monitor finds it under the same name."""
    here = _ours()
    if here is None or not _is_ours_to_divide(here):
        return None
    return Group(here / f"vigia-{hashlib.blake2b(os.fsencode(mark), digest_size=8).hexdigest()}")


def _ours() -> Path | None:
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
        inside = Path("/proc/self/cgroup").read_text()
    except OSError:
        return None
    mount = re.search(r"^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 ", mounts, re.MULTILINE)
    group = re.search(r"^0::(/.*)$", inside, re.MULTILINE)
    return Path(mount[1] + group[1]) if mount and group else None


def _is_ours_to_divide(path: Path) -> bool:
    """What systemd delegates it marks; the root of a container's tree has no other owner."""
    for mark in ("trusted.delegate", "user.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(path, mark) == b"1":
                return True
    return not (path / "cgroup.events").exists()


def _write(file: Path, text: str) -> bool:
    try:
        file.write_text(text)
    except OSError:
        return False
    return True
