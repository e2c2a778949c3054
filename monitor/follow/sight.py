"""What the configured names lead to just now, and why some lead nowhere."""

from __future__ import annotations

import errno
import glob
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from monitor.follow.generations import COMPRESSED
from monitor.model import FileId

ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}  # not there yet, which is no trouble


@dataclass(slots=True)
class Sight:
    """One look at the names: files by path, and troubles by path."""

    files: dict[str, os.stat_result] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)  # could not be looked at: nothing is concluded

    def leads(self) -> dict[FileId, str]:
        """Which files there are; one of several names of the same file is enough."""
        names: dict[FileId, str] = {}
        for path, found in self.files.items():
            names.setdefault(FileId(found.st_dev, found.st_ino), path)
        return names


def look(patterns: Iterable[str], status: Callable[[str], os.stat_result]) -> Sight:
    """Follow every name to its file, without opening any."""
    sight = Sight()
    for pattern in patterns:
        for path in _names(pattern, sight):
            try:
                found = status(path)
            except OSError as error:
                if error.errno not in ABSENT:
                    sight.troubles[path] = f"cannot be looked at: {error.strerror}"
                    sight.unsure.add(path)
            else:
                if stat.S_ISREG(found.st_mode):
                    sight.files[path] = found
                elif not glob.has_magic(pattern):
                    sight.troubles[path] = f"is {_kind(found.st_mode)}, not a file"
    return sight


def _names(pattern: str, sight: Sight) -> Iterator[str]:
    if not glob.has_magic(pattern):
        yield pattern
        return
    folder = root(pattern)
    if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
        sight.troubles[folder] = "cannot be listed: permission denied"
        sight.unsure.add(folder)
    names = glob.glob(pattern, recursive=True)
    yield from sorted(name for name in names if not name.endswith(COMPRESSED))


def root(pattern: str) -> str:
    """The folder in which the search for a pattern begins."""
    folder = os.path.dirname(pattern)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder or "."


def nearest(folder: str) -> str:
    """The folder itself, or the nearest one above it that exists."""
    while not os.path.isdir(folder):
        above = os.path.dirname(folder) or "."
        if above == folder:
            break
        folder = above
    return folder


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
