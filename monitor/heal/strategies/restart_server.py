"""A server stays down: start it again with the command that a person wrote down for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from monitor.heal.strategies.probe_server import named, prove, why_silent
from monitor.heal.strategy import FailedError, NotThereError, RefusedError, Strategy, Tools
from monitor.model import Incident

_PATIENCE = 60.0  # for the command
_UP_WITHIN = 25.0  # after it
_LOOK_EVERY = 0.5


async def check(incident: Incident, tools: Tools) -> str:
    """The line only chooses among the servers that are configured; it never says what to run."""
    why = await why_silent(incident)
    if not why:
        await tools.intake.well(incident)
        raise NotThereError(f"{named(incident)} answers")
    if not _command(incident, tools):
        raise RefusedError(f"no command is configured that starts {named(incident)} again")
    return why


def _command(incident: Incident, tools: Tools) -> tuple[str, ...]:
    server = tools.servers.get(named(incident))
    return server.restart if server else ()


async def act(incident: Incident, tools: Tools) -> str:
    argv = _command(incident, tools)
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=tools.home,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            code = await process.wait()
    except TimeoutError:
        raise FailedError(f"{argv[0]} did not end within {_PATIENCE:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if code:
        raise FailedError(f"{argv[0]} ended with exit code {code}")
    return f"ran {argv[0]}"


async def _answers_soon(incident: Incident, tools: Tools) -> str:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_UP_WITHIN):
            while await why_silent(incident):
                await asyncio.sleep(_LOOK_EVERY)
    return await prove(incident, tools)


STRATEGY = Strategy("restart_server", 90.0, check, act, _answers_soon, resumes=True)
