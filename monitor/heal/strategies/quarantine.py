"""A file is broken: move it away, where it can be put back from, and have it fetched again."""

from __future__ import annotations

import asyncio
import os
import stat

from monitor.heal.strategies.files import answered, named_place
from monitor.heal.strategy import FailedError, NotThereError, RefusedError, Strategy, Tools
from monitor.model import Incident


async def check(incident: Incident, tools: Tools) -> str:
    place = named_place(incident, tools)
    try:
        found = os.stat(place.path, follow_symlinks=False)
    except FileNotFoundError:
        raise NotThereError(f"{place.path} is gone already") from None
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError(f"{place.path} is not a regular file")
    return f"{place.path} is there with {found.st_size} bytes"


async def act(incident: Incident, tools: Tools) -> str:
    place = named_place(incident, tools)
    name = f"INC-{incident.id}"
    entry = answered(
        await asyncio.to_thread(tools.quarantine.put, place, incident.match.category.value, name)
    )
    return f"moved to quarantine as {entry.id}; to put it back: vigia quarantine restore {entry.id}"


async def prove(incident: Incident, tools: Tools) -> str:
    place = named_place(incident, tools)
    if os.path.lexists(place.path) and dict(incident.match.captures).get("job") is None:
        raise FailedError(f"{place.path} is there again")
    return "the broken file is out of the way"


STRATEGY = Strategy("quarantine", 300.0, check, act, prove, resumes=True, repeatable=True)
