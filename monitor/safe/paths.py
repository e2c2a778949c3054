"""Files that a log line names: found inside the allowed roots, mended, proved.

Every function walks by descriptors (`root_helper.walked`) and answers with a value, never an error.
All of it blocks for as long as the disk does: call it through `asyncio.to_thread`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from monitor.safe import probe, root_helper
from monitor.safe.root_helper import (
    Done,
    Failed,
    Owner,
    Place,
    Refusal,
    Refused,
    Root,
    check_root,
    names,
    outcome,
    place_of,
    shown,
    walked,
)

FOLDERS = ("modelos", "data", "logs")
# What the monitor itself lives on; no log line may name it.
KEPT = ("data/monitor", "logs/errors.json", "logs/monitor.log")
QUARANTINE = ".vigia-quarantine"  # in a root on a file system of its own
PATIENCE = 10.0

__all__ = [  # strategies need this module only
    "Done",
    "Failed",
    "Owner",
    "Place",
    "Refused",
    "Root",
    "Roots",
    "Space",
    "can_write",
    "folders",
    "free_space",
    "make_directory",
    "prove_writable_directory",
    "real_path",
    "roots_of",
    "take_ownership",
]


@dataclass(frozen=True, slots=True)
class Roots:
    """The folders in which repairs are allowed."""

    home: str
    roots: tuple[Root, ...]

    def find(self, text: str) -> Place | Refused:
        """The place that a text from a log means, with no link on the way as far as we can see."""
        try:
            place = place_of(text, self.roots, self.home)
            with walked(place) as at:
                if not at.missing and stat.S_ISLNK(at.found.st_mode):
                    raise Refusal(f"{shown(place.path)} is a link")
        except PermissionError:
            return place  # a folder on the way is closed to us; who can open it looks again
        except Refusal as refusal:
            return Refused(str(refusal))
        except OSError as error:
            return Refused(f"{shown(text)}: {error.strerror}")
        return place


def roots_of(
    home: Path,
    folders: Iterable[str] = FOLDERS,
    owners: Iterable[int] = (),
    kept: Iterable[str] = (),
) -> Roots:
    """The roots as configured, relative to the home; raises ValueError for one that cannot be.

    `owners` are the users besides root, ourselves and the home's owner (whose settings we obey) to
    whom files and folders on the way may belong: the children's users, the local Bot API server's.
    """
    own = frozenset((*owners, os.stat(home).st_uid))
    here = real_path(str(home))
    kept_paths = tuple(real_path(os.path.join(here, path)) for path in (*KEPT, *kept))
    ways = [os.path.join(str(home), folder) for folder in folders]
    real = {given: real_path(given) for given in ways}
    kept_paths += tuple(os.path.join(path, QUARANTINE) for path in real.values())
    roots = []
    for given, path in real.items():
        try:
            check_root(path)
        except Refusal as refusal:
            raise ValueError(str(refusal)) from None
        roots.append(Root(path, given, own, kept_paths))
    return Roots(here, tuple(roots))


def real_path(path: str) -> str:
    """The path without links; only root's links and our own are followed."""
    path = os.path.normpath(os.path.abspath(path))
    for _ in range(40):
        link = next((p for p in _ways(path) if os.path.islink(p)), None)
        if link is None:
            return path
        if os.lstat(link).st_uid not in {0, os.geteuid()}:
            raise ValueError(f"{link} is a link of uid {os.lstat(link).st_uid}, a stranger")
        target = os.path.join(os.path.dirname(link), os.readlink(link))
        path = os.path.normpath(target + path[len(link) :])
    raise ValueError(f"{path}: too many links")


def _ways(path: str) -> list[str]:
    parts = names(path)
    return ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]


# --- repairs -------------------------------------------------------------------------------------


def take_ownership(place: Place, owner: Owner) -> Done | Refused | Failed:
    """That one file or folder is the owner's; `privileged.take_ownership` also asks root."""
    return outcome(lambda: root_helper.take_ownership(place, owner))


def make_directory(place: Place, owner: Owner) -> Done | Refused | Failed:
    """The folder is there, with those above it inside the root; see also `privileged`."""
    return outcome(lambda: root_helper.make_directory(place, owner))


def folders(place: Place) -> tuple[Place, ...]:
    """The folders in a folder, one level down; none when it cannot be read."""
    try:
        with walked(place) as at, os.scandir(f"{at.handle}/.") as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (OSError, Refusal):
        return ()
    return tuple(Place(place.root, (*place.parts, name)) for name in sorted(found))


# --- proofs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Space:
    """What a file system has left for ordinary users."""

    bytes: int
    total: int
    inodes: int | None  # None where the file system does not count them
    inodes_total: int = 0
    device: int = 0  # which file system it is


def free_space(path: str | Path) -> Space | Failed:
    """Room for bytes and for files: a disk may be full of either."""
    try:
        found, device = os.statvfs(path), os.stat(path).st_dev
    except OSError as error:
        return Failed(f"{path}: {error.strerror}", error.errno or 0, str(path))
    block = found.f_frsize
    inodes = found.f_favail if found.f_files else None
    return Space(found.f_bavail * block, found.f_blocks * block, inodes, found.f_files, device)


def prove_writable_directory(place: Place, uid: int, gid: int) -> Done | Refused | Failed:
    """A file was made there and taken away by that user; `Failed.at` says what stood in the way."""
    return outcome(lambda: _prove(place, uid, gid, folder=True))


def can_write(place: Place, uid: int, gid: int) -> Done | Refused | Failed:
    """That user opened the file for writing, or made one in the folder; a missing file needs its folder."""
    return outcome(lambda: _prove(place, uid, gid, folder=False))


def _prove(place: Place, uid: int, gid: int, *, folder: bool) -> Done:
    path = names(place.path)
    number, reached = _as_user(path, uid, gid)
    if number == errno.ENOENT and not folder and reached == len(path) - 1:
        path = path[:-1]
        number, reached = _as_user(path, uid, gid)
    if number:
        at = "/" + "/".join(path[: reached + (number == errno.ENOENT)])
        raise OSError(number, os.strerror(number), at)
    if folder and not os.path.isdir(place.path):
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(place.path))
    return Done(f"uid {uid} can write /{'/'.join(path)}", changed=False)


def _as_user(path: tuple[str, ...], uid: int, gid: int) -> tuple[int, int]:
    if uid == os.geteuid() and (uid != 0 or gid == os.getegid()):
        return probe.probe(path)
    if os.geteuid() != 0:
        raise Refusal(f"only root can try it as uid {uid}")
    number, reached = json.loads(_answer_of(uid, gid, json.dumps(path).encode()))
    return int(number), int(reached)


def _answer_of(uid: int, gid: int, request: bytes) -> bytes:
    """From our own interpreter, else from the system's: ours may stand where that user cannot go."""
    for python in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(PermissionError, FileNotFoundError, subprocess.SubprocessError):
            return _run_as(uid, gid, python, request)
    raise Refusal(f"uid {uid} cannot run {sys.executable}: nothing is proved")


def _run_as(uid: int, gid: int, python: str, request: bytes) -> bytes:
    return subprocess.run(
        [python, "-I", "-S", "-c", Path(probe.__file__).read_text()],
        input=request,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        user=uid,
        group=gid,
        extra_groups=_groups(uid, gid),
        umask=0o077,
        start_new_session=True,
        timeout=PATIENCE,
        check=True,
    ).stdout


def _groups(uid: int, gid: int) -> list[int]:
    try:
        return os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)
    except KeyError:
        return []
