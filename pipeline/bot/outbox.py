"""What is said in chats: written down first, sent once, in the order of each chat."""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pipeline.bot_api import BotApi, LostReplyError, RefusedError
from pipeline.events import redacted, said
from pipeline.kit import Kit
from pipeline.model import WorldError
from pipeline.store.tables import Batch, Reply

say = structlog.get_logger(part="pipeline.reply")
_AT_ONCE = 8  # chats
_MOST = 20  # answers to commands that wait in one chat


def write(
    session: Session, key: str, chat_id: int, text: str, now: float, batch: int | None = None
) -> None:
    """To be said once this transaction holds; what has been written under this key is not again."""
    if session.scalar(select(Reply.id).where(Reply.key == key)) is None:
        reply = Reply(
            key=key, chat_id=chat_id, text=text, batch_id=batch, due_at=now, created_at=now
        )
        session.add(reply)
        session.flush()


def of_batch(session: Session, batch: int) -> Reply | None:
    return session.scalar(select(Reply).where(Reply.batch_id == batch))


def crowded(session: Session, chat_id: int) -> bool:
    """Whether so much waits to be said there that more would only delay it."""
    query = select(func.count()).where(Reply.chat_id == chat_id, Reply.state == "pending")
    return (session.scalar(query) or 0) >= _MOST


def purge(session: Session, before: float) -> None:
    """Forget what was said so long ago, but for answers to batches, which may be quoted."""
    old = (Reply.batch_id.is_(None), Reply.state != "pending", Reply.created_at < before)
    session.execute(delete(Reply).where(*old))


class Outbox:
    """Chats side by side, each in its order. When Telegram says wait, all wait."""

    def __init__(self, kit: Kit, api: BotApi) -> None:
        self._kit, self._api = kit, api
        self._bell = asyncio.Event()
        self._busy: dict[int, asyncio.Task[None]] = {}
        # Of its own: a Telegram that swallows requests must not take the threads of other parts.
        self._threads = ThreadPoolExecutor(_AT_ONCE, "reply")
        self.halt = 0.0  # monotonic: nothing goes out before

    def ring(self) -> None:
        self._bell.set()

    def wait(self, seconds: float) -> None:
        """Telegram wants so much silence; of edits, too, for they share one budget."""
        self.halt = max(self.halt, time.monotonic() + seconds)

    async def run(self) -> None:
        await asyncio.to_thread(self._recover)
        while True:
            self._bell.clear()
            try:
                await self._round()
            except DBAPIError as error:
                say.warning("reply.waiting", error=said(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), 1.0)

    async def _round(self) -> None:
        if time.monotonic() < self.halt or len(self._busy) >= _AT_ONCE:
            return
        for one in await asyncio.to_thread(self._due, time.time()):
            if one.chat_id not in self._busy and len(self._busy) < _AT_ONCE:
                self._busy[one.chat_id] = asyncio.create_task(self._one(one))

    async def _one(self, reply: Reply) -> None:
        """One slow chat holds up itself alone."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._send, reply)
        except DBAPIError as error:  # it stands as `sending`, and is never sent again blindly
            say.warning("reply.unknown", chat=reply.chat_id, error=said(error))
        finally:
            del self._busy[reply.chat_id]
            self._bell.set()

    def _due(self, now: float) -> list[Reply]:
        """The first of each chat, when its time has come."""
        with self._kit.store.read() as session:
            first = select(func.min(Reply.id)).where(Reply.state == "pending")
            query = select(Reply).where(Reply.id.in_(first.group_by(Reply.chat_id)))
            found = session.scalars(query.where(Reply.due_at <= now).order_by(Reply.id))
            return list(found)

    def _send(self, reply: Reply) -> None:
        self._kit.gate.pass_through()
        with self._kit.gate.at_work(f"reply {reply.id}"):
            if not self._claim(reply):
                return
            try:
                message = self._api.call("sendMessage", chat_id=reply.chat_id, text=reply.text)
            except WorldError as error:
                self._later(reply, error.after, str(error))
            except RefusedError as error:
                if error.status in {401, 404}:  # the poll says what it is about
                    self._later(reply, 30.0, str(error))
                else:
                    self._settle(reply, "failed", error=str(error))
                    say.warning("reply.failed", chat=reply.chat_id, error=str(error))
            except LostReplyError as error:
                self._settle(reply, "unknown", error=str(error))
                say.warning("reply.unknown", chat=reply.chat_id, why="no answer came")
            else:
                self._settle(reply, "sent", message=int(message["message_id"]))

    def _claim(self, reply: Reply) -> bool:
        """Written down before a byte leaves."""
        with self._kit.store.write() as session:
            changed = session.execute(
                update(Reply)
                .where(Reply.id == reply.id, Reply.state == "pending")
                .values(state="sending", attempts=Reply.attempts + 1)
                .execution_options(synchronize_session=False)
            )
            return bool(changed.rowcount)  # type: ignore[attr-defined]

    def _later(self, reply: Reply, after: float, why: str) -> None:
        wait = max(after, min(2.0**reply.attempts, 30.0))
        self.wait(after)
        with self._kit.store.write() as session:
            row = session.get_one(Reply, reply.id)
            row.state, row.error, row.due_at = "pending", redacted(why), time.time() + wait
        say.info("reply.later", chat=reply.chat_id, again=round(wait))

    def _settle(
        self, reply: Reply, state: str, message: int | None = None, error: str = ""
    ) -> None:
        now = time.time()
        with self._kit.store.write() as session:
            row = session.get_one(Reply, reply.id)
            row.state, row.error, row.message_id, row.sent_at = state, redacted(error), message, now
            batch = session.get(Batch, row.batch_id) if row.batch_id else None
            if batch is not None and message is not None:
                batch.answer_id, batch.answered_at, batch.answer = message, now, row.text

    def _recover(self) -> None:
        """What was being sent when the process died may have gone out."""
        with self._kit.store.write() as session:
            left = session.scalars(select(Reply).where(Reply.state == "sending")).all()
            for one in left:
                one.state, one.error = "unknown", "the process died while sending"
        for one in left:
            say.warning("reply.unknown", chat=one.chat_id, why="the process died while sending")
