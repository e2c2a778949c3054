"""The inbox table: raw updates, ours before they are confirmed, each treated once and in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from pipeline.store.base import Store
from pipeline.store.tables import Inbox, Memory

NEW, HELD, DONE, FAILED, DROPPED = "new", "held", "done", "failed", "dropped"


def keep(store: Store, bot: int, updates: Iterable[Mapping[str, Any]], now: float) -> int:
    """On disk when this returns; what is there already stays as it is. How many were new."""
    insert = sqlite.insert if store.on_sqlite else postgresql.insert
    kept = 0
    with store.write() as session:
        for one in updates:
            row = insert(Inbox).values(
                bot=bot,
                update_id=int(one["update_id"]),
                # Escaped: half a character, which is no text to a database, is one to Telegram.
                raw=json.dumps(one),
                state=NEW,
                user_id=_who(one),
                attempts=0,
                error="",
                received_at=now,
            )
            done = session.execute(row.on_conflict_do_nothing())
            kept += done.rowcount  # type: ignore[attr-defined]
    return kept


def next_offset(store: Store, bot: int) -> int | None:
    """Behind what came last, which need not be the highest: after a quiet week Telegram begins
    to count somewhere else.
    """
    with store.read() as session:
        last = session.scalar(
            select(Inbox.update_id)
            .where(Inbox.bot == bot)
            .order_by(Inbox.received_at.desc(), Inbox.update_id.desc())
            .limit(1)
        )
    return None if last is None else last + 1


def waiting(store: Store, limit: int = 100) -> Sequence[Inbox]:
    """In the order in which they came."""
    with store.read() as session:
        query = select(Inbox).where(Inbox.state == NEW)
        return session.scalars(
            query.order_by(Inbox.received_at, Inbox.update_id).limit(limit)
        ).all()


def settle(session: Session, row: Inbox, state: str, now: float, error: str = "") -> bool:
    """Whether it was still to be treated; what follows from it belongs into the same transaction."""
    values: dict[str, Any] = {"state": state, "done_at": now, "error": error[:500]}
    if state == DROPPED:
        values["raw"] = "{}"
    changed = session.execute(
        update(Inbox)
        .where(Inbox.bot == row.bot, Inbox.update_id == row.update_id, Inbox.state == NEW)
        .values(**values, attempts=Inbox.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def held_by(session: Session, user_id: int | None = None) -> int:
    """How many are held, of this person or of all."""
    query = select(func.count()).select_from(Inbox).where(Inbox.state == HELD)
    if user_id is not None:
        query = query.where(Inbox.user_id == user_id)
    return session.scalar(query) or 0


def held_people(session: Session) -> set[int]:
    return set(session.scalars(select(Inbox.user_id).where(Inbox.state == HELD).distinct()))


def release(session: Session, user_id: int) -> int:
    """What was held of this person is treated now, in its old order."""
    done = session.execute(
        update(Inbox).where(Inbox.user_id == user_id, Inbox.state == HELD).values(state=NEW)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def purge(store: Store, before: float) -> int:
    """Forget what was treated before that; the newest of each bot stays, for it is the offset."""
    with store.write() as session:
        kept = list(session.scalars(select(func.max(Inbox.received_at)).group_by(Inbox.bot)))
        done = session.execute(
            delete(Inbox).where(
                Inbox.state.in_((DONE, DROPPED)),
                Inbox.done_at < before,
                Inbox.received_at.not_in(kept),
            )
        )
    return int(done.rowcount)  # type: ignore[attr-defined]


def blank(session: Session, memory: Memory) -> None:
    """What Telegram told of this message is not readable here any longer."""
    mark = f'"message_id": {memory.message_id},'
    query = select(Inbox).where(
        Inbox.bot == memory.bot,
        Inbox.user_id == memory.user_id,
        Inbox.state == DONE,
        Inbox.raw.contains(mark, autoescape=True),
    )
    for row in session.scalars(query).all():
        told = json.loads(row.raw)
        message = told.get("message") or told.get("edited_message") or {}
        if message.get("message_id") == memory.message_id:
            row.raw = "{}"


def _who(one: Mapping[str, Any]) -> int:
    for value in one.values():
        sender = value.get("from") if isinstance(value, dict) else None
        number = sender.get("id") if isinstance(sender, dict) else None
        if isinstance(number, int) and abs(number) < 1 << 62:
            return number
    return 0
