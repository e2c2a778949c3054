"""Bad files are moved out of the way, and can be put back: they never vanish by themselves.

A note of the intent stands on disk before the first move, so that a crash at any moment leaves
the file at its place or here, and the next change finishes or undoes what was begun.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from monitor.safe.moves import Displaced, move_exactly, rename_new, sync_folder
from monitor.safe.paths import real_path
from monitor.safe.root_helper import (
    Failed,
    Owner,
    Place,
    Refusal,
    Refused,
    Walked,
    check_thing,
    make_directory,
    outcome,
    shown,
    walked,
)
from monitor.safe.shelf import Entry, Shelf, digest, shelf

__all__ = ["Entry", "Quarantine"]

_CHUNK = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def _nothing(_step: str) -> None:
    """Where a test ends the process."""


class Quarantine:
    """One folder, which is ours alone; the best one lies on the file system of what it takes."""

    def __init__(
        self,
        folder: Path,
        owners: frozenset[int] = frozenset(),
        clock: Callable[[], float] = time.time,
        reached: Callable[[str], None] = _nothing,
        keeper: int | None = None,
    ) -> None:
        self._folder = Path(real_path(str(folder)))
        self._owners = owners
        self._keeper = keeper
        self._clock = clock
        self._reached = reached

    def _shelf(self, *, make: bool, lock: bool) -> AbstractContextManager[Shelf]:
        return shelf(self._folder, self._owners, make=make, lock=lock, keeper=self._keeper)

    def put(self, place: Place, cause: str, incident: str = "") -> Entry | Refused | Failed:
        """The file is here and no longer there; nothing else was moved."""

        def act() -> Entry:
            with self._shelf(make=True, lock=True) as on, walked(place) as at:
                self._recover(on)
                return self._take(on, at, self._inspected(at, cause, incident))

        return outcome(act)

    def entries(self) -> tuple[Entry, ...] | Refused | Failed:
        """All that is here, oldest first; works beside a running monitor, and without one."""

        def act() -> tuple[Entry, ...]:
            try:
                with self._shelf(make=False, lock=False) as on:
                    return on.entries()
            except FileNotFoundError:
                return ()

        return outcome(act)

    def show(self, id: str) -> Entry | Refused | Failed:
        def act() -> Entry:
            with self._shelf(make=False, lock=False) as on:
                return on.find(id)

        return outcome(act)

    def restore(self, id: str) -> Entry | Refused | Failed:
        """The file is back where it was, as it was; refused while anything else stands there."""

        def act() -> Entry:
            with self._shelf(make=False, lock=True) as on:
                self._recover(on)
                return self._give_back(on, _kept(on, id))

        return outcome(act)

    def purge(self, id: str) -> Entry | Refused | Failed:
        """The file is gone for good: a person decided it, or its time is over."""

        def act() -> Entry:
            with self._shelf(make=False, lock=True) as on:
                self._recover(on)
                return self._destroy(on, _kept(on, id))

        return outcome(act)

    def purge_older(self, seconds: float) -> tuple[Entry, ...] | Refused | Failed:
        """What was put here longer ago than that is gone for good."""

        def act() -> tuple[Entry, ...]:
            with self._shelf(make=True, lock=True) as on:
                self._recover(on)
                limit = self._clock() - seconds
                old = [e for e in on.entries() if e.state == "kept" and e.at < limit]
                return tuple(self._destroy(on, entry) for entry in old)

        return outcome(act)

    def recover(self) -> tuple[Entry, ...] | Refused | Failed:
        """What a crash left half done is finished or undone; what is here then."""

        def act() -> tuple[Entry, ...]:
            with self._shelf(make=True, lock=True) as on:
                self._recover(on)
                return on.entries()

        return outcome(act)

    # --- in

    def _inspected(self, at: Walked, cause: str, incident: str) -> Entry:
        found = check_thing(at)
        if not stat.S_ISREG(found.st_mode):
            raise Refusal(f"{shown(at.place.path)} is not a file")
        now = self._clock()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        entry = Entry(
            id=f"{stamp}-{secrets.token_hex(3)}",
            state="moving",
            path=at.place.path,
            cause=cause,
            incident=incident,
            at=now,
            root=at.place.root.path,
            owners=tuple(sorted(at.place.root.owners)),
        )
        return _with_facts(entry, found)

    def _take(self, on: Shelf, at: Walked, entry: Entry) -> Entry:
        self._reached("begun")
        on.note(entry)
        self._reached("noted")
        try:
            self._move(on, at, entry)
        except Displaced:
            if on.has(f"{entry.id}.file"):
                found = os.stat(f"{entry.id}.file", dir_fd=on.fd, follow_symlinks=False)
                entry = _with_facts(replace(entry, cause="exchanged while it was moved"), found)
                on.note(entry)
            self._settle(on, entry)
            raise
        except (Refusal, OSError):
            with contextlib.suppress(OSError, Refusal):
                self._settle(on, entry)
            raise
        return self._finish(on, entry)

    def _move(self, on: Shelf, at: Walked, entry: Entry) -> None:
        try:
            move_exactly(at, on.fd, f"{entry.id}.file")
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy(on, at, entry)
        else:
            self._reached("moved")
            sync_folder(at.folder)
        os.fsync(on.fd)

    def _copy(self, on: Shelf, at: Walked, entry: Entry) -> None:
        """Copy to another file system; the original goes when the copy is whole and on disk."""
        _insist_on_room(on.fd, entry.size)
        source = os.open(at.handle, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            _copied(source, on.fd, f"{entry.id}.part", entry)
        finally:
            os.close(source)
        self._reached("copied")
        if _with_facts(entry, at.found) != entry:
            raise Refusal(f"{shown(entry.path)} was written while it was copied")
        move_exactly(at, at.folder, entry.aside)
        self._reached("aside")
        rename_new(on.fd, f"{entry.id}.part", on.fd, f"{entry.id}.file")
        os.fsync(on.fd)
        self._reached("whole")
        os.unlink(entry.aside, dir_fd=at.folder)
        sync_folder(at.folder)
        self._reached("unlinked")

    def _finish(self, on: Shelf, entry: Entry) -> Entry:
        self._reached("synced")
        kept = replace(entry, state="kept", sha256=_digest(on, entry))
        on.note(kept)
        self._reached("kept")
        return kept

    # --- out

    def _give_back(self, on: Shelf, entry: Entry) -> Entry:
        place = entry.place
        folder = Place(place.root, place.parts[:-1])
        make_directory(folder, Owner(entry.uid, entry.gid))
        with walked(place) as at:
            if not at.missing:
                raise Refusal(f"{shown(entry.path)} is there again: nothing is overwritten")
            on.note(replace(entry, state="restoring"))
            self._reached("noted")
            try:
                self._move_back(on, at, entry)
            except OSError as error:
                on.note(entry)
                if isinstance(error, FileExistsError):
                    why = f"{shown(entry.path)} is there again: nothing is overwritten"
                    raise Refusal(why) from None
                raise
        self._reached("synced")
        on.forget(entry)
        return entry

    def _move_back(self, on: Shelf, at: Walked, entry: Entry) -> None:
        name = at.place.parts[-1]
        try:
            rename_new(on.fd, f"{entry.id}.file", at.folder, name)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy_back(on, at.folder, name, entry)
        self._reached("moved")
        sync_folder(at.folder)
        os.fsync(on.fd)

    def _copy_back(self, on: Shelf, folder: int, name: str, entry: Entry) -> None:
        _insist_on_room(folder, entry.size)
        source = os.open(f"{entry.id}.file", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=on.fd)
        try:
            _copied(source, folder, entry.aside, entry)
            self._reached("copied")
            rename_new(folder, entry.aside, folder, name)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(entry.aside, dir_fd=folder)
            raise
        finally:
            os.close(source)
        sync_folder(folder)
        self._reached("whole")
        os.unlink(f"{entry.id}.file", dir_fd=on.fd)

    def _destroy(self, on: Shelf, entry: Entry) -> Entry:
        on.note(replace(entry, state="purging"))
        self._reached("noted")
        on.drop(f"{entry.id}.file")
        self._reached("unlinked")
        on.forget(entry)
        return entry

    # --- after a crash

    def _recover(self, on: Shelf) -> None:
        on.tidy()
        for entry in on.entries():
            with contextlib.suppress(OSError, Refusal):  # its file system is away: another time
                self._settle(on, entry)

    def _settle(self, on: Shelf, entry: Entry) -> None:
        file = on.has(f"{entry.id}.file")
        if entry.state == "moving":
            self._settle_move(on, entry, file=file)
        elif entry.state == "restoring":
            _remove_aside(entry)
            if file:
                on.note(replace(entry, state="kept"))
            else:
                on.forget(entry)
        elif entry.state == "purging":
            self._destroy(on, entry)

    def _settle_move(self, on: Shelf, entry: Entry, *, file: bool) -> None:
        """Forward when the original has left its place, else back to where it began."""
        part, left = on.has(f"{entry.id}.part"), file
        if part and not file and _is_aside(entry):
            rename_new(on.fd, f"{entry.id}.part", on.fd, f"{entry.id}.file")
            os.fsync(on.fd)
            left = True
        if left:
            _remove_aside(entry)
            self._finish(on, entry)
        else:
            on.drop(f"{entry.id}.part")
            on.forget(entry)


def _kept(on: Shelf, id: str) -> Entry:
    entry = on.find(id)
    if entry.state != "kept":
        raise Refusal(f"{id} cannot be taken out: {entry.state}")
    if not on.has(f"{id}.file"):
        raise Refusal(f"the file of {id} is not in the quarantine")
    return entry


def _with_facts(entry: Entry, found: os.stat_result) -> Entry:
    return replace(
        entry,
        size=found.st_size,
        uid=found.st_uid,
        gid=found.st_gid,
        mode=stat.S_IMODE(found.st_mode),
        mtime_ns=found.st_mtime_ns,
        inode=found.st_ino,
    )


def _digest(on: Shelf, entry: Entry) -> str:
    """Of the file that we keep; empty when what was taken is none, or cannot be read."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        fd = os.open(f"{entry.id}.file", flags, dir_fd=on.fd)
        try:
            return digest(fd) if stat.S_ISREG(os.fstat(fd).st_mode) else ""
        finally:
            os.close(fd)
    return ""


def _insist_on_room(folder: int, size: int) -> None:
    found = os.statvfs(f"/proc/self/fd/{folder}")
    if (free := found.f_bavail * found.f_frsize) < size + (64 << 20):
        raise Refusal(f"a copy of {size} bytes does not fit into {free}")


def _copied(source: int, folder: int, name: str, entry: Entry) -> None:
    """A new file with the same bytes, owner, mode and time, on disk when it returns."""
    target = os.open(name, _NEW, 0o600, dir_fd=folder)
    try:
        offset = 0
        while chunk := os.pread(source, _CHUNK, offset):
            view = memoryview(chunk)
            while view:
                view = view[os.write(target, view) :]
            offset += len(chunk)
        if os.geteuid() == 0:
            os.fchown(target, entry.uid, entry.gid)
        os.fchmod(target, entry.mode)
        os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns))
        os.fsync(target)
    finally:
        os.close(target)


def _is_aside(entry: Entry) -> bool:
    """Whether the original waits beside its place for its copy to take over."""
    with walked(_beside(entry)) as at:
        return not at.missing and at.found.st_ino == entry.inode


def _remove_aside(entry: Entry) -> None:
    with walked(_beside(entry)) as at:
        if not at.missing:
            check_thing(at)
            os.unlink(entry.aside, dir_fd=at.folder)


def _beside(entry: Entry) -> Place:
    place = entry.place
    return Place(place.root, (*place.parts[:-1], entry.aside))
