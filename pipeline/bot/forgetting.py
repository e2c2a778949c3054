"""What was forgotten is taken from the disk, too: a file once nothing needs it, and its job."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline import files
from pipeline.bot import inbox
from pipeline.events import said
from pipeline.flows.jobs import Jobs, RefusedError
from pipeline.kit import Kit
from pipeline.steps.download import BROKEN
from pipeline.store import media
from pipeline.store.tables import Media, Memory, Post

say = structlog.get_logger(part="pipeline.forget")
_BUSY, _MENDED, _LATER = 1.0, 60.0, 3600.0  # seconds until it is looked at again
_BEGUN = ("sending", "sent", "unknown")


def forget(session: Session, memory: Memory, now: float) -> bool:
    """Nothing of it can be read any more; whether its file stays for somebody who sent the same."""
    inbox.blank(session, memory)
    memory.text = memory.description = memory.context = memory.source = ""
    memory.forgotten_at = now
    row = media.of_job(session, memory.job) if memory.job else None
    return row is not None and media.heir(session, row) is not None


def sweep(kit: Kit, jobs: Jobs) -> float:
    """Takes away what is left of what was forgotten; seconds until somebody should look again. Each
    piece may be repeated: its memory names the job until all of it is gone.
    """
    with kit.store.read() as session:
        query = select(Memory).where(Memory.forgotten_at.is_not(None), Memory.job.is_not(None))
        left = session.scalars(query).all()
    return min((_take_away(kit, jobs, one.id, one.job or "") for one in left), default=_LATER)


def _take_away(kit: Kit, jobs: Jobs, memory: int, job: str) -> float:
    if job in kit.gate.active:  # its step comes to an end first
        return _BUSY
    with kit.store.write() as session:
        row = media.of_job(session, job)
        posts = _posts(session, row)
        if any(post.state == "sending" for post in posts):
            return _BUSY
        path, heir = _let_go(kit, session, row, posts) if row else ("", None)
    try:
        if path:
            _delete(kit.settings.home / path)
    except OSError as error:
        say.error("forget.failed", file=kit.shown(error.filename or path), error=said(error))
        return _MENDED
    jobs.drop(job)
    if heir:
        with contextlib.suppress(RefusedError):  # so old that its job is forgotten itself
            jobs.retry(heir)
    with kit.store.write() as session:
        session.get_one(Memory, memory).job = None
    return _LATER


def _let_go(
    kit: Kit, session: Session, row: Media, posts: Sequence[Post]
) -> tuple[str, str | None]:
    """The file to delete; none when it goes over to who sent the same, whose job is to be done again
    when nothing of it has been posted.
    """
    kit.store.alone(session, f"media {row.modelo}")
    heir = media.heir(session, row)
    row.state = "forgotten"
    row.name = row.text = row.caption = row.sha256 = ""
    for post in posts:
        post.state = post.state if post.state in _BEGUN else "cancelled"
    if heir is None:
        return row.path, None
    session.flush()
    media.inherit(session, row, heir)
    return "", None if any(post.state in _BEGUN for post in posts) else heir.job


def _posts(session: Session, row: Media | None) -> Sequence[Post]:
    query = select(Post).where(Post.media_id == (row.id if row else None))
    return session.scalars(query).all()


def _delete(final: Path) -> None:
    """Also what came of it only in part, or broken."""
    broken = final.parent / BROKEN
    for path in (final, files.part_of(final), *broken.glob(f"{final.stem}.*")):
        path.unlink(missing_ok=True)
