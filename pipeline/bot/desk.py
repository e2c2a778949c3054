"""Treats what is in the inbox, in order: a message and all that follows from it are one transaction."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pipeline.bot import batches, forgetting, inbox, outbox, people, understand
from pipeline.bot.ask import Ask
from pipeline.bot.letter import Letter, read_letter
from pipeline.bot.orders import order
from pipeline.bot.people import People
from pipeline.bot.window import Rules
from pipeline.bot.wording import fitting
from pipeline.events import redacted, said
from pipeline.flows.jobs import Jobs
from pipeline.kit import Kit
from pipeline.profiles import Profile
from pipeline.store.tables import Batch, Inbox, Media, Memory, Post

say = structlog.get_logger(part="pipeline.desk")
_LOOK = 1.0  # seconds, at most, between two looks


class Desk:
    """One for each database, beside the poster. `spoke` is called when there is something to send."""

    def __init__(self, kit: Kit, jobs: Jobs, spoke: Callable[[], None]) -> None:
        self._kit, self._jobs, self._spoke = kit, jobs, spoke
        self._people = People(kit.profiles)
        self._rules = Rules(
            kit.settings.batch_window, kit.settings.batch_longest, kit.settings.batch_most
        )
        self._bell = asyncio.Event()
        self._sweep_at = 0.0  # monotonic: when to look for what was forgotten

    def ring(self) -> None:
        self._bell.set()

    async def run(self) -> None:
        while True:
            self._bell.clear()
            try:
                wait = await asyncio.to_thread(self._look)
            except DBAPIError as error:
                say.warning("desk.waiting", error=said(error))
                wait = _LOOK
            self._kit.pulse.beat("desk")
            self._spoke()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), wait)

    def _look(self) -> float:
        """All that is there; seconds until the next batch closes."""
        self._people.refresh()
        self._release()
        while waiting := inbox.waiting(self._kit.store):
            for row in waiting:
                self._kit.gate.pass_through()
                with self._kit.gate.at_work(f"update {row.update_id}"):
                    self._treat(row)
            self._kit.pulse.beat("desk")
            self._close()
        self._close()
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + forgetting.sweep(self._kit, self._jobs)
        with self._kit.store.read() as session:
            closes = batches.next_close(session)
        return _LOOK if closes is None else min(_LOOK, max(0.01, closes - time.time()))

    def _release(self) -> None:
        with self._kit.store.read() as session:
            free = [one for one in inbox.held_people(session) if self._people.of(one)]
        if free:
            with self._kit.store.write() as session:
                count = people.release(session, self._people)
            say.info("inbox.released", users=len(free), messages=count)

    def _treat(self, row: Inbox) -> None:
        """One that cannot be treated stands in nobody's way: it is kept as failed, and told."""
        try:
            letter = read_letter(json.loads(row.raw))
            self._letter(row, letter) if letter else self._nothing(row)
        except DBAPIError as error:
            if error.connection_invalidated or not _ours(error):
                raise
            self._fail(row, error)
        except Exception as error:  # noqa: BLE001 -- one message must not hold up all others
            self._fail(row, error)

    def _fail(self, row: Inbox, error: Exception) -> None:
        words = redacted(said(error))
        with self._kit.store.write() as session:
            inbox.settle(session, row, inbox.FAILED, time.time(), words)
        say.error("update.failed", update=row.update_id, user=row.user_id, error=words)

    def _nothing(self, row: Inbox) -> None:
        with self._kit.store.write() as session:
            inbox.settle(session, row, inbox.DONE, time.time())

    def _letter(self, row: Inbox, letter: Letter) -> None:
        profile, now = self._people.of(letter.person.id), time.time()
        with self._kit.store.read() as session:
            known = batches.known(session, row.bot, letter)
        admin = letter.person.id in self._kit.settings.admins
        if letter.command and not letter.edited and known is None and (profile or admin):
            self._order(row, letter, profile, now)
            return
        with self._kit.store.write() as session:
            name = profile.name if profile else None
            sender = people.remember(session, letter.person, name, now)
            if profile is None:
                language = understand.language_of(session, letter.person.id, None)
                state = people.hold(session, letter, sender, language, now)
                if inbox.settle(session, row, state, now) and sender.told_at == now:
                    say.info(
                        "sender.held",
                        user=letter.person.id,
                        how="write it into a config.json, as telegram_user_id",
                    )
                return
            if not inbox.settle(session, row, inbox.DONE, now):
                return
            if letter.edited and known is not None:
                _edit(session, known.id, letter, now)
            elif not letter.command:
                batches.join(session, row.bot, letter, profile.name, self._rules, now)

    def _order(self, row: Inbox, letter: Letter, profile: Profile | None, now: float) -> None:
        with self._kit.store.write() as session:
            people.remember(session, letter.person, profile.name if profile else None, now)
            language = understand.language_of(session, letter.person.id, profile)
        ask = Ask(self._kit, self._jobs, self._people, letter, profile, language, now)
        within = order(ask)
        with self._kit.store.write() as session:
            if inbox.settle(session, row, inbox.DONE, now):
                text = fitting(within(session)) or "…"
                key = f"update:{row.bot}:{row.update_id}"
                if not outbox.crowded(session, letter.chat_id):
                    outbox.write(session, key, letter.chat_id, text, now)
        if letter.command == "forget":
            self._sweep_at = 0.0

    def _close(self) -> None:
        """Batches whose time has come are understood; what is said from now on is the next one."""
        with self._kit.store.write() as session:
            batches.close_due(session, self._rules, time.time())
        with self._kit.store.read() as session:
            closed = batches.in_state(session, batches.CLOSED)
        for batch in closed:
            self._kit.gate.pass_through()
            with self._kit.gate.at_work(f"batch {batch.id}"):
                self._understand(batch)

    def _understand(self, batch: Batch) -> None:
        try:
            understand.answer(self._kit, self._jobs, batch)
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 -- one batch must not hold up all others
            with self._kit.store.write() as session:
                session.get_one(Batch, batch.id).state = batches.FAILED
            say.error("batch.failed", batch=batch.id, modelo=batch.modelo, error=said(error))
        else:
            say.info("batch.answered", batch=batch.id, modelo=batch.modelo, items=batch.count)


def _ours(error: DBAPIError) -> bool:
    """Whether it is about what we wanted to store, not about the database."""
    return type(error).__name__ in {"DataError", "IntegrityError", "StatementError"}


def _edit(session: Session, number: int, letter: Letter, now: float) -> None:
    """What its owner changed in the chat is changed in the memory, and in a post that still waits."""
    memory = session.get_one(Memory, number)
    if memory.user_id != letter.person.id or memory.forgotten_at is not None:
        return
    before, memory.text, memory.updated_at = memory.text, letter.text, now
    media = session.scalar(select(Media).where(Media.job == memory.job)) if memory.job else None
    if media is None:
        return
    gone = select(Post.id).where(Post.media_id == media.id, Post.state.not_in(("pending",)))
    media.text = letter.text
    if media.caption == before.strip() and before and session.scalar(gone.limit(1)) is None:
        media.caption = letter.text.strip()[:1024]
