"""Making room: files of ours in one folder, the oldest first, none that is in use."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from monitor.safe.moves import is_open, is_same, rename_new
from monitor.safe.root_helper import (
    Failed,
    Place,
    Refusal,
    Refused,
    check_folder,
    check_thing,
    outcome,
    walked,
)

# Set aside before it goes, under a name that says which inode was meant to go.
_ASIDE = ".vigia-gone-{inode}-{key}"
_SET_ASIDE = re.compile(r"\.vigia-gone-(\d+)-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Removed:
    """What went, what stayed because it is in use, and what stayed for another reason."""

    gone: tuple[str, ...] = ()
    bytes: int = 0
    in_use: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def remove_ours(
    place: Place,
    is_ours: Callable[[str, os.stat_result], bool],
    *,
    keep: int = 0,
    enough: Callable[[], bool] = lambda: False,
    dry_run: bool = False,
) -> Removed | Refused | Failed:
    """Remove files of one folder that `is_ours` knows, but the newest `keep`, until it is `enough`.

    Only regular files with one name, of an owner that the root trusts, that no process has open;
    never a folder, never what lies in one.
    """
    return outcome(lambda: _swept(place, is_ours, keep, enough, dry_run=dry_run))


def _swept(
    place: Place,
    is_ours: Callable[[str, os.stat_result], bool],
    keep: int,
    enough: Callable[[], bool],
    *,
    dry_run: bool,
) -> Removed:
    gone: list[tuple[str, int]] = []
    stays: dict[bool, list[str]] = {True: [], False: []}
    for name in _oldest_first(place, is_ours, keep):
        if enough():
            break
        try:
            size = _remove(Place(place.root, (*place.parts, name)), is_ours, dry_run=dry_run)
        except (Refusal, OSError):
            stays[False].append(name)
            continue
        if size is None:
            stays[True].append(name)
        else:
            gone.append((name, size))
    names, sizes = tuple(name for name, _ in gone), sum(size for _, size in gone)
    return Removed(names, sizes, tuple(stays[True]), tuple(stays[False]))


def _oldest_first(
    place: Place, is_ours: Callable[[str, os.stat_result], bool], keep: int
) -> list[str]:
    found = []
    with walked(place) as at:
        check_folder(at.found, place.path, place.root.owners | {0, os.geteuid()})
        with os.scandir(f"{at.handle}/.") as entries:
            for entry in entries:
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if _is_meant(entry.name, status, is_ours):
                        found.append((status.st_mtime_ns, entry.name))
    left = [name for _, name in sorted(found)]
    return left[: max(0, len(left) - keep)]


def _is_meant(
    name: str, found: os.stat_result, is_ours: Callable[[str, os.stat_result], bool]
) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    aside = _SET_ASIDE.fullmatch(name)
    return int(aside[1]) == found.st_ino if aside else is_ours(name, found)


def _remove(
    place: Place, is_ours: Callable[[str, os.stat_result], bool], *, dry_run: bool
) -> int | None:
    """The bytes that came free; None when the file is in use."""
    name = place.parts[-1]
    with walked(place) as at:
        found = check_thing(at)
        if not _is_meant(name, found, is_ours):
            raise Refusal(f"{name} is another file by now")
        if is_open(at):
            return None
        if dry_run:
            return found.st_blocks * 512
        aside = _ASIDE.format(inode=found.st_ino, key=secrets.token_hex(6))
        rename_new(at.folder, name, at.folder, aside)
        if not is_same(os.stat(aside, dir_fd=at.folder, follow_symlinks=False), found):
            with suppress(FileExistsError):
                rename_new(at.folder, aside, at.folder, name)
            raise Refusal(f"{name} is another file by now")
        os.unlink(aside, dir_fd=at.folder)
    return found.st_blocks * 512
