"""One post goes out: claimed before a byte leaves, and never sent again when its end is unknown."""

from __future__ import annotations

import time

import structlog
from sqlalchemy.orm import Session

from pipeline.events import redacted, said
from pipeline.kit import Kit
from pipeline.model import Kind, WorldError
from pipeline.store import posts
from pipeline.store.tables import Media, Post
from pipeline.targets.port import Parcel, RefusedError, Target, UnknownError

say = structlog.get_logger(part="pipeline.publish")


def run(kit: Kit, target: Target, number: int) -> None:
    with kit.store.write() as session:
        if not posts.claim(session, number, kit.executor, time.time()):
            return
        post, parcel, job = _parcel(kit, session, number)
    log = say.bind(job=job, modelo=post.modelo, post=number, target=post.target)
    try:
        receipt = target.send(parcel)
    except WorldError as error:
        wait = max(error.after, min(kit.settings.retry_first * 2.0**post.attempts, 3600.0))
        _settle(kit, number, "pending", error=str(error), due_at=time.time() + wait)
        log.warning("post.waiting", again=round(wait), url=error.url or None, error=str(error))
    except UnknownError as error:
        _settle(kit, number, "unknown", error=redacted(str(error)))
        log.warning("post.unknown", why="no answer came; it is not sent again", error=str(error))
    except Exception as error:
        words = str(error) if isinstance(error, RefusedError) else said(error)
        _settle(kit, number, "failed", error=redacted(words))
        log.exception("post.failed", file=kit.shown(parcel.path), error=words)
    else:
        _settle(kit, number, "sent", receipt=receipt, sent_at=time.time())
        log.info("post.sent", receipt=receipt)


def recover(kit: Kit, target_of: dict[str, Target]) -> None:
    """What was being sent when the process died: known to the place, not there, or unknown."""
    with kit.store.read() as session:
        left = [post.id for post in posts.half_sent(session, kit.executor)]
    for number in left:
        with kit.store.read() as session:
            post, parcel, job = _parcel(kit, session, number)
        try:
            target = target_of[post.target.partition(":")[0]]
            receipt = target.find(parcel)
        except (KeyError, UnknownError, OSError) as error:
            _settle(kit, number, "unknown", error=redacted(said(error)))
            say.warning("post.unknown", job=job, post=number, why="the process died while sending")
            continue
        if receipt is None:
            _settle(kit, number, "pending")
        else:
            _settle(kit, number, "sent", receipt=receipt, sent_at=time.time())


def _parcel(kit: Kit, session: Session, number: int) -> tuple[Post, Parcel, str]:
    post = session.get_one(Post, number)
    media = session.get_one(Media, post.media_id)
    parcel = Parcel(
        number=post.id,
        where=post.target.partition(":")[2],
        modelo=post.modelo,
        kind=Kind(media.kind),
        path=kit.settings.home / media.path,
        caption=media.caption,
    )
    return post, parcel, media.job


def _settle(kit: Kit, number: int, state: str, **values: object) -> None:
    with kit.store.write() as session:
        post = session.get_one(Post, number)
        post.state = state
        for name, value in values.items():
            setattr(post, name, value)
