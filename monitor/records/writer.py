"""`logs/errors.json`: a JSON array that is valid after every write, and only ever grows."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from monitor.records import place, rotation
from monitor.records.ballast import Ballast
from monitor.records.chain import Head, head_line
from monitor.records.ending import (
    BETWEEN,
    EMPTY,
    OPENING,
    Damaged,
    End,
    Foreign,
    Torn,
    Whole,
    closing,
    examine,
    length,
)
from monitor.records.history import last_end, newest_of
from monitor.records.lines import carried_over, chained
from monitor.records.record import Record, seq_of


class RecordsError(Exception):
    """The records cannot be written."""


class RecordsUnwritable(RecordsError):  # noqa: N818  (it says what is wrong)
    """The disk takes nothing just now: keep the rows, and append them again later."""


class RecordsRefused(RecordsError):  # noqa: N818
    """What stands in the place of the file is none of ours to write, or somebody else writes it."""


class _NotSynced(OSError):  # noqa: N818
    """It was taken but may not be on the disk; nobody can ask that descriptor again."""


class Disk(NamedTuple):
    """What a disk does for us, so that a test can play one that fails."""

    write: Callable[[int, bytes, int], int] = os.pwrite
    sync: Callable[[int], None] = os.fdatasync


class Records:
    """One file, one writer; what `append` has taken is on disk, once, in the order of its seq."""

    def __init__(
        self,
        path: Path,
        size: int,
        keep: int,
        warn: Callable[[str], None],
        clock: Callable[[], float],
        disk: Disk,
    ) -> None:
        self._path = path
        self._size = size
        self._keep = keep
        self._warn = warn
        self._clock = clock
        self._disk = disk
        self._ballast = Ballast(path.with_name(f"{path.name}.ballast"))
        self._end = EMPTY
        self._fd = -1
        self._head = -1
        self._too_large = False  # and that was said

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        size: int,
        keep: int,
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        disk: Disk = Disk(),  # noqa: B008  (it is a value)
    ) -> Records:
        """Whatever was left behind, the file is a valid array now and nobody else writes it."""
        records = cls(path, size, keep, warn, clock, disk)
        try:
            with _told(path):
                records._reopen()
        except BaseException:
            records.close()
            raise
        records._ballast.make()
        return records

    @property
    def last_seq(self) -> int:
        """Up to here all is in the file; ask the state for what is newer."""
        return self._end.seq

    def append(
        self, records: Iterable[Record], carry: Callable[[], Iterable[Record]] = tuple
    ) -> None:
        """Write what is newer than `last_seq`; `carry` gives what a new file shall begin with."""
        with _told(self._path):
            self._look()
            waiting = sorted((r for r in records if seq_of(r) > self.last_seq), key=seq_of)
            done = 0
            while done < len(waiting):
                if self._end.offset >= self._size and not self._end.carried:
                    self._rotate(carry)
                lines, end, taken = chained(waiting[done:], self._end)
                self._commit(lines, end)
                done += taken
        self._ballast.make()

    def newest_of(self, incidents: Collection[object]) -> dict[object, dict[str, object]]:
        """The record by which each of these is known; what cannot be read is not carried over."""
        with suppress(OSError):
            return newest_of(self._path, incidents)
        return {}

    def make_room(self) -> bool:
        """The ballast goes, also for those whose words come here later; whether there was any."""
        return self._ballast.free()

    def close(self) -> None:
        self._let_go()
        if self._head >= 0:
            os.close(self._head)
            self._head = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- writing ---

    def _commit(self, lines: Sequence[bytes], end: End) -> None:
        """In one write and on disk when it returns; else the file is as it was before."""
        before = self._end
        try:
            self._write(lines)
        except OSError as error:
            self._take_back()
            if not self._may_try_again(error) or self._end != before:
                raise
            try:
                self._write(lines)
            except OSError:
                self._take_back()
                raise
        self._end = end
        self._note_head()

    def _write(self, lines: Sequence[bytes]) -> None:
        at = self._end.offset
        lead = b"" if at == len(OPENING) else BETWEEN
        data = lead + BETWEEN.join(lines) + closing(-1)
        if (taken := self._disk.write(self._fd, data, at)) < len(data):
            raise OSError(errno.ENOSPC, f"only {taken} of {len(data)} bytes were taken")
        try:
            self._disk.sync(self._fd)
        except OSError as error:
            raise _NotSynced(error.errno, error.strerror) from error

    def _take_back(self) -> None:
        """The closing bracket stands again where it stood; or the file is opened anew next time."""
        end = closing(self._end.offset)
        try:
            if self._disk.write(self._fd, end, self._end.offset) < len(end):
                self._let_go()
            else:
                os.ftruncate(self._fd, length(self._end))
        except OSError:
            self._let_go()

    def _may_try_again(self, error: OSError) -> bool:
        """Room was made, or the descriptor that failed to sync was changed for a new one."""
        made_room = error.errno in place.NO_ROOM and self._ballast.free()
        if isinstance(error, _NotSynced):
            self._let_go()
        elif not made_room:
            return False
        self._look()
        return True

    def _rotate(self, carry: Callable[[], Iterable[Record]]) -> None:
        """A new file goes on with what is carried over; without room for it the old one grows."""
        open_now = sorted((r for r in carry() if seq_of(r) <= self.last_seq), key=seq_of)
        lines, end = carried_over(open_now, self._end)
        try:
            fd = place.make(rotation.new_of(self._path), lines)
            try:
                rotation.turn(self._path, self._keep)
            except OSError:
                os.close(fd)
                raise
        except OSError as error:
            if not self._too_large:
                self._warn(f"{self._path} is too large and cannot be rotated yet: {error}")
            self._too_large = True
            return
        self._too_large = False
        self._let_go()
        self._fd, self._end = fd, end
        self._note_head()

    def _note_head(self) -> None:
        """Nothing depends on it but that `verify` sees a loss at the end."""
        with suppress(OSError):
            os.pwrite(self._head, head_line(Head(self._end.seq, self._end.hash)), 0)

    # --- opening ---

    def _lock(self) -> None:
        """Held on a file beside, which is never renamed."""
        path = self._path.with_name(f"{self._path.name}.head")
        if self._head >= 0 and place.is_at(path, self._head):
            return
        fd = place.open_regular(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise RecordsRefused(f"another process writes {self._path}") from error
        if self._head >= 0:
            os.close(self._head)
        self._head = fd

    def _look(self) -> None:
        """The file at our path is the one we hold, as we left it; else it is opened anew."""
        if self._fd >= 0 and not self._is_as_left():
            self._warn(f"{self._path} was changed by somebody else")
            self._let_go()
        if self._fd < 0:
            self._reopen()

    def _is_as_left(self) -> bool:
        size = os.fstat(self._fd).st_size
        return place.is_at(self._path, self._fd) and size == length(self._end)

    def _reopen(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock()
        rotation.finish(self._path)
        while self._fd < 0:
            self._fd = place.open_regular(self._path)
            self._settle()
        self._disk.sync(self._fd)  # what a killed writer left may not be on disk yet
        self._note_head()

    def _settle(self) -> None:
        """Whole and known, or out of the way so that a new one can be begun."""
        match examine(self._fd):
            case Whole(end):
                self._end = self._going_on(end)
            case Torn(end, rest):
                self._mend(end, rest)
                self._end = self._going_on(end)
            case Damaged(end, why):
                self._let_go()
                self._end = self._going_on(end)
                aside = rotation.retire(self._path, self._keep)
                self._warn(f"{self._path} is damaged ({why}); it goes on in a new file: {aside}")
            case Foreign(why):
                self._let_go()
                aside = place.set_aside(self._path, self._clock())
                self._warn(f"{self._path} is no file of ours ({why}); it was moved to {aside}")

    def _mend(self, end: End, rest: bytes) -> None:
        """The torn rest is kept beside, the bracket closes after the last whole record."""
        if rest.strip(b",]\n"):
            aside = self._keep_rest(rest)
            self._warn(f"{self._path} was torn in its last write; the torn rest is in {aside}")
        place.close_after(self._fd, end)
        place.sync_folder(self._path)

    def _keep_rest(self, rest: bytes) -> Path:
        try:
            return place.keep_rest(self._path, rest, self._clock())
        except OSError as error:
            if error.errno not in place.NO_ROOM or not self._ballast.free():
                raise
            return place.keep_rest(self._path, rest, self._clock())

    def _going_on(self, end: End) -> End:
        """What a file does not say itself because it has nothing but repetitions, others know."""
        if end.seq and not end.carried:
            return end
        newest = max(self._end, last_end(self._path), key=lambda known: known.seq)
        if end.offset == len(OPENING):
            return replace(newest, offset=end.offset, carried=False)
        return replace(end, seq=max(end.seq, newest.seq))

    def _let_go(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except place.Refused as error:
        raise RecordsRefused(str(error)) from error
    except OSError as error:
        raise RecordsUnwritable(f"{path} cannot be written: {error}") from error
