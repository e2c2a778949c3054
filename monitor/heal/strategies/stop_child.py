"""A revoked token is not cured by starting again: stop, and leave it to a person."""

from __future__ import annotations

from monitor.heal.strategy import FailedError, NotThereError, RefusedError, Strategy, Tools
from monitor.model import Incident


async def check(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if tools.child is None:
        raise RefusedError("somebody else runs this program")
    if tools.child.pid is None:
        raise NotThereError(f"{tools.child.name} is down")
    return f"{tools.child.name} runs"


async def act(incident: Incident, tools: Tools) -> str:
    assert tools.child is not None, "checked"
    return await tools.child.stop(f"vigia ({incident.match.category}, INC-{incident.id})")


async def prove(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if tools.child is None or tools.child.pid is not None:
        raise FailedError("it still runs")
    return "it is down"


STRATEGY = Strategy("stop_child", 60.0, check, act, prove)
