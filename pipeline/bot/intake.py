"""Polls Telegram for ever: every update is ours, on disk, before the next poll confirms it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from sqlalchemy.exc import DBAPIError

from pipeline.bot import inbox
from pipeline.bot.poll import LONG, Poll
from pipeline.bot.trouble import Came, Kind, Line, Trouble, after
from pipeline.events import said
from pipeline.kit import Kit

say = structlog.get_logger(part="pipeline.poll")
_BEAT = 5.0


class Intake:
    """`ring` is called when there is something new. Its pulse is the age of the last poll that
    ended, whatever it came to: an outage of Telegram is no reason to restart us.
    """

    def __init__(self, kit: Kit, poll: Poll, bot: int, ring: Callable[[], None]) -> None:
        self._kit, self._poll, self._bot, self._ring = kit, poll, bot, ring
        self._trouble = Trouble()
        self._good: float | None = None  # when Telegram last gave us what there was

    def tell(self) -> dict[str, object]:
        """For /health: whether messages come in."""
        ago = None if self._good is None else round(time.monotonic() - self._good, 3)
        state = self._trouble.kind or ("begins" if ago is None else "ok")
        return {"state": state, "last_good": ago}

    async def run(self) -> None:
        offset: int | None = None
        known = False
        while True:
            try:
                if not known:
                    offset = await asyncio.to_thread(inbox.next_offset, self._kit.store, self._bot)
                    known = True
                offset = await self._once(offset)
            except DBAPIError as error:
                # Not confirmed, so nothing is lost: Telegram gives it again.
                say.warning("intake.waiting", again=5, error=said(error))
                await self._rest(5.0)

    async def _once(self, offset: int | None) -> int | None:
        # Whether it works again is to be known at once; two pollers must not race for it, though.
        asks = self._good is None or self._trouble.kind not in {None, Kind.CONFLICT}
        outcome = await self._poll.once(offset, 0 if asks else LONG)
        self._kit.pulse.beat("poll")
        if isinstance(outcome, Came):
            offset = await self._keep(outcome, offset)
            self._good = time.monotonic()
        told = after(self._trouble, outcome, time.monotonic())
        self._trouble = told.trouble
        for line in told.lines:
            _speak(line)
        await self._rest(told.wait)
        return offset

    async def _keep(self, came: Came, offset: int | None) -> int | None:
        if not came.updates:
            return offset
        store, bot = self._kit.store, self._bot
        await asyncio.to_thread(inbox.keep, store, bot, came.updates, time.time())
        self._ring()
        return max(int(one["update_id"]) for one in came.updates) + 1

    async def _rest(self, seconds: float) -> None:
        """Waiting because we were told to is work, too."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._kit.pulse.beat("poll")
            await asyncio.sleep(min(left, _BEAT))


def _speak(line: Line) -> None:
    getattr(say, line.level)(line.event, **line.given)
