"""A closed batch is understood as one thing: its files become jobs, and it is answered once."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.bot import batches, outbox
from pipeline.bot.turn import Thing, Turn, question_for, wording
from pipeline.flows.jobs import Jobs
from pipeline.kit import Kit
from pipeline.model import JobState, JobView, Source
from pipeline.profiles import Profile, ProfileError
from pipeline.store.tables import Batch, Memory, Sender
from pipeline.texts import phrase

_ANSWERABLE = 86400.0  # seconds that a question waits for an answer without a quote


def answer(kit: Kit, jobs: Jobs, batch: Batch) -> None:
    """Files first, for handing in again is the same job; then all else in one transaction."""
    profile = profile_of(kit, batch.modelo)
    with kit.store.read() as session:
        found = batches.items(session, batch.id)
        language = language_of(session, batch.user_id, profile)
    submitted = {one.id: _submit(jobs, one, found) for one in found if one.source}
    now = time.time()
    with kit.store.write() as session:
        row = session.get_one(Batch, batch.id)
        if row.state != batches.CLOSED:
            return
        items = batches.items(session, batch.id)
        for one in items:
            one.job = submitted.get(one.id)
        noted, not_yours = _note(session, row, items, now)
        things = tuple(map(thing, items))
        asked = profile.questions if profile else ()
        row.question = "" if noted else question_for(things, asked, language)
        row.state = batches.ANSWERED if submitted else batches.DONE
        turn = Turn(things, language, row.question, noted, not_yours)
        if items:
            text = wording(turn, _as_queued(turn, language))
            outbox.write(session, f"batch:{row.id}", row.chat_id, text, now, row.id)


def thing(memory: Memory) -> Thing:
    name = str(json.loads(memory.source).get("name", "")) if memory.source else ""
    return Thing(memory.kind, memory.text, memory.job or "", name)


def profile_of(kit: Kit, modelo: str) -> Profile | None:
    """None while its config.json cannot be read; its jobs say what is wrong with it."""
    try:
        return kit.profiles.of(modelo)
    except (ProfileError, OSError):
        return None


def language_of(session: Session, user: int, profile: Profile | None) -> str:
    """The sender's, as Telegram says it; else that of the modelo."""
    sender = session.get(Sender, user)
    said = (sender.language if sender else "")[:2].lower()
    return said if said in {"es", "en"} else profile.language if profile else "es"


def _submit(jobs: Jobs, memory: Memory, items: Sequence[Memory]) -> str:
    """What is written under one picture of an album is meant for all of it."""
    source = Source.unpacked(json.loads(memory.source))
    album = [one.text for one in items if one.album and one.album == memory.album and one.text]
    text = memory.text or (album[0] if album else "")
    raw = source.packed() | {"text": text}
    return jobs.submit(Source.unpacked(raw), memory.modelo)


def _note(session: Session, batch: Batch, items: Sequence[Memory], now: float) -> tuple[bool, bool]:
    """Texts that answer something are added to what they belong to; only its owner may."""
    noted = refused = False
    free = [one for one in items if one.text.strip() and not one.source]
    for one in [one for one in free if one.reply_to]:
        about = _quoted(session, one)
        if not about:
            continue
        free.remove(one)
        if all(other.user_id == batch.user_id for other in about):
            _add(session, about, one.text, now)
            noted = True
        else:
            refused = True
    asked = _open_question(session, batch, now)
    if asked is not None and free and not any(one.source for one in items):
        _add(session, _shown(session, asked.id), "\n".join(one.text for one in free), now)
        noted = True
    return noted, refused


def _quoted(session: Session, memory: Memory) -> list[Memory]:
    """What a quoted message is about: itself, or all of the batch that it answered."""
    same = (Memory.bot == memory.bot, Memory.chat_id == memory.chat_id)
    direct = select(Memory).where(
        *same, Memory.message_id == memory.reply_to, Memory.forgotten_at.is_(None)
    )
    found = list(session.scalars(direct))
    if found:
        return found
    here = (Batch.bot == memory.bot, Batch.chat_id == memory.chat_id)
    batch = session.scalar(select(Batch.id).where(*here, Batch.answer_id == memory.reply_to))
    return [] if batch is None else _shown(session, batch)


def _shown(session: Session, batch: int) -> list[Memory]:
    """The files of a batch; its texts, when it has none."""
    items = batches.items(session, batch)
    return [one for one in items if one.source] or list(items)


def _open_question(session: Session, batch: Batch, now: float) -> Batch | None:
    last = session.scalar(
        select(Batch)
        .where(Batch.user_id == batch.user_id, Batch.bot == batch.bot, Batch.id < batch.id)
        .order_by(Batch.id.desc())
        .limit(1)
    )
    fresh = last is not None and last.question and now - last.last_at < _ANSWERABLE
    return last if fresh else None


def _add(session: Session, memories: list[Memory], text: str, now: float) -> None:
    for one in memories:
        one.context = f"{one.context}\n{text}".strip()
        one.updated_at = now
    for number in {one.batch_id for one in memories}:
        session.get_one(Batch, number).question = ""


def _as_queued(turn: Turn, language: str) -> dict[str, JobView]:
    word = phrase("queued", language)
    jobs = [one.job for one in turn.things if one.job]
    return {job: JobView(job, JobState.QUEUED, 0, "", word) for job in jobs}
