"""Our own direct children: those we started, and the orphans of theirs that came to us."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_MOMENT = 0.25


class Family:
    """Who was started by us is waited for by its starter; everybody else is reaped here."""

    def __init__(self) -> None:
        self.started: set[int] = set()
        self.helpers: set[int] = set()  # ours as well, but no child that is watched over
        self.reaped = 0
        self._dead: set[int] = set()
        self._later: asyncio.TimerHandle | None = None

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
        return tuple(pid for pid in _children_of_ours() if pid not in self.started | self.helpers)

    def child_died(self) -> None:
        """Reap in a moment: one SIGCHLD may stand for many, and they come in crowds."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(_MOMENT, self._reap_later)

    def _reap_later(self) -> None:
        self._later = None
        try:
            self.reap()
        except OSError:  # no descriptor left to look with: look again
            self.child_died()
        if self._dead:
            self.child_died()

    def reap(self) -> None:
        """Take away the strangers that were dead at the last look already.

        A thread of ours that waits for a process it started itself takes it within that moment.
        """
        dead = {pid for pid in self.strangers() if _is_dead(pid)}
        for pid in dead & self._dead:
            with contextlib.suppress(ChildProcessError):
                self.reaped += os.waitpid(pid, os.WNOHANG)[0] == pid
        self._dead = dead - self._dead


def _is_dead(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat[stat.rindex(b")") + 2 :][:1] == b"Z"


def _children_of_ours() -> set[int]:
    """Those of the first thread: orphans come to it, and another one's children are its own affair."""
    with contextlib.suppress(OSError):
        fd = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY | os.O_CLOEXEC)
        with open(fd, "rb", buffering=0) as children:
            return {int(pid) for pid in children.read().split()}
    return set()
