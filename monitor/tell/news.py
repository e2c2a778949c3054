"""What happened, made into news: an incident that moved, or something that was told."""

from __future__ import annotations

from dataclasses import replace

from monitor.heal.incidents import severity_of
from monitor.model import Incident, Outcome, Severity, Told
from monitor.options import Rung
from monitor.redact import printable, redact
from monitor.tell.words import News, Step

_STEPS = 4  # the newest that a message shows
_LINE, _WORDS = 600, 1000

# What a child's life is told by; the first ends of it are nothing to wake anybody for.
_TROUBLE = ("child_ended", "breaker_opened", "child_given_up", "child_sick", "child_daemonised")
_ENDS = ("breaker_closed", "child_stopped", "child_finished")
# They are told as incidents, or are no news for a person.
_NO_NEWS = (
    "attempt_ended",
    "orphans_ended",
    "orphans_awaited",
    "means_lacking",
    "child_slow_to_stop",
    "log_not_rotated",
)


def of_incident(
    incident: Incident,
    rung: Rung | None,
    outcome: Outcome | None,
    pid: int | None,
    at: float,
    before: News | None,
) -> News:
    """An incident as people should know it, with what was tried so far."""
    match = incident.match
    news = News(
        subject=f"INC-{incident.id}",
        kind="incident",
        state=str(incident.state),
        severity=severity_of(incident),
        child=clean(incident.child),
        opened=incident.opened,
        last=max(incident.last, at),
        category=str(match.category),
        what=clean(match.subject or ""),
        why=clean(incident.why),
        line=clean(match.line.text, _LINE),
        where=clean(match.line.path.rsplit("/", 1)[-1]),
        pid=pid or (before.pid if before else None),
        occurrences=incident.occurrences,
        steps=before.steps if before else (),
        stepped=before.stepped if before else 0,
        acked_by=clean(incident.acked_by),
        root=f"INC-{incident.root}" if incident.root else "",
        key=clean(incident.key),
    )
    if outcome is None:
        return news
    detail = clean(f"{outcome.detail}; {outcome.proof}" if outcome.proof else outcome.detail)
    return _stepped(news, Step(at, rung.do if rung else "", str(outcome.result), detail))


def of_told(told: Told, at: float, before: News | None) -> News | None:
    """What was told as news about its subject; None when it is none."""
    facts = tuple((name, clean(value)) for name, value in told.facts)
    told = replace(told, child=clean(told.child), facts=facts)
    if told.kind in _TROUBLE:
        return _child_in_trouble(told, at, before)
    if before is not None and before.kind == "child" and told.child:
        return _child_well(told, at, before)
    if told.severity is Severity.INFO or told.kind in _NO_NEWS or told.kind.startswith("incident_"):
        return None
    times = before.occurrences + 1 if before else 1
    return News(
        subject=subject_of(told),
        kind=told.kind,
        state=told.kind,
        severity=told.severity,
        child=told.child,
        opened=at,
        last=at,
        occurrences=times,
        facts=facts,
    )


def subject_of(told: Told) -> str:
    """What it is about: one child in all its troubles, or one kind of event."""
    if told.kind in (*_TROUBLE, *_ENDS, "child_started", "child_stable"):
        return f"child/{told.child}"
    return f"{told.kind}/{told.child}" if told.child else told.kind


def _child_in_trouble(told: Told, at: float, before: News | None) -> News:
    """The same episode until the child is well again; from the second end on it is a warning."""
    times = before.occurrences + 1 if before else 1
    severity = told.severity
    if told.kind == "child_ended" and times < 2:
        severity = Severity.INFO
    return News(
        subject=f"child/{told.child}",
        kind="child",
        state=told.kind,
        severity=severity,
        child=told.child,
        opened=before.opened if before else at,
        last=at,
        occurrences=times,
        facts=told.facts,
    )


def _child_well(told: Told, at: float, before: News) -> News | None:
    by_a_person = told.kind == "child_started" and before.state in (
        "child_given_up",
        "child_daemonised",
    )
    is_stable = told.kind == "child_stable" and before.state in _TROUBLE
    if told.kind in _ENDS or by_a_person or is_stable:
        return replace(before, state=told.kind, last=at, facts=told.facts)
    return None


def with_deed(news: News, do: str, by: str, at: float) -> News:
    """What a person did about it stands among what was done."""
    return _stepped(news, Step(at, do, "", clean(by)))


def _stepped(news: News, step: Step) -> News:
    return replace(news, steps=(*news.steps, step)[-_STEPS:], stepped=news.stepped + 1)


def clean(text: str, most: int = _WORDS) -> str:
    """What may be kept and sent: without secrets, without what a terminal would obey, not long."""
    shown = printable(redact(text))
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
