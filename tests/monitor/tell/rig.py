"""The real teller with its real sending process and its real state, and a server to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from monitor.model import Severity, Told
from monitor.options import Alerts
from monitor.state import State
from monitor.supervise.family import Family
from monitor.tell.channels import Channels
from monitor.tell.courier import COMMAND, Courier
from monitor.tell.outbox import Pace
from monitor.tell.teller import Teller
from monitor.texts import sentence
from tests.monitor.tell.botapi import ADMIN, TOKEN

SOON = Alerts(group=0.0, edit_every=0.0, digest="", least="warning")
QUICK = Pace(per_chat=0.0, first=0.02, longest=0.05)


async def until(true: Callable[[], object], seconds: float = 60.0, what: object = "") -> None:
    """Waited for without stopping the loop that has to bring it about."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not true():
        if asyncio.get_running_loop().time() > deadline:
            shown = what() if callable(what) else what
            raise AssertionError(f"did not come within {seconds} s: {shown or true}")
        await asyncio.sleep(0.005)


class Rig:
    def __init__(
        self,
        folder: Path,
        channels: Channels,
        settings: Alerts = SOON,
        pace: Pace = QUICK,
        patience: float = 0.4,
        command: tuple[str, ...] = COMMAND,
        limit: float = 20.0,
    ) -> None:
        self.folder, self.channels, self.settings = folder, channels, settings
        self.told: list[Told] = []
        self.state = State.open(str(folder / "state.db"), at=0.0, warn=self.fail)
        self.family = Family()
        who: dict[str, Any] = {**channels.who, "patience": patience}
        self.courier = Courier(
            self.family, lambda: who, os.environ, command=command, idle=60, patience=limit
        )
        self.teller = Teller(
            self.state, self.courier, self.heard, lambda: [("cannot <*> the <*>", 7)], "host", pace
        )
        self.teller.board.keep("started", None)

    def fail(self, why: str) -> None:
        raise AssertionError(why)

    def heard(self, told: Told) -> None:
        """As the monitor does it: what is told is news as well."""
        self.told.append(told)
        self.teller.heard(told)

    @property
    def diary(self) -> str:
        return "\n".join(sentence(told, "en") for told in self.told)

    def trouble(self, child: str) -> None:
        facts = (("why", f"{child} is broken"),)
        self.teller.heard(Told("child_given_up", child, Severity.CRITICAL, facts))

    def reload(self) -> None:
        self.teller.apply(self.settings, self.channels, "en", "bot")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.reload()
        task = asyncio.ensure_future(self.teller.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.courier.end()
            self.state.close()


def telegram(url: str, *chats: int) -> Channels:
    return Channels(TOKEN, url, tuple(map(str, chats or (ADMIN,))), secrets=(TOKEN,))
