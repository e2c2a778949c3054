"""The Telegram side as one part: intake, desk, replies, progress; and the door for other front ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from pipeline.api import Reply, Routes
from pipeline.bot import inbox, outbox
from pipeline.bot.desk import Desk
from pipeline.bot.intake import Intake
from pipeline.bot.outbox import Outbox
from pipeline.bot.poll import Poll, is_update
from pipeline.bot.progress import Progress
from pipeline.bot.wording import say as words
from pipeline.bot_api import BotApi, LostReplyError, RefusedError
from pipeline.events import said
from pipeline.flows.jobs import Jobs
from pipeline.kit import Kit
from pipeline.model import WorldError

say = structlog.get_logger(part="pipeline.bot")
OTHERS = 0  # the bot of updates that other front ends hand in
_HOUR = 3600.0


class Bot:
    """Without a token only the door is open, and what is said waits for a token."""

    def __init__(self, kit: Kit, jobs: Jobs) -> None:
        self._kit, self._jobs = kit, jobs
        self._outbox = Outbox(kit, kit.api) if kit.api else None
        self._desk = Desk(kit, jobs, self._outbox.ring if self._outbox else lambda: None)
        self._intake = None
        if kit.api:
            bot = int(kit.settings.token.partition(":")[0])
            self._intake = Intake(kit, Poll(kit.settings), bot, self._desk.ring)

    def parts(self) -> list[Coroutine[Any, Any, None]]:
        parts = [self._desk.run(), self._keep_house()]
        if self._intake:
            parts.append(self._intake.run())
        if self._outbox and self._kit.api:
            progress = Progress(self._kit, self._jobs, self._kit.api, self._outbox)
            parts += [self._outbox.run(), progress.run()]
        return parts

    def routes(self) -> Routes:
        return {("POST", "/webhook/batch"): self._webhook}

    def tell(self) -> dict[str, object]:
        """For /health."""
        return self._intake.tell() if self._intake else {"state": "off"}

    async def _webhook(self, _asked: dict[str, str], body: object) -> Reply:
        """What a front end hands in is as good as polled; the same update twice is one."""
        given = body if isinstance(body, dict) else {}
        user, updates = given.get("user_id"), given.get("updates")
        if not isinstance(user, int) or not isinstance(updates, list) or len(updates) > 100:
            return Reply(400, {"error": "wanted: {user_id, updates: [at most 100]}"})
        if not all(_of(one, user) for one in updates):
            return Reply(400, {"error": f"an update needs update_id and a message from {user}"})
        store = self._kit.store
        kept = await asyncio.to_thread(inbox.keep, store, OTHERS, updates, time.time())
        self._desk.ring()
        return Reply(202, {"kept": kept, "known": len(updates) - kept})

    async def _keep_house(self) -> None:
        if self._kit.api:
            await asyncio.to_thread(_offer_menu, self._kit.api)
        while True:
            await asyncio.sleep(_HOUR)
            before = time.time() - self._kit.settings.keep_jobs
            try:
                gone = await asyncio.to_thread(self._forget, before)
            except DBAPIError as error:
                say.warning("inbox.waiting", error=said(error))
            else:
                say.info("inbox.forgotten", count=gone)

    def _forget(self, before: float) -> int:
        with self._kit.store.write() as session:
            outbox.purge(session, before)
        return inbox.purge(self._kit.store, before)


def _offer_menu(api: BotApi) -> None:
    """What Telegram offers behind the slash, out of our own help; without it all works, too."""
    for language in ("es", "en"):
        lines = [line for line in words("help", language).splitlines() if line.startswith("/")]
        menu = [
            {"command": line.split()[0][1:], "description": line.split("  ", 1)[1]}
            for line in lines
        ]
        given = {"commands": menu} | ({"language_code": "es"} if language == "es" else {})
        try:
            api.call("setMyCommands", None, **given)
        except (WorldError, LostReplyError, RefusedError):
            return


def _of(one: Any, user: int) -> bool:
    if not is_update(one):
        return False
    message = one.get("message") or one.get("edited_message")
    sender = message.get("from") if isinstance(message, dict) else None
    return isinstance(sender, dict) and sender.get("id") == user
