"""Commands of who runs the bot."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.bot import people
from pipeline.bot.ask import LINE, SHOWN, Ask, InTransaction, Order, scope_named
from pipeline.bot.moment import read_moment
from pipeline.flows.jobs import RefusedError
from pipeline.store.tables import Hold, Media, Post


def _reload(ask: Ask) -> InTransaction:
    ask.people.reread()

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
        return ask.say("paused" if paused else "resumed", scope=scope_named(ask, scope))

    return done


def _posts(ask: Ask) -> InTransaction:
    def told(session: Session) -> str:
        query = select(Post, Media.name, Media.path).join(Media).where(Post.state == "pending")
        rows = session.execute(query.order_by(Post.due_at, Post.id).limit(SHOWN)).tuples().all()
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
        f"{view.id} · {view.modelo} · {view.percent} % · {view.words[:LINE]}"
        for view in ask.jobs.recent(SHOWN, ask.language)
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


FOR_ADMINS: dict[str, Order] = {
    "reload": _reload,
    "pause": _pause,
    "resume": _resume,
    "posts": _posts,
    "reschedule": _reschedule,
    "jobs": _jobs,
    "retry": _retry,
}
