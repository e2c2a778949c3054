"""Jobs that failed and are tried again by themselves, ever less often."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pipeline.config import Settings
from pipeline.store.tables import Retry

OVER = "over"  # nobody tries any more
CANCELLED = "cancelled"


def put(
    session: Session,
    job: str,
    kind: str,
    step: str,
    error: str,
    after: float,
    now: float,
    settings: Settings,
) -> Retry:
    """When it is tried again; its kind is `over` when it has failed for too long."""
    known = session.get(Retry, job)
    if known is None:
        known = Retry(job=job, attempts=0, first_at=now, kind=kind, step=step, at=now, error="")
        session.add(known)
    known.attempts += 1
    known.kind, known.step, known.error = kind, step, error[:500]
    known.at = now + max(after, delay(kind, known.attempts, settings))
    if known.at - known.first_at > settings.give_up_after:
        known.kind = OVER
    return known


def delay(kind: str, attempts: int, settings: Settings) -> float:
    """Twice as long each time; what only a repair can help is looked at less often."""
    first = settings.retry_first if kind == "world" else settings.retry_ours
    return min(first * 2.0 ** min(attempts - 1, 20), max(settings.retry_most, first))


def due(session: Session, now: float) -> Sequence[Retry]:
    return session.scalars(
        select(Retry)
        .where(Retry.at <= now, Retry.kind.not_in((OVER, CANCELLED)))
        .order_by(Retry.at)
        .limit(100)
    ).all()


def hasten(session: Session, job: str, now: float) -> None:
    """It is due now; also when nobody would have tried any more."""
    known = session.get(Retry, job)
    if known is not None and known.kind != CANCELLED:
        known.at = now
        known.kind = "ours" if known.kind == OVER else known.kind


def succeeded(session: Session, job: str, now: float) -> None:
    """It went through: what failed in the same step may well do so now, too."""
    known = session.get(Retry, job)
    if known is None:
        return
    step = known.step
    session.delete(known)
    session.execute(update(Retry).where(Retry.step == step, Retry.at > now).values(at=now))


def forget(session: Session, job: str) -> None:
    session.execute(delete(Retry).where(Retry.job == job))
