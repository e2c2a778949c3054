"""Commands of the chat. Each does what may be repeated at once, and gives back what belongs into
the transaction that marks its message as treated, where it finds the words of its answer.
"""

from __future__ import annotations

import contextlib

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.bot import inbox
from pipeline.bot.admin import FOR_ADMINS
from pipeline.bot.ask import LINE, SHOWN, Ask, InTransaction, Order, scope_named
from pipeline.bot.forgetting import forget
from pipeline.bot.wording import amount
from pipeline.flows.jobs import RefusedError
from pipeline.model import JobState
from pipeline.store.tables import Hold, Memory, Post


def order(ask: Ask) -> InTransaction:
    """What the command asks for; those of an admin are refused to everybody else."""
    word = ask.letter.command
    if word in ORDERS:
        return ORDERS[word](ask)
    found = FOR_ADMINS.get(word)
    if found is None:
        return lambda _: ask.say("no_command", word=word[:32])
    return found(ask) if ask.admin else lambda _: ask.say("not_allowed")


def _start(ask: Ask) -> InTransaction:
    return lambda _: ask.say("hello", name=ask.letter.person.name)


def _help(ask: Ask) -> InTransaction:
    return lambda _: ask.say("help") + (ask.say("help_admin") if ask.admin else "")


def _status(ask: Ask) -> InTransaction:
    queues = ask.jobs.queues(ask.now) if ask.admin else None
    jobs = _jobs_of(ask)

    def told(session: Session) -> str:
        text = _own_status(ask, session, jobs) if ask.profile else ""
        if queues is not None:
            held = inbox.held_by(session)
            text += ask.say(
                "status_all",
                queued=queues.queued,
                running=queues.running,
                waiting=queues.waiting,
                failed=queues.failed,
                held=held,
            )
        scopes = [scope_named(ask, one) for one in session.scalars(select(Hold.scope))]
        return (text + (ask.say("held_back", scopes=", ".join(scopes)) if scopes else "")).strip()

    return told


def _jobs_of(ask: Ask) -> list[JobState]:
    """Of the files that this person sent lately."""
    with ask.kit.store.read() as session:
        query = select(Memory.job).where(
            Memory.user_id == ask.letter.person.id, Memory.job.is_not(None)
        )
        names = list(session.scalars(query.order_by(Memory.id.desc()).limit(200)))
    views = ask.jobs.views([name for name in names if name], ask.language)
    return [view.state for view in views.values()]


def _own_status(ask: Ask, session: Session, jobs: list[JobState]) -> str:
    assert ask.profile is not None
    states = dict(
        session.execute(
            select(Post.state, func.count())
            .where(Post.modelo == ask.profile.name)
            .group_by(Post.state)
        )
        .tuples()
        .all()
    )
    done = jobs.count(JobState.SUCCEEDED)
    over = done + jobs.count(JobState.CANCELLED)
    return ask.say(
        "status",
        modelo=ask.profile.display,
        open=len(jobs) - over,
        done=done,
        pending=states.get("pending", 0),
        sent=states.get("sent", 0),
    )


def _memories(ask: Ask) -> InTransaction:
    def told(session: Session) -> str:
        query = select(Memory).where(
            Memory.user_id == ask.letter.person.id, Memory.forgotten_at.is_(None)
        )
        found = session.scalars(query.order_by(Memory.id.desc()).limit(SHOWN)).all()
        if not found:
            return ask.say("no_memories")
        return "\n".join([ask.say("memories"), *(_memory(ask, one) for one in found)])

    return told


def _memory(ask: Ask, one: Memory) -> str:
    head = f"{one.id} · {amount(one.kind, 1, ask.language).partition(' ')[2]}"
    known = (one.text, one.description, one.context)
    words = [" ".join(text.split())[:LINE] for text in known if text.strip()]
    return " · ".join([head, *words])


def _forget(ask: Ask) -> InTransaction:
    """Also its file, and what that was for: a post that has not gone out will not."""
    word = ask.letter.words
    if not (word.isascii() and word.isdigit() and len(word) < 18):
        return lambda _: ask.say("which_memory")
    with ask.kit.store.read() as session:
        found = _own_memory(session, int(word), ask.letter.person.id)
    if found is not None and found.job:
        with contextlib.suppress(RefusedError):  # the job may be long forgotten itself
            ask.jobs.cancel(found.job)

    def done(session: Session) -> str:
        row = _own_memory(session, int(word), ask.letter.person.id)
        if row is None:
            return ask.say("no_memory", number=int(word))
        stays = forget(session, row, ask.now)
        if not row.job:
            return ask.say("forgotten")
        return ask.say("forgotten_but_shared" if stays else "forgotten_with_file")

    return done


def _own_memory(session: Session, number: int, user: int) -> Memory | None:
    row = session.get(Memory, number)
    mine = row is not None and row.user_id == user and row.forgotten_at is None
    return row if mine else None


ORDERS: dict[str, Order] = {
    "start": _start,
    "help": _help,
    "status": _status,
    "memories": _memories,
    "forget": _forget,
}
