"""The rows of files on their way."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from pipeline.model import Source
from pipeline.store.tables import Media

_OF_JOB = select(Media).where(Media.job == bindparam("job"))  # built once: each step asks


def of_job(session: Session, job: str) -> Media | None:
    return session.scalar(_OF_JOB, {"job": job})


def must(session: Session, job: str) -> Media:
    """The row that the first step of the job has made."""
    return session.scalars(_OF_JOB, {"job": job}).one()


def reserve(session: Session, job: str, modelo: str, source: Source, path: str) -> Media:
    """The row of this job; made with this path unless it is there with its own already."""
    row = of_job(session, job)
    if row is None:
        row = Media(
            job=job,
            modelo=modelo,
            kind=source.kind.value,
            path=path,
            name=source.name,
            mime=source.mime,
            size=source.size,  # as it was declared, until it is here
            duration=source.duration,
            text=source.text,
            user_id=source.user_id,
            chat_id=source.chat_id,
            message_id=source.message_id,
            received_at=source.received_at,
        )
        session.add(row)
    elif row.state == "rejected":
        row.state = "new"
    return row


def reject(session: Session, job: str) -> None:
    row = of_job(session, job)
    if row is not None:
        row.state = "rejected"


def same_content(session: Session, row: Media) -> Media | None:
    """The file of this modelo that was stored first with these bytes."""
    return session.scalar(
        select(Media).where(
            Media.modelo == row.modelo,
            Media.sha256 == row.sha256,
            Media.state == "stored",
            Media.id != row.id,
        )
    )


def heir(session: Session, row: Media) -> Media | None:
    """Who sent the same bytes next."""
    if row.state != "stored":
        return None
    same = (Media.duplicate_of == row.id, Media.state == "duplicate")
    return session.scalar(select(Media).where(*same).order_by(Media.id).limit(1))


def inherit(session: Session, row: Media, heir: Media) -> None:
    """The file is its own now, and those that repeat it repeat this one."""
    heir.path, row.path = row.path, ""
    heir.state, heir.duplicate_of = "stored", None
    others = update(Media).where(Media.duplicate_of == row.id, Media.id != heir.id)
    session.execute(others.values(duplicate_of=heir.id))
