"""Listens to what people say to the monitor's own bot: one poll after the other, never a storm."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from hashlib import sha256
from pathlib import Path
from typing import Any

from monitor.heal.casework import clock
from monitor.model import Severity, Told
from monitor.tell.answers import Answer, Came
from monitor.tell.channels import Channels
from monitor.tell.courier import Courier
from monitor.tell.incoming import AT_ONCE
from monitor.tell.orders import COMMANDS
from monitor.tell.presses import Seal, age_of
from monitor.tell.reception import Reception
from monitor.tell.secret import secret_at

_POLL = 25  # seconds that Telegram may keep us waiting for news
_SOON, _LATER, _SELDOM = 1.0, 60.0, 3600.0
_CONFLICT = 30.0
_SAID_AFTER = 3


class Remote:
    """Off without a token of the monitor's own."""

    def __init__(
        self,
        courier: Courier,
        reception: Reception,
        tell: Callable[[Told], None],
        secret: Path,
    ) -> None:
        self._courier = courier
        self._reception = reception
        self._tell = tell
        self._secret = secret
        self._to = Channels()
        self._changed = asyncio.Event()
        self._listened: float | None = None  # clock of decisions: all that came before is known
        self._fails = 0
        self._troubled = ""

    def apply(self, channels: Channels) -> None:
        """These from now on; another bot is a new beginning."""
        if channels.remote and self._reception.seal is None:
            self._reception.seal = Seal(secret_at(self._secret))
        if channels.remote and channels.chats != self._to.chats:
            self._tell(Told("remote_on", facts=(("who", ", ".join(channels.chats)),)))
        if channels.shared:
            self._tell(Told("remote_same_token", severity=Severity.WARNING))
        if channels.token != self._to.token:
            self._listened = None
        self._to, self._fails, self._troubled = channels, 0, ""
        self._reception.apply(channels)
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                wait = await self._round(tasks) if self._to.remote else _SELDOM
                if wait:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await self._changed.wait()

    async def _round(self, tasks: asyncio.TaskGroup) -> float:
        """Seconds until the next; the house is watched also when nobody can be heard."""
        try:
            return await self._listen(tasks)
        except Exception as error:  # noqa: BLE001 - a remote control that breaks must break nothing else
            self._trouble("remote_broken", f"{type(error).__name__}: {error}")
            return _LATER

    async def _listen(self, tasks: asyncio.TaskGroup) -> float:
        """What has waited for us is asked for at once: only so its age is known."""
        await self._offer_commands()
        self._reception.forget_questions()
        behind = self._listened is None or self._fails > 0
        wait, to = 0 if behind else _POLL, self._to
        ask = {"do": "updates", "offset": self._reception.heard + 1, "wait": wait}
        answer = await self._courier.ask(ask)
        if to is not self._to:
            return 0.0
        if answer.came is not Came.OK:
            return self._not_heard(answer)
        if self._troubled:
            self._tell(Told("remote_reachable"))
        self._fails, self._troubled = 0, ""
        age = age_of(self._listened, clock())
        for doing in self._reception.take(answer.updates, age):
            tasks.create_task(self._apart(doing))
        if len(answer.updates) < AT_ONCE:
            self._listened = clock()
        return 0.0

    async def _apart(self, doing: Coroutine[Any, Any, None]) -> None:
        try:
            await doing
        except Exception as error:  # noqa: BLE001 - one broken order must not silence the others
            self._trouble("remote_broken", f"{type(error).__name__}: {error}")

    def _not_heard(self, answer: Answer) -> float:
        self._fails += 1
        match answer.came:
            case Came.UNAUTHORIZED:
                self._trouble("remote_refused", answer.why)
                return _SELDOM
            case Came.CONFLICT:
                self._trouble("remote_conflict", answer.why, Severity.WARNING)
                return _CONFLICT
            case Came.RETRY_AFTER:
                return min(max(_SOON, answer.seconds), _SELDOM)
        if self._fails == _SAID_AFTER:
            self._trouble("remote_unreachable", answer.why)
        return min(_LATER, _SOON * 2.0 ** min(self._fails - 1, 10))

    def _trouble(self, kind: str, why: str, severity: Severity = Severity.INFO) -> None:
        """Once, until it is well again."""
        if self._troubled != kind:
            self._troubled = kind
            self._tell(Told(kind, severity=severity, facts=(("why", self._to.hidden(why)),)))

    async def _offer_commands(self) -> None:
        """The menu of each chat, once for each list and language."""
        board, reader = self._reception.board, self._reception.reader
        commands = [(name, reader.say(f"help_{name}")) for name in COMMANDS]
        wanted = sha256(f"{self._to.bot} {self._to.chats} {commands}".encode()).hexdigest()
        if board.kept.get("commands") == wanted:
            return
        for chat in self._to.chats:
            ask = {"do": "commands", "chat": chat, "commands": commands}
            answer = await self._courier.ask(ask)
            if answer.came in (Came.NETWORK, Came.MAYBE, Came.RETRY_AFTER, Came.UNAUTHORIZED):
                return  # with the next round
        board.keep("commands", wanted)
