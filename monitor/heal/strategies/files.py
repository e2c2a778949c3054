"""What the strategies for files share: the place a line names, and answers as exceptions."""

from __future__ import annotations

from typing import TypeVar

from monitor.heal.strategy import FailedError, RefusedError, Tools
from monitor.model import Incident
from monitor.safe.paths import Failed, Place, Refused

T = TypeVar("T")


def named_place(incident: Incident, tools: Tools) -> Place:
    """The place inside the allowed roots that the line speaks of; refused when there is none."""
    text = dict(incident.match.captures).get("path") or incident.match.subject
    if not text:
        raise RefusedError("the line names no path")
    place = tools.roots.find(text)
    if isinstance(place, Refused):
        raise RefusedError(place.why)
    return place


def answered(answer: T | Refused | Failed) -> T:
    """The answer, when it is one."""
    if isinstance(answer, Refused):
        raise RefusedError(answer.why)
    if isinstance(answer, Failed):
        raise FailedError(answer.why)
    return answer
