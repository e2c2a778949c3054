"""A folder is missing: make it inside the allowed roots, as the child's own."""

from __future__ import annotations

import asyncio
import os
from pathlib import PurePath

from monitor.heal.strategies.files import answered, named_place
from monitor.heal.strategy import NotThereError, RefusedError, Strategy, Tools
from monitor.model import Incident
from monitor.safe import paths, privileged
from monitor.safe.paths import Place


def folder_of(place: Place) -> Place:
    """The folder that must be there: the place itself, or the one around what looks like a file."""
    return Place(place.root, place.parts[:-1]) if PurePath(place.path).suffix else place


async def check(incident: Incident, tools: Tools) -> str:
    place = named_place(incident, tools)
    folder = folder_of(place)
    if os.path.isdir(folder.path):
        lacks_file = folder != place and not os.path.lexists(place.path)
        if lacks_file and not _is_made_again(incident, tools):
            raise RefusedError(f"{place.path} is a file that nobody can make again from nothing")
        raise NotThereError(f"{folder.path} is there")
    return f"{folder.path} is missing"


def _is_made_again(incident: Incident, tools: Tools) -> bool:
    """The job whose file it is can be done once more, now that its folder is there."""
    known = "job" in dict(incident.match.captures)
    return known and tools.child is not None and tools.child.can_retry()


async def act(incident: Incident, tools: Tools) -> str:
    folder = folder_of(named_place(incident, tools))
    return answered(await asyncio.to_thread(privileged.make_directory, folder, tools.owner)).what


async def prove(incident: Incident, tools: Tools) -> str:
    """The child's user makes a file there and takes it away."""
    folder = folder_of(named_place(incident, tools))
    owner = tools.owner
    proof = await asyncio.to_thread(paths.prove_writable_directory, folder, owner.uid, owner.gid)
    return answered(proof).what


STRATEGY = Strategy("make_directory", 30.0, check, act, prove, resumes=True, repeatable=True)
