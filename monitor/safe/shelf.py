"""The folder of the quarantine: beside each file a note that is always whole and always earlier.

`ID.file` is what was moved, `ID.part` an unfinished copy, `ID.json` the note.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from monitor.safe.root_helper import (
    Owner,
    Place,
    Refusal,
    Root,
    Walked,
    check_folder,
    make_directory,
    names,
    shown,
    walked,
)

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
_FOLDERS = "folders"  # the list of the other folders, in the main one
_PATIENCE = 10.0
_CHUNK = 1 << 20
_TYPES = {"str": str, "int": int, "tuple[int, ...]": tuple}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in the quarantine: what it was, where, and why it is here."""

    id: str
    state: str  # moving, kept, restoring, purging; unreadable when the note is not ours
    path: str = ""  # where it was
    cause: str = ""
    incident: str = ""
    at: float = 0.0
    size: int = 0
    uid: int = -1
    gid: int = -1
    mode: int = 0
    mtime_ns: int = 0
    inode: int = 0
    sha256: str = ""
    root: str = ""
    owners: tuple[int, ...] = ()

    @property
    def place(self) -> Place:
        """Where it was, to be walked again."""
        below = names(self.path)[len(names(self.root)) :]
        return Place(Root(self.root, "", frozenset(self.owners)), below)

    @property
    def aside(self) -> str:
        """The name a file has beside its own place while its copy takes over."""
        return f".vigia-moving-{self.id}"


class Shelf:
    """The held folder: ours alone, and locked for whoever changes it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def note(self, entry: Entry) -> None:
        """Write the note, whole or not at all, on disk when it returns."""
        self._write(f".{entry.id}.new", f"{entry.id}.json", asdict(entry))

    def list_folders(self, folders: Mapping[str, frozenset[int]]) -> None:
        """In which other folders files of this home lie, and who may own what is above them."""
        listed = {path: sorted(owners) for path, owners in folders.items()}
        self._write(f".{_FOLDERS}.new", _FOLDERS, listed)

    def _write(self, new: str, name: str, value: object) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(new, flags, 0o600, dir_fd=self.fd), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
            file.flush()
            if os.geteuid() == 0:  # a person with sudo leaves nothing that the monitor cannot read
                folder = os.fstat(self.fd)
                os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
            os.fsync(file.fileno())
        os.rename(new, name, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        os.fsync(self.fd)

    def tidy(self) -> None:
        """Remove notes that were never finished; nothing was done for them yet."""
        for name in os.listdir(self.fd):
            if name.endswith(".new") and ID.fullmatch(name[1:-4]):
                self.drop(name)

    def forget(self, entry: Entry) -> None:
        os.unlink(f"{entry.id}.json", dir_fd=self.fd)
        os.fsync(self.fd)

    def entries(self) -> tuple[Entry, ...]:
        found = sorted(name for name in os.listdir(self.fd) if name.endswith(".json"))
        return tuple(self._read(name[:-5]) for name in found if ID.fullmatch(name[:-5]))

    def find(self, id: str) -> Entry:
        """The entry; refuses an id that is none, so that it never becomes a path."""
        if not ID.fullmatch(id) or not self.has(f"{id}.json"):
            raise Refusal(f"{shown(id)} is not in the quarantine")
        return self._read(id)

    def has(self, name: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=self.fd, follow_symlinks=False)
            return True
        return False

    def drop(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.fd)

    def _read(self, id: str) -> Entry:
        fd = os.open(f"{id}.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.fd)
        try:
            with open(fd, encoding="utf-8") as file:
                return _entry(id, json.load(file))
        except (ValueError, TypeError, LookupError, AttributeError):
            return Entry(id, "unreadable")


def _entry(id: str, raw: dict[str, Any]) -> Entry:
    entry = Entry(**raw | {"owners": tuple(raw["owners"]), "id": id})
    _ = entry.place  # a path that is none is found here
    for fact in fields(Entry):
        value = getattr(entry, fact.name)
        if not isinstance(value, (int, float) if fact.name == "at" else _TYPES[str(fact.type)]):
            raise TypeError(fact.name)
    return entry


@contextlib.contextmanager
def shelf(
    folder: Path,
    owners: frozenset[int],
    *,
    make: bool,
    lock: bool,
    keeper: int | None = None,
) -> Iterator[Shelf]:
    """The folder, walked to like any other; raises FileNotFoundError when it is not to be made.

    Where a child may write around it, it has to be the keeper's: notes that others write are lies.
    """
    place = _place(folder, owners)
    if make:
        make_directory(place, Owner(os.geteuid(), os.getegid(), folder_mode=0o700))
    with walked(place) as at:
        fd = _open(at, keeper)
        try:
            if lock:
                _lock(fd)
            yield Shelf(fd)
        finally:
            os.close(fd)


def folders_in(on: Shelf) -> dict[str, frozenset[int]]:
    """What the list says; a list that is none says nothing."""
    try:
        fd = os.open(_FOLDERS, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=on.fd)
        with open(fd, encoding="utf-8") as file:
            listed = json.load(file)
        return {str(path): frozenset(map(int, owners)) for path, owners in listed.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def _place(folder: Path, owners: frozenset[int]) -> Place:
    """As seen from the first folder above it that is there, so that the missing ones can be made."""
    base = folder.parent
    while not base.is_dir() and base != base.parent:
        base = base.parent
    return Place(Root(str(base), "", owners), folder.relative_to(base).parts)


def _open(at: Walked, keeper: int | None) -> int:
    found = at.found
    ours = {os.geteuid()} if os.geteuid() else at.place.root.owners | {0}
    if keeper is not None:
        ours = {keeper}
    check_folder(found, at.place.path, ours)
    if stat.S_IMODE(found.st_mode) & 0o077:
        os.chmod(at.handle, 0o700)
    return os.open(f"{at.handle}/.", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _lock(fd: int) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise Refusal("the quarantine is busy") from None
            time.sleep(0.02)


def digest(fd: int) -> str:
    """SHA-256 of an open file from its beginning."""
    seen = hashlib.sha256()
    offset = 0
    while chunk := os.pread(fd, _CHUNK, offset):
        seen.update(chunk)
        offset += len(chunk)
    return seen.hexdigest()
