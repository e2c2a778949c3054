"""The queue of updates of each bot: in order, kept until confirmed, for one poller at a time."""

from __future__ import annotations

import asyncio

from monitor.demo.botapi.people import Bots
from monitor.demo.botapi.refusal import OTHER_POLLER, RefusedError, conflict
from monitor.demo.botapi.rows import Row, Rows

KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "message_reaction",
)
_ON_DEMAND = ("chat_member", "message_reaction")
CONFLICT = 409
_PAUSE = 3.0  # seconds between two answers 409, as the real server spaces them


class Updates:
    def __init__(self, rows: Rows, bots: Bots) -> None:
        self._rows = rows.table("updates")
        self._bots = bots
        self._queues: dict[int, dict[int, Row]] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._next_conflict: dict[int, float] = {}
        for row in self._rows:
            self._queue(row["bot"])[row["update"]["update_id"]] = row["update"]

    def _queue(self, bot: int) -> dict[int, Row]:
        return self._queues.setdefault(bot, {})

    def add(self, bot: Row, kind: str, value: Row) -> int | None:
        """Queues an update unless the bot asked not to be told of that kind."""
        allowed = bot["allowed"]
        if kind in _ON_DEMAND if not allowed else kind not in allowed:
            return None
        number: int = self._bots.by_token(bot["token"], revoked=True)["next_update"]
        self._bots.change(bot["token"], next_update=number + 1)
        update = {"update_id": number, kind: value}
        self._rows.put(f"{bot['id']}:{number}", {"bot": bot["id"], "update": update})
        self._queue(bot["id"])[number] = update
        self.wake(bot["id"])
        return number

    def pending(self, bot: int) -> list[Row]:
        return list(self._queue(bot).values())

    def confirm(self, bot: int, offset: int) -> None:
        """What stands before the offset is done with; a negative one keeps only that many."""
        queue = self._queue(bot)
        done = [n for n in queue if n < offset] if offset >= 0 else list(queue)[:offset]
        for number in done:
            del queue[number]
            self._rows.drop(f"{bot}:{number}")

    def forget(self, bot: int) -> None:
        self.confirm(bot, max(self._queue(bot), default=0) + 1)

    def polled(self, bot: int) -> bool:
        """Whether somebody waits for this bot's updates right now."""
        return bot in self._waiting

    def wake(self, bot: int) -> None:
        waiter = self._waiting.get(bot)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def interrupt(self, bot: int, why: str) -> None:
        """Whoever polls for this bot is told that somebody else does now."""
        self.refuse(bot, conflict(why))

    def refuse(self, bot: int, error: RefusedError) -> None:
        waiter = self._waiting.pop(bot, None)
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    async def poll(self, bot: int, offset: int, limit: int, seconds: float) -> list[Row]:
        self.confirm(bot, offset)
        if not self._queue(bot) and seconds > 0:
            self.interrupt(bot, OTHER_POLLER)
            await self._wait(bot, seconds)
        return self.pending(bot)[:limit]

    async def _wait(self, bot: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        waiter = self._waiting[bot] = loop.create_future()
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            pass
        except RefusedError as error:
            if error.code != CONFLICT:
                raise
            # Two pollers would otherwise end each other as fast as they can.
            early = self._next_conflict.get(bot, 0.0) - loop.time()
            self._next_conflict[bot] = loop.time() + max(early, 0.0) + _PAUSE
            if early > 0:
                await asyncio.sleep(_PAUSE)
            raise
        finally:
            if self._waiting.get(bot) is waiter:
                del self._waiting[bot]
