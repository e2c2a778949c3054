"""Everything that descends from one child, also what left its session or its parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from monitor.supervise.cgroup import Group

GONE = (psutil.NoSuchProcess, ProcessLookupError)
_LISTS = os.path.exists("/proc/thread-self/children")  # not every kernel keeps them
_PAUSE_WAIT = 0.25  # a process deep in a disk wait stops later than this: try another time


class Tree:
    """One child's processes: by descent, by control group, and by the mark in their environment.

    Descent is lost when a parent ends, the mark when a program clears its environment, the group
    where the system gives us none; who was seen once is remembered, so one of them is enough.
    """

    def __init__(self, roots: Iterable[int], mark: str, group: Group | None = None) -> None:
        self._mark = f"VIGIA_CHILD={mark}".encode() if mark else b""
        self._group = group
        self._seen: dict[int, psutil.Process] = {}
        self._paused: list[psutil.Process] = []
        self.include(roots)

    def members(self, *, thorough: bool = True) -> list[psutil.Process]:
        """Who lives now (zombies do not); `thorough` also reads every process's environment."""
        parents: dict[int, list[int]] = {}
        marked: list[int] = []
        for process in psutil.process_iter():
            with contextlib.suppress(*GONE, psutil.AccessDenied):
                parents.setdefault(process.ppid(), []).append(process.pid)
                if thorough and self._mark and _is_marked(process.pid, self._mark):
                    marked.append(process.pid)
        inside = self._group.pids() if self._group else ()
        known = [pid for pid, process in self._seen.items() if process.is_running()]
        self.include(set(_descend((*known, *marked, *inside), parents)))
        self._seen = {pid: p for pid, p in self._seen.items() if _lives(p)}
        return list(self._seen.values())

    def include(self, pids: Iterable[int]) -> None:
        """Count these in from now on; never ourselves."""
        for pid in pids:
            known = self._seen.get(pid)
            if pid != os.getpid() and not (known and known.is_running()):
                with contextlib.suppress(*GONE):
                    self._seen[pid] = psutil.Process(pid)

    async def end(self, patience: float = 5.0) -> int:
        """KILL all that is left, also what is born meanwhile; how many had to be killed."""
        killed: set[int] = set()
        deadline = time.monotonic() + patience
        while members := self.members():
            if self._group:
                self._group.kill()
            for process in members:
                killed.add(process.pid)
                send(process, signal.SIGKILL)
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.01)
        self.forget()
        return len(killed)

    def forget(self) -> None:
        """Nobody is left: give the control group back."""
        if self._group:
            self._group.remove()

    def pause(self) -> bool:
        """Hold still all that could write; False (and nothing held) when one does not in time.

        It looks only for who was born since the last `members`: that took its time beforehand.
        """
        deadline = time.monotonic() + _PAUSE_WAIT
        self._paused = []
        if self._group:
            self._group.freeze(frozen=True)
        while self._stop_the_rest() or not self._is_still():
            if time.monotonic() > deadline:
                self.resume()
                return False
            time.sleep(0.0002)
        return True

    def _stop_the_rest(self) -> bool:
        """STOP who runs outside the group, also who was born since; whether there was any."""
        frozen = set(self._group.pids()) if self._group else set()
        known = {process.pid for process in self._paused} | frozen
        found = [
            process
            for process in self._with_newborn()
            if process.pid not in known and not _is_stopped(process.pid)
        ]
        for process in found:
            send(process, signal.SIGSTOP)
        self._paused += found
        return bool(found)

    def _with_newborn(self) -> list[psutil.Process]:
        """Born to one whom we know, or left to us as an orphan; the rest of /proc is not read."""
        if not _LISTS:
            return self.members(thorough=False)
        ours = [pid for pid in _children_of(os.getpid()) if pid not in self._seen]
        todo = [*self._seen, *(pid for pid in ours if self._mark and _is_marked(pid, self._mark))]
        todo += self._group.pids() if self._group else ()
        found: set[int] = set()
        while todo:
            pid = todo.pop()
            if pid not in found:
                found.add(pid)
                todo += _children_of(pid)
        self.include(found)
        self._seen = {pid: one for pid, one in self._seen.items() if _lives(one)}
        return list(self._seen.values())

    def _is_still(self) -> bool:
        if self._group and self._group.pids() and not self._group.is_frozen():
            return False
        return all(_is_stopped(process.pid) for process in self._paused)

    def resume(self) -> None:
        """Let go whom we held; who was stopped before by somebody else stays stopped."""
        for process in self._paused:
            send(process, signal.SIGCONT)
        self._paused = []
        if self._group:
            self._group.freeze(frozen=False)

    def wake(self) -> None:
        """Let go whom a monitor that was killed in the middle of a pause still holds."""
        for process in self.members():
            send(process, signal.SIGCONT)

    def ask(self, number: signal.Signals) -> None:
        """A signal to each of them."""
        for process in self.members():
            send(process, number)

    def usage(self) -> tuple[int, float]:
        """Bytes resident and CPU seconds used, all members together."""
        memory, cpu = 0, 0.0
        for process in self.members(thorough=False):
            with contextlib.suppress(*GONE, psutil.AccessDenied):
                memory += process.memory_info().rss
                times = process.cpu_times()
                cpu += times.user + times.system
        return memory, cpu


def send(process: psutil.Process, number: signal.Signals) -> None:
    """A signal to that very process, never to another that got its number."""
    with contextlib.suppress(*GONE, PermissionError):
        fd = os.pidfd_open(process.pid)
        try:
            if process.is_running():
                signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)


def _descend(seeds: Iterable[int], parents: dict[int, list[int]]) -> Iterator[int]:
    """The seeds and all below them; never ourselves, so nothing of ours is taken along."""
    todo, seen = list(seeds), {os.getpid()}
    while todo:
        pid = todo.pop()
        if pid not in seen:
            seen.add(pid)
            yield pid
            todo.extend(parents.get(pid, ()))


def _children_of(pid: int) -> list[int]:
    """Of all its threads; what a thread that just ends had, another has at the next look."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    return found


def _is_marked(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(*GONE):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _is_stopped(pid: int) -> bool:
    """Whether every thread of it stands still or is gone."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return True
    return all(_task_state(pid, task) in "TtZX" for task in tasks)


def _task_state(pid: int, task: str) -> str:
    try:
        stat = Path(f"/proc/{pid}/task/{task}/stat").read_bytes()
    except OSError:
        return "X"
    return chr(stat[stat.rindex(b")") + 2])
