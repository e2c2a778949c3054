"""The disk is full: hold the intake, and free what is ours to free, the most useless first."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable

from monitor.heal.strategies.files import answered
from monitor.heal.strategy import FailedError, NotThereError, Strategy, Tools
from monitor.model import Incident
from monitor.safe import paths
from monitor.safe.paths import Failed, Place, Refused, Space
from monitor.safe.sweep import Removed, remove_ours
from monitor.texts import sized

_ROTATED = re.compile(r".+\.log\.\d+(\.gz)?")
_PART_AGE = 3600.0  # a download that was not touched for so long is abandoned
_QUARANTINE_AGE = 30 * 86400.0


def _space(tools: Tools) -> Space:
    return answered(paths.free_space(tools.home))


def _is_enough(tools: Tools) -> bool:
    return _space(tools).bytes >= tools.disk_target


async def check(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    space = _space(tools)
    if space.bytes >= tools.disk_target and space.inodes != 0:
        await _hold_intake(tools, False)
        raise NotThereError(f"{sized(space.bytes)} are free")
    return f"{sized(space.bytes)} are free"


async def act(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    await _hold_intake(tools, True)
    before = _space(tools).bytes
    removed = await asyncio.to_thread(_free, tools)
    freed = _space(tools).bytes - before
    return f"removed {removed} files of ours, {sized(max(0, freed))} freed"


def _free(tools: Tools) -> int:
    """Rotated logs, abandoned downloads, expired quarantine: in this order, until it is enough."""
    count = 0
    for place, is_ours in _ours(tools):
        if _is_enough(tools):
            return count
        swept = remove_ours(place, is_ours, enough=lambda: _is_enough(tools))
        count += len(swept.gone) if isinstance(swept, Removed) else 0
    if not _is_enough(tools):
        gone = tools.quarantine.purge_older(_QUARANTINE_AGE)
        count += 0 if isinstance(gone, Refused | Failed) else len(gone)
    return count


Ours = Callable[[str, os.stat_result], bool]


def _ours(tools: Tools) -> list[tuple[Place, Ours]]:
    found: list[tuple[Place, Ours]] = []
    for root in tools.roots.roots:
        top = Place(root, ())
        found.append((top, _is_rotated_log))
        found += [(folder, _is_abandoned) for folder in (top, *paths.folders(top))]
    return sorted(found, key=lambda each: each[1] is _is_abandoned)


def _is_rotated_log(name: str, found: os.stat_result) -> bool:  # noqa: ARG001 - the form asked for
    return bool(_ROTATED.fullmatch(name))


def _is_abandoned(name: str, found: os.stat_result) -> bool:
    return name.endswith(".part") and time.time() - found.st_mtime > _PART_AGE


async def _hold_intake(tools: Tools, held: bool) -> None:
    if tools.child is not None:
        await tools.child.pause(held)


async def prove(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    space = _space(tools)
    if space.bytes < tools.disk_target:
        raise FailedError(f"only {sized(space.bytes)} are free of the {sized(tools.disk_target)}")
    await _hold_intake(tools, False)
    return f"{sized(space.bytes)} are free"


STRATEGY = Strategy("free_disk", 120.0, check, act, prove, resumes=True, repeatable=True)
