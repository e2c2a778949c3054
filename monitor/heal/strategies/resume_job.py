"""Have the job that failed done again, and watch it until it succeeds."""

from __future__ import annotations

from monitor.heal.strategy import NotThereError, Strategy, Tools
from monitor.model import Incident


async def check(incident: Incident, tools: Tools) -> str:
    """Without a job or a way to it, all we can do is see whether the trouble comes back."""
    if "job" not in dict(incident.match.captures):
        raise NotThereError("the line names no job; watching whether it comes back")
    if tools.child is None or not tools.child.can_retry():
        raise NotThereError("there is no way to have the job done again; watching")
    return "the job can be done again"


async def act(incident: Incident, tools: Tools) -> str:
    assert tools.child is not None, "checked"
    return await tools.child.retry(dict(incident.match.captures))


async def prove(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    """Acting saw the job succeed; there is no better proof."""
    return "it was seen to succeed"


STRATEGY = Strategy("resume_job", 600.0, check, act, prove)
