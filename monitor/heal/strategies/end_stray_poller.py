"""A second copy of our own bot holds the token, the port or the lock: find it and end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import psutil

from monitor.heal.strategy import FailedError, RefusedError, Strategy, Tools
from monitor.model import Incident
from monitor.supervise.tree import send

_PATIENCE = 10.0


def strays(tools: Tools) -> list[psutil.Process]:
    """Processes of the same user with the child's very command line, outside its own tree."""
    child = tools.child
    if child is None or child.pid is None:
        return []
    found = []
    ours = {os.getpid(), child.pid}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            kin = {parent.pid for parent in process.parents()} | {process.pid}
            same = tuple(process.cmdline()) == child.argv
            if same and not kin & {child.pid} and process.pid not in ours and _is_our_user(process):
                found.append(process)
    return found


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
