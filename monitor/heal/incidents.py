"""What an incident is, and its life as pure decisions: what was, what came, when -> what is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from monitor.heal.ladders import Ladder, wait_before
from monitor.model import (
    OPEN,
    Category,
    Incident,
    IncidentState,
    Match,
    Outcome,
    Result,
    Severity,
)

# What the child does as well by itself when it has said that it will.
_DOES_ITSELF = ("resume_job", "wait_out")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_LONGEST_OWN = 3600.0
_OWN_TRY = 120.0  # seconds that such a try may take until it says that it failed again


def key_of(match: Match, child: str) -> str:
    """What makes two lines the same trouble: where, what, of which thing, in which job."""
    job = dict(match.captures).get("job", "")
    said = dict(match.captures).get("shape", "")  # of a line that no rule knows, all there is
    return "\x1f".join((child, match.category, match.rule, match.subject or said, job))


def target_of(incident: Incident) -> str:
    """What a repair would touch; two incidents with one target wait for each other."""
    return incident.match.subject or incident.child


def opened(id: int, match: Match, child: str, ladder: Ladder, now: float) -> Incident:
    """A new incident; with a ladder its first attempt has its time at once."""
    fresh = Incident(
        id=id,
        key=key_of(match, child),
        state=IncidentState.DETECTED,
        match=match,
        child=child,
        opened=match.line.at,
        last=match.line.at,
    )
    if not ladder:
        return only_told(fresh, "nothing of ours repairs this")
    if own := own_retry(match, ladder):
        return _left_to_the_child(fresh, own, now)
    return replace(fresh, next_at=now + wait_before(ladder[0], 1))


def own_retry(match: Match, ladder: Ladder) -> float | None:
    """Seconds until nothing more can come of it when the child, as it says, tries again by itself.

    Then it is not done twice, and nobody is restarted in the middle; what has to be mended first
    is mended all the same.
    """
    said = dict(match.captures).get("again", "")
    if not ladder or ladder[0].do not in _DOES_ITSELF or not _SECONDS.fullmatch(said):
        return None
    return min(_LONGEST_OWN, float(said)) + _OWN_TRY


def mends_itself(incident: Incident, ladder: Ladder) -> bool:
    """Whether time alone decides: the child tries again, and a person did not ask us to."""
    return not incident.retried_by and own_retry(incident.match, ladder) is not None


def recovered(incident: Incident) -> Incident:
    why = "the child tried again by itself, and nothing more came"
    return replace(incident, state=IncidentState.RESOLVED, next_at=None, why=why)


def _left_to_the_child(incident: Incident, own: float, now: float) -> Incident:
    return replace(
        incident,
        state=IncidentState.DETECTED, next_at=now + own, why="the child tries again by itself",
    )  # fmt: skip


def is_stale(match: Match, oldest: float) -> bool:
    """Whether a line is too old for anything to be done about what it says."""
    line = match.line
    return line.old or (line.written is not None and line.at - line.written > oldest)


def why_stale(match: Match) -> str:
    line = match.line
    if line.old or line.written is None:
        return "written before anyone watched"
    return f"written {line.at - line.written:.0f} s before it was read: too old to act on"


def only_told(incident: Incident, why: str) -> Incident:
    return replace(incident, state=IncidentState.ALERT_ONLY, why=why, next_at=None)


def explained(incident: Incident, root: Incident) -> Incident:
    """It follows from another one: counted there, and nothing is done about it by itself."""
    why = f"follows from INC-{root.id} ({root.match.category})"
    return replace(only_told(incident, why), root=root.id, tried=0)


def repeated(incident: Incident, match: Match, ladder: Ladder, now: float) -> Incident:
    """The same trouble again: counted, and after a repair it goes on with the next step."""
    counted = said_again(incident, match)
    if (own := own_retry(match, ladder)) and not incident.retried_by:
        return _said_to_try_again(replace(counted, match=match), own, now)
    if incident.state is IncidentState.DETECTED and mends_itself(incident, ladder):
        why = "the child tries no more by itself"
        return from_the_start(replace(counted, match=match), ladder, now, why)
    if incident.state is IncidentState.RETRYING:
        back = replace(counted, match=match, returned=incident.returned + 1, retried_by="")
        return _next_step(back, ladder, now, "it came back after the repair")
    return counted


def _said_to_try_again(incident: Incident, own: float, now: float) -> Incident:
    """It has its time anew; what is at work on it now is judged when it ends."""
    if incident.state is IncidentState.FIXING:
        return incident
    came_back = incident.state is not IncidentState.DETECTED
    back = replace(incident, returned=incident.returned + came_back)
    return _left_to_the_child(back, own, now)


def said_again(incident: Incident, match: Match) -> Incident:
    """One more time the same, of which nothing follows."""
    return replace(incident, occurrences=incident.occurrences + 1, last=match.line.at)


def reopened(incident: Incident, match: Match, ladder: Ladder, now: float) -> Incident:
    """A closed one comes back: the same incident, on the next rung; a failed one stays failed."""
    counted = said_again(incident, match)
    if incident.state is not IncidentState.RESOLVED:
        return counted
    returned = incident.returned + 1
    back = replace(counted, match=match, returned=returned, acked_by="", retried_by="")
    if own := own_retry(match, ladder):
        return _left_to_the_child(back, own, now)
    if incident.word == "resolve":  # a person mended it: what failed before may help now
        return from_the_start(back, ladder, now, f"it came back after {incident.by} closed it")
    return _next_rung(back, ladder, now, "it came back after it was resolved")


def from_the_start(incident: Incident, ladder: Ladder, now: float, why: str) -> Incident:
    """The whole ladder has its time."""
    if not ladder:
        return only_told(incident, f"{why}; nothing of ours repairs this")
    due = now + (own_retry(incident.match, ladder) or wait_before(ladder[0], 1))
    return replace(
        incident,
        state=IncidentState.DETECTED, rung=0, attempt=0, next_at=due, root=None, why=why,
    )  # fmt: skip


def begun(incident: Incident) -> Incident:
    return replace(
        incident,
        state=IncidentState.FIXING,
        attempt=incident.attempt + 1,
        tried=incident.attempt + 1,
        next_at=None,
        why="",
    )


def judged(
    incident: Incident, outcome: Outcome, ladder: Ladder, quiet: float, now: float
) -> Incident:
    """What an attempt's outcome means: stay well from now on, try again, or climb."""
    ended = replace(incident, acted_at=now)
    if outcome.result in (Result.DONE, Result.NOTHING):
        return replace(ended, state=IncidentState.RETRYING, next_at=now + quiet, why=outcome.detail)
    if outcome.result is Result.UNKNOWN:
        why = f"{outcome.detail}; please check"
        return replace(ended, state=IncidentState.FAILED, next_at=None, why=why)
    if outcome.result is Result.DRY_RUN:
        return only_told(ended, outcome.detail)
    if (own := own_retry(incident.match, ladder)) and not incident.retried_by:
        return _left_to_the_child(ended, own, now)
    if outcome.result is Result.REFUSED:
        return _next_rung(ended, ladder, now, outcome.detail)
    return _next_step(ended, ladder, now, outcome.detail, outcome.wait)


def stayed_well(incident: Incident, quiet: float) -> Incident:
    why = incident.why or f"well for {quiet:g} s"
    return replace(incident, state=IncidentState.RESOLVED, next_at=None, why=why)


def failed(incident: Incident, why: str) -> Incident:
    return replace(incident, state=IncidentState.FAILED, next_at=None, why=why)


def _next_step(
    incident: Incident, ladder: Ladder, now: float, why: str, wait: float | None = None
) -> Incident:
    """The next attempt on this rung, or the next rung when it has no attempts left."""
    if incident.rung < len(ladder) and incident.attempt < ladder[incident.rung].attempts:
        delay = wait_before(ladder[incident.rung], incident.attempt + 1)
        due = now + (delay if wait is None else max(delay, wait))
        return replace(incident, state=IncidentState.DETECTED, next_at=due, why=why)
    return _next_rung(incident, ladder, now, why)


def _next_rung(incident: Incident, ladder: Ladder, now: float, why: str) -> Incident:
    rung = incident.rung + 1
    if rung >= len(ladder):
        return failed(replace(incident, rung=len(ladder)), f"{why}; nothing is left to try")
    due = now + wait_before(ladder[rung], 1)
    return replace(
        incident, state=IncidentState.DETECTED, rung=rung, attempt=0, next_at=due, why=why
    )


# --- what explains what ------------------------------------------------------------------------

# An open root (left) explains these while it lasts.
_EXPLAINS: dict[Category, frozenset[Category]] = {
    Category.DISK_FULL: frozenset(
        {Category.CORRUPT_FILE, Category.DATABASE, Category.CRASH, Category.UNKNOWN}
    ),
    Category.SERVER_DOWN: frozenset(
        {Category.TIMEOUT, Category.DATABASE, Category.CRASH, Category.UNKNOWN}
    ),
}
# These roots explain only what speaks of the same host.
_ONLY_SAME_HOST = frozenset({Category.SERVER_DOWN})
_EXPLAINED = frozenset().union(*_EXPLAINS.values())


def root_of(match: Match, child: str, known: Iterable[Incident]) -> Incident | None:
    """The open incident from which this line follows, if there is one."""
    if match.category not in _EXPLAINED:  # asked for each line of a flood: most end here
        return None
    for other in known:
        if other.state not in OPEN or other.child != child or other.root is not None:
            continue
        if match.category not in _EXPLAINS.get(other.match.category, frozenset()):
            continue
        if other.match.category in _ONLY_SAME_HOST and not _same_host(match, other.match):
            continue
        return other
    return None


def _same_host(one: Match, other: Match) -> bool:
    host = host_of(other)
    return bool(host) and (host_of(one) == host or host in one.line.text)


def host_of(match: Match) -> str:
    """The host that a line speaks of, without scheme, credentials, port and path."""
    named = dict(match.captures).get("host") or match.subject or ""
    bare = named.split("://", 1)[-1].rsplit("@", 1)[-1].split("/", 1)[0]
    return bare.rsplit(":", 1)[0] if bare.count(":") == 1 else bare


def is_told(match: Match) -> bool:
    """Whether every such line is worth an incident; the unknown are grouped by shape elsewhere."""
    return match.category not in (Category.BENIGN, Category.UNKNOWN)


def severity_of(incident: Incident) -> Severity:
    """A repair that failed needs a person, whatever it was about."""
    if incident.state is IncidentState.FAILED and incident.match.severity is Severity.WARNING:
        return Severity.CRITICAL
    return incident.match.severity
