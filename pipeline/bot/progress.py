"""How the files of a batch are going, shown by editing its one answer until all of them ended."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy.exc import DBAPIError

from pipeline.bot import batches, outbox
from pipeline.bot.outbox import Outbox
from pipeline.bot.turn import Turn, ended, wording
from pipeline.bot.understand import language_of, profile_of, thing
from pipeline.bot.wording import say as words_for
from pipeline.bot_api import BotApi, LostReplyError, RefusedError
from pipeline.events import said
from pipeline.flows.jobs import Jobs
from pipeline.kit import Kit
from pipeline.model import WorldError
from pipeline.store.tables import Batch, Reply

say = structlog.get_logger(part="pipeline.progress")
_LOOK = 1.0
_MOST = 1000  # batches that are watched; the newest


class Progress:
    """In one chat an edit every `progress_every` seconds at most: edits share the budget of sends."""

    def __init__(self, kit: Kit, jobs: Jobs, api: BotApi, out: Outbox) -> None:
        self._kit, self._jobs, self._api, self._out = kit, jobs, api, out
        self._edited: dict[int, float] = {}  # by chat, monotonic
        self._thread = ThreadPoolExecutor(1, "progress")

    async def run(self) -> None:
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._look)
            except DBAPIError as error:
                say.warning("progress.waiting", error=said(error))
            await asyncio.sleep(min(_LOOK, self._kit.settings.progress_every))

    def _look(self) -> None:
        with self._kit.store.read() as session:
            shown = batches.in_state(session, batches.ANSWERED, _MOST, newest=True)
        for batch in reversed(shown):
            now = time.monotonic()
            if now >= max(self._out.halt, self._next(batch.chat_id)):
                self._kit.gate.pass_through()
                with self._kit.gate.at_work(f"answer {batch.id}"):
                    self._one(batch)

    def _next(self, chat: int) -> float:
        return self._edited.get(chat, 0.0) + self._kit.settings.progress_every

    def _one(self, batch: Batch) -> None:
        text, over = self._now(batch)
        reply = self._reply(batch)
        if reply is not None and reply.state in {"pending", "sending"}:
            return
        if batch.answer_id is None:
            # It never went out, or nobody knows: the end is told in a message of its own.
            if over:
                self._done(batch, text, anew=reply is None or reply.state == "unknown")
        elif text == batch.answer:
            if over:
                self._done(batch, text)
        else:
            self._edit(batch, text, over)

    def _now(self, batch: Batch) -> tuple[str, bool]:
        profile = profile_of(self._kit, batch.modelo)
        with self._kit.store.read() as session:
            things = tuple(map(thing, batches.items(session, batch.id)))
            language = language_of(session, batch.user_id, profile)
        views = self._jobs.views([one.job for one in things if one.job], language)
        old = time.time() - batch.last_at > self._kit.settings.give_up_after + 86400.0
        over = old or all(ended(views.get(one.job)) for one in things if one.job)
        if not things:  # all of it was forgotten
            return batch.answer, True
        turn = Turn(
            things,
            language,
            batch.question,
            noted=words_for("noted", language) in batch.answer,
            not_yours=words_for("not_yours", language) in batch.answer,
        )
        return wording(turn, views), over

    def _reply(self, batch: Batch) -> Reply | None:
        with self._kit.store.read() as session:
            return outbox.of_batch(session, batch.id)

    def _edit(self, batch: Batch, text: str, over: bool) -> None:
        self._edited[batch.chat_id] = time.monotonic()
        where = {"chat_id": str(batch.chat_id), "message_id": str(batch.answer_id)}
        try:
            self._api.call("editMessageText", None, **where, text=text)
        except WorldError as error:
            self._out.wait(error.after)
            return
        except LostReplyError:
            return  # the same edit twice is one
        except RefusedError as error:
            if "not modified" not in error.words:
                self._gone(batch, error)
                return
        with self._kit.store.write() as session:
            row = session.get_one(Batch, batch.id)
            row.answer = text
            row.state = batches.DONE if over else row.state

    def _gone(self, batch: Batch, error: RefusedError) -> None:
        """The message was removed, or the person blocked us: nothing more is shown there."""
        if error.status in {401, 404}:
            return
        with self._kit.store.write() as session:
            row = session.get_one(Batch, batch.id)
            row.answer_id = None
            row.state = batches.DONE if error.status == 403 else row.state
        say.info("answer.gone", chat=batch.chat_id, error=str(error))

    def _done(self, batch: Batch, text: str, *, anew: bool = False) -> None:
        now = time.time()
        with self._kit.store.write() as session:
            session.get_one(Batch, batch.id).state = batches.DONE
            if anew:
                outbox.write(session, f"batch:{batch.id}:end", batch.chat_id, text, now)
