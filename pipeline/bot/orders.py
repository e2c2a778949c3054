"""Commands of the chat. Each does what may be repeated at once, and gives back what belongs into
the transaction that marks its message as treated, where it finds the words of its answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.bot import inbox, people
from pipeline.bot.letter import Letter
from pipeline.bot.moment import read_moment
from pipeline.bot.people import People
from pipeline.bot.wording import amount, say
from pipeline.flows.jobs import Jobs, RefusedError
from pipeline.kit import Kit
from pipeline.model import JobState
from pipeline.profiles import Profile
from pipeline.store.tables import Hold, Media, Memory, Post

_SHOWN = 10
_LINE = 80  # characters of a text in a list


@dataclass(frozen=True, slots=True)
class Ask:
    kit: Kit
    jobs: Jobs
    people: People
    letter: Letter
    profile: Profile | None
    language: str
    now: float

    def say(self, word: str, /, **values: object) -> str:
        return say(word, self.language, **values)

    @property
    def admin(self) -> bool:
        return self.letter.person.id in self.kit.settings.admins


InTransaction = Callable[[Session], str]
Order = Callable[[Ask], InTransaction]


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
        scopes = [_scope(ask, one) for one in session.scalars(select(Hold.scope))]
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
        found = session.scalars(query.order_by(Memory.id.desc()).limit(_SHOWN)).all()
        if not found:
            return ask.say("no_memories")
        return "\n".join([ask.say("memories"), *(_memory(ask, one) for one in found)])

    return told


def _memory(ask: Ask, one: Memory) -> str:
    head = f"{one.id} · {amount(one.kind, 1, ask.language).partition(' ')[2]}"
    words = [" ".join(text.split())[:_LINE] for text in (one.text, one.context) if text.strip()]
    return " · ".join([head, *words])


def _forget(ask: Ask) -> InTransaction:
    """Also what its file was for: a post that has not gone out will not."""
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
        row.text = row.description = row.context = row.source = ""
        row.forgotten_at = ask.now
        return ask.say("forgotten")

    return done


def _own_memory(session: Session, number: int, user: int) -> Memory | None:
    row = session.get(Memory, number)
    mine = row is not None and row.user_id == user and row.forgotten_at is None
    return row if mine else None


def _reload(ask: Ask) -> InTransaction:
    ask.people.refresh()

    def done(session: Session) -> str:
        released = people.release(session, ask.people)
        text = ask.say("reloaded", count=len(ask.people.modelos()), released=released)
        return text + "".join(ask.say("wrong", why=why) for why in ask.people.wrong)

    return done


def _pause(ask: Ask) -> InTransaction:
    return _held(ask, paused=True)


def _resume(ask: Ask) -> InTransaction:
    return _held(ask, paused=False)


def _held(ask: Ask, *, paused: bool) -> InTransaction:
    name = ask.letter.words
    if name and name not in ask.people.modelos():
        return lambda _: ask.say("no_modelo", name=name[:64])
    scope = name or "*"

    def done(session: Session) -> str:
        row = session.get(Hold, scope)
        if paused and row is None:
            session.add(Hold(scope=scope, since=ask.now, why=f"{ask.letter.person.id}"))
        elif not paused:
            for one in session.scalars(select(Hold)).all():
                if scope in {"*", one.scope}:
                    session.delete(one)
        return ask.say("paused" if paused else "resumed", scope=_scope(ask, scope))

    return done


def _scope(ask: Ask, scope: str) -> str:
    return ask.say("all") if scope == "*" else scope


def _posts(ask: Ask) -> InTransaction:
    def told(session: Session) -> str:
        query = select(Post, Media.name, Media.path).join(Media).where(Post.state == "pending")
        rows = session.execute(query.order_by(Post.due_at, Post.id).limit(_SHOWN)).tuples().all()
        lines = [
            f"{post.id} · {_when(ask, post)} · {post.modelo} · {post.target} · {name or path}"
            for post, name, path in rows
        ]
        return "\n".join(lines) or ask.say("no_posts")

    return told


def _when(ask: Ask, post: Post, at: float | None = None) -> str:
    profile = ask.people.modelos().get(post.modelo)
    zone = profile.posting.zone if profile else None
    return datetime.fromtimestamp(at or post.due_at, zone).strftime("%Y-%m-%d %H:%M")


def _reschedule(ask: Ask) -> InTransaction:
    number, _, rest = ask.letter.words.partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return lambda _: ask.say("how_reschedule")

    def done(session: Session) -> str:
        post = session.get(Post, int(number))
        if post is None or post.state != "pending":
            return ask.say("no_post", number=int(number))
        profile = ask.people.modelos().get(post.modelo)
        at = read_moment(rest, ask.now, profile.posting.zone if profile else ZoneInfo("UTC"))
        if at is None:
            return ask.say("how_reschedule")
        post.due_at = at
        return ask.say("rescheduled", number=int(number), at=_when(ask, post))

    return done


def _jobs(ask: Ask) -> InTransaction:
    lines = [
        f"{view.id} · {view.modelo} · {view.percent} % · {view.words[:_LINE]}"
        for view in ask.jobs.recent(_SHOWN, ask.language)
    ]
    return lambda _: "\n".join(lines) or ask.say("no_jobs")


def _retry(ask: Ask) -> InTransaction:
    job = ask.letter.words[:128]
    try:
        ask.jobs.retry(job)
    except RefusedError:
        return lambda _: ask.say("no_job", job=job)
    ask.kit.nudge()
    return lambda _: ask.say("retried", job=job)


ORDERS: dict[str, Order] = {
    "start": _start,
    "help": _help,
    "status": _status,
    "memories": _memories,
    "forget": _forget,
}
FOR_ADMINS: dict[str, Order] = {
    "reload": _reload,
    "pause": _pause,
    "resume": _resume,
    "posts": _posts,
    "reschedule": _reschedule,
    "jobs": _jobs,
    "retry": _retry,
}
