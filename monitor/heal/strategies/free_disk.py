"""The disk is full: hold the intake, and free what is ours to free, the most useless first."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable

from monitor.heal.room import Volume
from monitor.heal.strategy import FailedError, NotThereError, Strategy, Tools
from monitor.model import Incident
from monitor.safe import paths
from monitor.safe.paths import Failed, Place, Refused, Space, free_space
from monitor.safe.sweep import Removed, remove_ours
from monitor.texts import sized

_ROTATED = re.compile(r".+\.log\.\d+(\.gz)?")
_PART_AGE = 3600.0  # a download that was not touched for so long is abandoned
_QUARANTINE_AGE = 30 * 86400.0


async def _volume(incident: Incident, tools: Tools) -> Volume:
    volume = await tools.room.of(incident.match.subject)
    if volume is None:
        raise FailedError("no disk says how much of it is free")
    return volume


async def check(incident: Incident, tools: Tools) -> str:
    volume = await _volume(incident, tools)
    if volume.has_plenty:
        await tools.intake.release(incident.id)
        raise NotThereError(volume.said)
    return volume.said


async def act(incident: Incident, tools: Tools) -> str:
    held = await tools.intake.hold(incident)
    before = await _volume(incident, tools)
    removed = await asyncio.to_thread(_free, before, tools)
    after = free_space(before.path)  # of the same disk: by now another one may be the fullest
    freed = after.bytes - before.space.bytes if isinstance(after, Space) else 0
    done = f"removed {removed} files of ours, {sized(max(0, freed))} freed"
    return f"{done}; the intake of {', '.join(held)} waits" if held else done


def _free(volume: Volume, tools: Tools) -> int:
    """Rotated logs, abandoned downloads, expired quarantine: in this order, until it is enough."""

    def is_enough() -> bool:
        space = free_space(volume.path)
        return isinstance(space, Space) and Volume(volume.path, space, volume.disk).has_plenty

    count = 0
    for place, is_ours in _ours(volume, tools):
        if is_enough():
            return count
        swept = remove_ours(place, is_ours, enough=is_enough)
        count += len(swept.gone) if isinstance(swept, Removed) else 0
    if not is_enough():
        gone = tools.quarantine.purge_older(_QUARANTINE_AGE, volume.space.device)
        count += 0 if isinstance(gone, Refused | Failed) else len(gone)
    return count


Ours = Callable[[str, os.stat_result], bool]


def _ours(volume: Volume, tools: Tools) -> list[tuple[Place, Ours]]:
    """Where to look, on the disk that is full: on another one it would help nobody."""
    found: list[tuple[Place, Ours]] = []
    for root in tools.roots.roots:
        space = free_space(root.path)
        if not isinstance(space, Space) or space.device != volume.space.device:
            continue
        top = Place(root, ())
        found.append((top, _is_rotated_log))
        found += [(folder, _is_abandoned) for folder in (top, *paths.folders(top))]
    return sorted(found, key=lambda each: each[1] is _is_abandoned)


def _is_rotated_log(name: str, found: os.stat_result) -> bool:  # noqa: ARG001 - the form asked for
    return bool(_ROTATED.fullmatch(name))


def _is_abandoned(name: str, found: os.stat_result) -> bool:
    return name.endswith(".part") and time.time() - found.st_mtime > _PART_AGE


async def prove(incident: Incident, tools: Tools) -> str:
    volume = await _volume(incident, tools)
    if not volume.has_room:
        raise FailedError(f"only {volume.said}")
    await tools.intake.release(incident.id)
    return volume.said


STRATEGY = Strategy("free_disk", 120.0, check, act, prove, resumes=True, repeatable=True)
