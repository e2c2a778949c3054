"""Our own direct children: those we started, and the orphans of theirs that came to us."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


class Family:
    """Who was started by us is waited for by its starter; everybody else is reaped here."""

    def __init__(self) -> None:
        self.started: set[int] = set()
        self.reaped = 0

    @staticmethod
    def become_reaper() -> bool:
        """From now on orphaned descendants come to us instead of to init."""
        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)

    def add(self, pid: int) -> None:
        self.started.add(pid)

    def remove(self, pid: int) -> None:
        self.started.discard(pid)

    def strangers(self) -> tuple[int, ...]:
        """Direct children that we did not start, the dead ones among them included."""
        return tuple(pid for pid in _children_of_ours() if pid not in self.started)

    def reap(self) -> None:
        """Take away the dead strangers; one SIGCHLD may stand for many of them."""
        for pid in self.strangers():
            with contextlib.suppress(ChildProcessError):
                self.reaped += os.waitpid(pid, os.WNOHANG)[0] == pid


def _children_of_ours() -> set[int]:
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):
            found |= {int(p) for p in Path(f"/proc/self/task/{task}/children").read_text().split()}
    return found
