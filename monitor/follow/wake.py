"""The bell that says "something may have changed"; the only importer of watchdog."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from watchdog.events import FileModifiedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers.api import ObservedWatch
from watchdog.observers.inotify import InotifyObserver

from monitor.follow.mounts import is_remote

AGAIN = 30.0  # seconds until inotify is tried again where it was not to be had
DOUBTS = 3  # changes found in a row for which the bell had not rung

# It calls the end of a watch an error when it races with an event; we end watches all the time.
logging.getLogger("watchdog").setLevel(logging.CRITICAL)


class _Ring(FileSystemEventHandler):
    """watchdog's thread does nothing but this: whatever it raised would end it for good."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rung: asyncio.Event) -> None:
        self._loop, self._rung = loop, rung

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002  (it is only a bell)
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._rung.set)


@dataclass(frozen=True, slots=True)
class _Armed:
    """A folder is the same one only while its inode is: a new one needs a new watch."""

    device: int
    inode: int


class Bell:
    """Rings when something may have changed in a folder; silence proves nothing.

    Only modification is listened to: watchdog holds a rename back for half a second, and its
    thread with it, so a rename is found by the reconcile of the one who waits, or by the first
    write after it. `deaf` says for each folder why it is not watched; the one who waits polls
    faster as long as anything is in it.
    """

    def __init__(self, *, inotify: bool = True) -> None:
        self.deaf: dict[str, str] = {} if inotify else {"": "polling was asked for"}
        self._inotify = inotify
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()
        self._ring = _Ring(self._loop, self._rung)
        self._observer: InotifyObserver | None = None
        self._watches: dict[_Armed, ObservedWatch] = {}
        self._unheard = 0
        self._try_again = 0.0

    def arm(self, folders: Iterable[str]) -> bool:
        """Watch exactly these folders; whether any watch is new, so that one must look again."""
        if not self._inotify or self._loop.time() < self._try_again:
            return False
        self.deaf = {}
        wanted = self._wanted(folders)
        for gone in self._watches.keys() - wanted.keys():
            self._take_off(gone)
        missing = [one for one in wanted if one not in self._watches]
        added = [self._put_on(one, wanted[one]) for one in missing]
        return any(added)

    def disarm(self) -> None:
        """Take all watches off: each write of a busy writer would cost it an event."""
        for armed in list(self._watches):
            self._take_off(armed)
        self._rung.clear()

    async def wait(self, seconds: float) -> bool:
        """Whether it rang within so many seconds; it may have rung before."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        rang = self._rung.is_set()
        self._rung.clear()
        return rang

    def heard(self, rang: bool) -> None:
        """Something had changed: a bell that keeps silent then is hung anew, and then given up."""
        self._unheard = 0 if rang or not self._watches else self._unheard + 1
        if self._unheard:
            self.disarm()
            self._end_observer()
        if self._unheard >= DOUBTS:
            self._give_up("", "it does not tell of changes here")

    def close(self) -> None:
        self.disarm()
        self._end_observer()

    # --- watches -------------------------------------------------------------------------------

    def _wanted(self, folders: Iterable[str]) -> dict[_Armed, str]:
        wanted: dict[_Armed, str] = {}
        for folder in folders:
            try:
                found = os.stat(folder)
            except OSError as error:
                self.deaf[folder] = f"cannot be watched: {error.strerror}"
                continue
            armed = _Armed(found.st_dev, found.st_ino)
            # watchdog passes over EACCES in silence and then watches nothing.
            if armed in self._watches or armed in wanted:
                wanted.setdefault(armed, folder)
            elif not os.access(folder, os.R_OK, effective_ids=True):
                self.deaf[folder] = "cannot be watched: permission denied"
            elif is_remote(folder):
                self.deaf[folder] = "is not on a local file system"
            else:
                wanted[armed] = folder
        return wanted

    def _put_on(self, armed: _Armed, folder: str) -> bool:
        try:
            if self._observer is None:
                self._observer = InotifyObserver()
                self._observer.start()
            watch = self._observer.schedule(self._ring, folder, event_filter=[FileModifiedEvent])
        except (OSError, RuntimeError) as error:  # limits of watches, instances, files, threads
            self._give_up(folder, f"cannot be watched: {error}")
            return False
        self._watches[armed] = watch
        return True

    def _take_off(self, armed: _Armed) -> None:
        watch = self._watches.pop(armed)
        if self._observer is not None:
            with suppress(OSError, KeyError):  # its folder is gone, and the watch with it
                self._observer.unschedule(watch)

    def _give_up(self, folder: str, why: str) -> None:
        self.deaf[folder] = why
        self._unheard = 0
        self._try_again = self._loop.time() + AGAIN

    def _end_observer(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(1.0)
            self._observer = None
