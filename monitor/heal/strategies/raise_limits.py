"""Too many open files: raise the running child's limit to what it may have."""

from __future__ import annotations

import resource

from monitor.heal.strategy import FailedError, NotThereError, RefusedError, Strategy, Tools
from monitor.model import Incident

_NOFILE = resource.RLIMIT_NOFILE


async def check(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if tools.child is None or tools.child.pid is None:
        raise NotThereError("the child is not running")
    soft, hard = resource.prlimit(tools.child.pid, _NOFILE)
    if soft >= hard:
        raise RefusedError(f"its limit of {soft} open files is the highest it may have")
    return f"its limit is {soft} of {hard}"


async def act(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    """Doubled, never beyond the hard limit; the child goes on running."""
    assert tools.child is not None, "checked"
    assert tools.child.pid is not None, "checked"
    soft, hard = resource.prlimit(tools.child.pid, _NOFILE)
    higher = min(hard, soft * 2)
    resource.prlimit(tools.child.pid, _NOFILE, (higher, hard))
    return f"raised its limit of open files from {soft} to {higher}"


async def prove(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    if tools.child is None or tools.child.pid is None:
        raise FailedError("the child is down")
    return f"the limit reads {resource.prlimit(tools.child.pid, _NOFILE)[0]}"


STRATEGY = Strategy("raise_limits", 5.0, check, act, prove, repeatable=True)
