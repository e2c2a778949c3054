"""The child may not write what is its own: give that one file or folder back to it."""

from __future__ import annotations

import asyncio

from monitor.heal.strategies.files import answered, named_place
from monitor.heal.strategy import NotThereError, Strategy, Tools
from monitor.model import Incident
from monitor.safe import paths, privileged
from monitor.safe.paths import Failed, Place


async def _in_the_way(incident: Incident, tools: Tools) -> Place:
    """What keeps the child's user from writing: the thing itself, or a folder above it."""
    place = named_place(incident, tools)
    owner = tools.owner
    tried = await asyncio.to_thread(paths.can_write, place, owner.uid, owner.gid)
    if not isinstance(tried, Failed):
        raise NotThereError(answered(tried).what)
    if not tried.at or tried.at == place.path:
        return place
    return answered(tools.roots.find(tried.at))


async def check(incident: Incident, tools: Tools) -> str:
    return f"{(await _in_the_way(incident, tools)).path} stands in the way"


async def act(incident: Incident, tools: Tools) -> str:
    """One after the other, for a folder above may hide that the thing itself is closed too."""
    done = []
    for _ in range(4):
        try:
            place = await _in_the_way(incident, tools)
        except NotThereError:
            break
        given = await asyncio.to_thread(privileged.take_ownership, place, tools.owner)
        done.append(answered(given).what)
    return "; ".join(done)


async def prove(incident: Incident, tools: Tools) -> str:
    """The child's user opens it for writing."""
    place = named_place(incident, tools)
    owner = tools.owner
    return answered(await asyncio.to_thread(paths.can_write, place, owner.uid, owner.gid)).what


STRATEGY = Strategy("take_ownership", 60.0, check, act, prove, resumes=True, repeatable=True)
