"""`vigia watch [--every S] [--once]`: all at a glance; plain frames when it is piped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from monitor.ask import NobodyThereError, RefusedError, ask
from monitor.home import socket_path
from monitor.records.history import Follow
from monitor.supervise import child_api
from monitor.texts import say
from monitor.view.screen import Histories, Sight, frame

_RECORDS = 8
_PATIENCE = 2.0


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("--every", type=float, default=1.0, help=say("help_every", lang))
    parser.add_argument("--once", action="store_true", help=say("help_once", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 when a person ends it; with --once 1 when there is no monitor."""
    console, watch = Console(), Watch(arguments.home)
    every = max(0.2, arguments.every)
    try:
        if arguments.once:
            sight = watch.look()
            console.print(frame(sight, watch.histories, arguments.lang))
            return 0 if sight.status else 1
        with contextlib.suppress(KeyboardInterrupt):
            _go_on(console, watch, every, arguments.lang)
        return 0
    finally:
        watch.close()


def _go_on(console: Console, watch: Watch, every: float, lang: str) -> None:
    if not console.is_terminal:
        while True:
            console.print(frame(watch.look(), watch.histories, lang))
            time.sleep(every)
    first = frame(watch.look(), watch.histories, lang)
    with Live(first, console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every)
            live.update(frame(watch.look(), watch.histories, lang), refresh=True)


class Watch:
    """Looks at a home from outside; it may have no monitor just now."""

    def __init__(self, home: Path) -> None:
        self.histories = Histories()
        self._home = home
        self._follow = Follow(home / "logs" / "errors.json")
        self._records: deque[Mapping[str, Any]] = deque(maxlen=_RECORDS)

    def look(self) -> Sight:
        with contextlib.suppress(OSError):
            self._records.extend(self._follow.new())
        records = tuple(self._records)
        try:
            status = ask(self._home, "status", _PATIENCE)
        except (NobodyThereError, RefusedError) as error:
            return Sight(None, str(error), records)
        self.histories.add(status["children"])
        names = [child["name"] for child in status["children"] if child["pid"]]
        return Sight(status, "", records, asyncio.run(self._work(names)))

    def close(self) -> None:
        self._follow.close()

    async def _work(self, names: list[str]) -> dict[str, Mapping[str, Any]]:
        """What the children that serve a socket say of themselves."""
        found: dict[str, Mapping[str, Any]] = {}
        for name in names:
            place = socket_path(self._home, f"{name}.sock")
            if not child_api.is_served(place):
                continue
            with contextlib.suppress(child_api.NoAnswerError):
                answer = await child_api.ask(place, "GET", "/health", _PATIENCE)
                if isinstance(answer.body, dict):
                    found[name] = answer.body
        return found
