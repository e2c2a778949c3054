"""The batches of the database: who has one open, what joins it, which are to be closed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.bot.letter import Letter
from pipeline.bot.window import Item, Rules, Window, joined, opened, over, takes
from pipeline.store.tables import Batch, Memory

OPEN, CLOSED, ANSWERED, DONE, FAILED = "open", "closed", "answered", "done", "failed"


def join(
    session: Session, bot: int, letter: Letter, modelo: str, rules: Rules, now: float
) -> Memory | None:
    """The message as a memory of the open batch, or of a new one; None when it is known already."""
    if known(session, bot, letter) is not None:
        return None
    item = Item(letter.chat_id, letter.album)
    batch = _open_one(session, bot, letter.person.id)
    if batch is not None and takes(_window(session, batch), item, now, rules):
        window = joined(_window(session, batch), item, now, rules)
    else:
        if batch is not None:
            batch.state = CLOSED
            session.flush()
        window = opened(item, now, rules)
        batch = Batch(
            bot=bot,
            user_id=letter.person.id,
            chat_id=letter.chat_id,
            modelo=modelo,
            opened_at=now,
            last_at=now,
            closes_at=now,
        )
        session.add(batch)
    batch.count, batch.last_at, batch.closes_at = window.count, now, window.closes_at
    session.flush()
    return _remember(session, batch, letter)


def known(session: Session, bot: int, letter: Letter) -> Memory | None:
    return session.scalar(
        select(Memory).where(
            Memory.bot == bot,
            Memory.chat_id == letter.chat_id,
            Memory.message_id == letter.message_id,
        )
    )


def close_due(session: Session, rules: Rules, now: float) -> int:
    """Closes those whose time has come; how many."""
    count = 0
    for batch in session.scalars(select(Batch).where(Batch.state == OPEN)).all():
        window = Window(batch.count, batch.opened_at, batch.closes_at)
        if over(window, now, rules):
            session.execute(
                update(Batch).where(Batch.id == batch.id, Batch.state == OPEN).values(state=CLOSED)
            )
            count += 1
    return count


def next_close(session: Session) -> float | None:
    query = select(Batch.closes_at).where(Batch.state == OPEN).order_by(Batch.closes_at)
    return session.scalar(query.limit(1))


def in_state(
    session: Session, state: str, limit: int = 100, *, newest: bool = False
) -> Sequence[Batch]:
    """The oldest first, or the newest."""
    query = select(Batch).where(Batch.state == state)
    query = query.order_by(Batch.id.desc() if newest else Batch.id)
    return session.scalars(query.limit(limit)).all()


def items(session: Session, batch: int) -> Sequence[Memory]:
    query = select(Memory).where(Memory.batch_id == batch, Memory.forgotten_at.is_(None))
    return session.scalars(query.order_by(Memory.id)).all()


def _open_one(session: Session, bot: int, user: int) -> Batch | None:
    return session.scalar(
        select(Batch).where(Batch.bot == bot, Batch.user_id == user, Batch.state == OPEN)
    )


def _window(session: Session, batch: Batch) -> Window:
    query = select(Memory.album).where(Memory.batch_id == batch.id).order_by(Memory.id.desc())
    album = session.scalar(query.limit(1)) or ""
    return Window(batch.count, batch.opened_at, batch.closes_at, batch.chat_id, album)


def _remember(session: Session, batch: Batch, letter: Letter) -> Memory:
    source = letter.source(batch.bot)
    memory = Memory(
        batch_id=batch.id,
        bot=batch.bot,
        user_id=letter.person.id,
        chat_id=letter.chat_id,
        message_id=letter.message_id,
        modelo=batch.modelo,
        kind=letter.shape,
        text=letter.text,
        album=letter.album,
        reply_to=letter.reply_to,
        source=json.dumps(source.packed()) if source else "",
        said_at=letter.said_at,
    )
    session.add(memory)
    session.flush()
    return memory
