"""What a person may say about an incident, and what comes of it; pure decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.heal.ladders import Ladder
from monitor.model import Incident, IncidentState

WORDS = ("ack", "resolve", "retry")


@dataclass(frozen=True, slots=True)
class Already:
    """It is so already: nothing changes, and nothing is wrong with having said it."""

    kind: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class No:
    """It cannot be so; the text with the reason, and its facts."""

    kind: str
    facts: tuple[tuple[str, str], ...] = ()


def said(
    word: str, incident: Incident, ladder: Ladder, by: str, now: float
) -> Incident | Already | No:
    """The incident after a person's word."""
    match word:
        case "ack":
            after = _acked(incident, by)
        case "resolve":
            after = _resolved(incident, by)
        case "retry":
            after = _retried(incident, ladder, by, now)
        case _:
            raise ValueError(f"nobody says {word!r}")
    return replace(after, word=word, by=by) if isinstance(after, Incident) else after


def _acked(incident: Incident, by: str) -> Incident | Already | No:
    if incident.acked_by:
        return Already("already_acked", (("by", incident.acked_by),))
    if incident.state is IncidentState.RESOLVED:
        return No("is_closed", (("why", incident.why),))
    return replace(incident, acked_by=by)


def _resolved(incident: Incident, by: str) -> Incident | Already | No:
    if incident.state is IncidentState.RESOLVED:
        return Already("already_closed", (("why", incident.why),))
    if incident.state is IncidentState.FIXING:
        return No("is_at_work")
    return replace(
        incident, state=IncidentState.RESOLVED, next_at=None, why=f"closed by {by}", retried_by=""
    )


def _retried(incident: Incident, ladder: Ladder, by: str, now: float) -> Incident | Already | No:
    if not ladder:
        return No("no_ladder", (("category", incident.match.category.value),))
    if incident.state is IncidentState.RESOLVED:
        return No("is_closed", (("why", incident.why),))
    if incident.state is IncidentState.FIXING:
        return No("is_at_work")
    waits = incident.state is IncidentState.DETECTED
    if waits and incident.retried_by and (incident.rung, incident.attempt) == (0, 0):
        return Already("already_retried", (("by", incident.retried_by),))
    return replace(
        incident,
        state=IncidentState.DETECTED, rung=0, attempt=0, next_at=now, root=None,
        why=f"{by} wants it tried again", retried_by=by,
    )  # fmt: skip
