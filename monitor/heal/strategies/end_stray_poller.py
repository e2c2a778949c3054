"""A second copy of our own bot holds the token, the port or the lock: find it and end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass

import psutil

from monitor.heal.strategy import FailedError, RefusedError, Strategy, Tools
from monitor.model import Incident
from monitor.supervise.tree import send

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class _Looks:
    """By what a second copy is known: the command, where it runs, whose child it is."""

    commands: frozenset[tuple[str, ...]]  # as we started it, and as it calls itself by now
    folder: str
    mark: str

    @classmethod
    def of(cls, process: psutil.Process, argv: tuple[str, ...]) -> _Looks:
        mark = process.environ().get("VIGIA_CHILD", "")
        return cls(frozenset({argv, tuple(process.cmdline())}), process.cwd(), mark)


def strays(tools: Tools) -> list[psutil.Process]:
    """Processes of our user that run the child's command in its folder, outside its own tree."""
    child = tools.child
    if child is None or child.pid is None:
        return []
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        ours = _Looks.of(psutil.Process(child.pid), child.argv)
        return [one for one in psutil.process_iter() if _is_stray(one, child.pid, ours)]
    return []


def _is_stray(process: psutil.Process, child: int, ours: _Looks) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if tuple(process.cmdline()) not in ours.commands or process.cwd() != ours.folder:
            return False
        if process.environ().get("VIGIA_CHILD", ours.mark) != ours.mark:
            return False  # another monitor's child: the same program for another bot
        kin = {parent.pid for parent in process.parents()} | {process.pid}
        return child not in kin and process.pid != os.getpid() and _is_our_user(process)
    return False


def _is_our_user(process: psutil.Process) -> bool:
    return process.uids().effective in (os.geteuid(), 0) or os.geteuid() == 0


async def check(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if not (found := strays(tools)):
        raise RefusedError("no second copy of ours runs on this machine")
    return f"pid {', '.join(str(process.pid) for process in found)}"


async def act(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    found = strays(tools)
    for process in found:
        send(process, signal.SIGTERM)
    for _ in range(int(_PATIENCE / 0.1)):
        if not any(process.is_running() for process in found):
            break
        await asyncio.sleep(0.1)
    for process in found:
        send(process, signal.SIGKILL)
    return f"ended pid {', '.join(str(process.pid) for process in found)}"


async def prove(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if found := strays(tools):
        raise FailedError(f"pid {found[0].pid} still runs")
    return "no second copy runs"


STRATEGY = Strategy("end_stray_poller", 30.0, check, act, prove, resumes=True, repeatable=True)
