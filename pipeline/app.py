"""Starts the parts of the pipeline, runs them together, ends them together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import structlog

from pipeline.api import Pulse, serve

say = structlog.get_logger(part="pipeline")


async def run(home: Path, environ: Mapping[str, str], control: Path | None) -> int:
    """Until it is told to stop; 0 then, and 75 when the world does not let it work."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        (home / "modelos").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        say.error(
            "start.failed", file=str(home / "modelos"), error=f"{type(error).__name__}: {error}"
        )
        return 75
    pulse = Pulse()
    async with contextlib.AsyncExitStack() as stack:
        if control:
            await stack.enter_async_context(serve(control, pulse))
        _say_what_is_off(environ)
        say.info("pipeline.ready", home=str(home), pid=os.getpid())
        beat = asyncio.create_task(pulse.beat())
        await stop.wait()
        beat.cancel()
    say.info("pipeline.stopped")
    return 0


def _say_what_is_off(environ: Mapping[str, str]) -> None:
    """One line for each part that does not run, and how to turn it on."""
    if environ.get("TELEGRAM_TOKEN"):
        say.warning("intake.off", why="this version does not take messages from Telegram yet")
    else:
        say.info("intake.off", why="no TELEGRAM_TOKEN", how="write TELEGRAM_TOKEN=… into .env")
