"""The ledger: what goes out, where, when, and what became of it; nothing goes out twice."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pipeline.profiles import Posting
from pipeline.rules import next_time
from pipeline.store.tables import Hold, Media, Post

OPEN = ("pending", "sending", "sent", "unknown")  # they take a place in the day


def plan(session: Session, media: Media, target: str, posting: Posting, now: float) -> Post:
    """The post of this file to this target, which is there once whatever happens."""
    known = session.scalar(select(Post).where(Post.media_id == media.id, Post.target == target))
    if known is not None:
        return known
    post = Post(
        media_id=media.id,
        modelo=media.modelo,
        target=target,
        due_at=next_time(posting, taken(session, media.modelo, target, now), now),
        created_at=now,
    )
    session.add(post)
    session.flush()
    return post


def taken(
    session: Session, modelo: str, target: str, now: float, *, gone: bool = False
) -> list[float]:
    """When posts of this modelo go or went to this target, as far as the rules look."""
    states = ("sending", "sent", "unknown") if gone else OPEN
    rows = session.execute(
        select(Post.sent_at, Post.due_at).where(
            Post.modelo == modelo,
            Post.target == target,
            Post.state.in_(states),
            Post.due_at > now - 2 * 86400,
        )
    )
    return sorted(sent or due for sent, due in rows.tuples())


def due(session: Session, now: float, limit: int = 50) -> Sequence[Post]:
    """What may go out now: pending, its time has come, and nobody holds it back."""
    held = select(Hold.scope)
    scopes = set(session.scalars(held).all())
    if "*" in scopes:
        return []
    query = select(Post).where(Post.state == "pending", Post.due_at <= now)
    if scopes:
        query = query.where(Post.modelo.not_in(scopes))
    return session.scalars(query.order_by(Post.due_at, Post.id).limit(limit)).all()


def claim(session: Session, post: int, owner: str, now: float) -> bool:
    """Whether it is ours to send; written down before a byte of it leaves."""
    changed = session.execute(
        update(Post)
        .where(Post.id == post, Post.state == "pending")
        .values(state="sending", owner=owner, started_at=now, attempts=Post.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


class NotSoError(Exception):
    """That cannot be done to this post, and why."""


def decide(session: Session, number: int, *, went_out: bool, now: float) -> Post:
    """A person has looked: an unknown post is there, or it is not and goes out again."""
    post = session.get(Post, number)
    if post is None:
        raise NotSoError(f"there is no post {number}")
    if post.state not in {"unknown", "failed"}:
        raise NotSoError(f"post {number} is {post.state}; only unknown and failed ones are decided")
    media = session.get_one(Media, post.media_id)
    if not went_out and media.state == "forgotten":
        raise NotSoError(f"the file of post {number} was forgotten by who sent it")
    post.state, post.error = ("sent" if went_out else "pending"), ""
    post.sent_at = now if went_out else None
    return post


def hold(session: Session, scope: str, why: str, now: float) -> None:
    """Nothing of this modelo (`*`: of any) goes out until it is lifted."""
    session.merge(Hold(scope=scope, since=now, why=why))


def lift(session: Session, scope: str) -> None:
    """All holds, when it is `*`."""
    everything = delete(Hold)
    session.execute(everything if scope == "*" else everything.where(Hold.scope == scope))


def newest(session: Session, limit: int) -> Sequence[Post]:
    return session.scalars(select(Post).order_by(Post.id.desc()).limit(limit)).all()


def half_sent(session: Session, owner: str) -> Sequence[Post]:
    """What a process in this place had begun when it died."""
    return session.scalars(select(Post).where(Post.state == "sending", Post.owner == owner)).all()
