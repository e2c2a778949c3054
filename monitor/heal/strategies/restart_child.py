"""Start the child anew, through the one place that starts it and within its budget."""

from __future__ import annotations

from monitor.heal.strategy import FailedError, RefusedError, Strategy, Tools
from monitor.model import Incident


async def check(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if tools.child is None:
        raise RefusedError("somebody else runs this program")
    if tools.child.pid is None:
        raise RefusedError(f"{tools.child.name} is not running")
    return f"{tools.child.name} runs"


async def act(incident: Incident, tools: Tools) -> str:
    assert tools.child is not None, "checked"
    return await tools.child.restart(f"{incident.match.category} (INC-{incident.id})")


async def prove(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if tools.child is None or tools.child.pid is None:
        raise FailedError("it is down again")
    return f"it runs as pid {tools.child.pid}"


STRATEGY = Strategy("restart_child", 120.0, check, act, prove, resumes=True)
