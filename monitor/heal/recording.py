"""One move of an incident as a record, in the words of `logs/errors.json`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.heal.incidents import severity_of
from monitor.model import Incident, LastWords, Outcome
from monitor.options import Rung
from monitor.records.story import LOOK

_LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class ChildFacts:
    """Which run of the child it was."""

    pid: int | None = None
    started: float | None = None
    restarts: int = 0
    last_words: LastWords | None = None  # what it says there is the noise of its end


def record_of(
    incident: Incident,
    rung: Rung | None,
    outcome: Outcome | None,
    rungs: int,
    child: ChildFacts,
    host: str,
    at: float,
    next_try: float | None,
) -> dict[str, object]:
    """All that is known at this move, so that the record alone explains it."""
    match, line = incident.match, incident.match.line
    return {
        "id": f"INC-{incident.id}.{incident.moves}",
        "incident": f"INC-{incident.id}",
        "timestamp": stamp(at),
        "state": incident.state.value,
        "category": match.category.value,
        "severity": severity_of(incident).value,
        "rule": match.rule,
        "verdict": {"why": match.why, "hits": list(match.hits), "rules": match.rules},
        "message": message_of(incident),
        "subject": match.subject,
        "context": {
            "child": incident.child,
            **dict(match.captures),
            "rung": f"{min(incident.rung + 1, rungs)}/{rungs}" if rungs else None,
            "opened": stamp(incident.opened),
            "last": stamp(incident.last),
            "returned": incident.returned,
            "root": f"INC-{incident.root}" if incident.root else None,
            "acked_by": incident.acked_by or None,
            "said": incident.word or None,
            "by": incident.by or None,
        },
        "action": rung.do if rung else None,
        "attempt": incident.tried if rung else None,
        "max_attempts": rung.attempts if rung else None,
        "next_try": None if next_try is None else stamp(next_try),
        "outcome": outcome
        and {
            "result": outcome.result.value,
            "detail": outcome.detail,
            "proof": outcome.proof,
            "duration_ms": round(outcome.duration * 1000, 1),
        },
        "source": {
            "file": line.path,
            "inode": line.id.inode,
            "offset": line.start,
            "line": line.text[:_LONGEST_LINE],
        },
        "child": {
            "pid": child.pid,
            "started": None if child.started is None else stamp(child.started),
            "restarts": child.restarts,
        },
        "occurrences": incident.occurrences,
        "host": host,
    }


def message_of(incident: Incident) -> str:
    """What happened at its last move, as one sentence."""
    match incident.word:
        case "ack":
            return f"acknowledged by {incident.by}"
        case "told":
            return f"told to {incident.by}"
        case "not_told":
            return f"could not be told to {incident.by}: {incident.why}"
    return incident.why or _first_words(incident)


def quoted_by(incident: Incident) -> str:
    """What that sentence repeats of somebody else's line; a look of ours speaks for itself."""
    ours = incident.match.line.path.startswith(LOOK)
    return "" if ours or message_of(incident) == incident.why else _first_words(incident)


def _first_words(incident: Incident) -> str:
    return incident.match.line.text.split("\n", 1)[0][:500]


def gap_record(why: str, at: float) -> dict[str, object]:
    """Says in the records themselves that some of them are missing."""
    moment = stamp(at)
    return {
        "id": f"gap-{moment}",
        "incident": None,
        "timestamp": moment,
        "state": "gap",
        "severity": "warning",
        "message": why,
    }


def stamp(at: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")
