"""Complete lines of files across rotation, truncation, replacement and restarts."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from monitor.follow import sight
from monitor.follow.beginning import Beginnings
from monitor.follow.generations import open_file
from monitor.follow.known import Known
from monitor.follow.lines import LINE_CAP
from monitor.follow.mounts import is_mounted_alone
from monitor.follow.tail import Tail
from monitor.follow.turn import Turn
from monitor.model import Chunk, FileId, Gap, Position

TURN = 4 * 1024 * 1024  # bytes in one turn, of all files
EACH = 1024 * 1024  # bytes in one turn, of one file: a flood does not starve a quiet log
HOT = 1.0  # seconds for which a file that had something new is looked at more often


def nobody(id: FileId) -> bool:  # noqa: ARG001  (the default of a question about any file)
    return False


class Follower:
    r"""Reads what is new in the named files; every line once, and a Gap where something was lost.

    A file that is there at the first look is read from its end, or, with `from_start`, from its
    start with `Chunk.old` set on what was written before that look. A file that appears later, or
    of which a position is known, is read from 0 or from that position: that is work nobody has
    done yet, so it is never old, however long we were away.

    A `\r` before `\n` stays in the data. A last line without its end comes when it has rested
    for `flush_after`; it comes again, whole and under the same `start`, when its end is written,
    unless nothing but the end is added.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        *,
        positions: Iterable[Position] = (),
        from_start: bool = False,
        ours: Callable[[FileId], bool] = nobody,
        held: Callable[[FileId], bool] = nobody,
        rotate_wait: float = 5.0,
        flush_after: float = 2.0,
        status: Callable[[str], os.stat_result] = os.stat,
    ) -> None:
        self.patterns = tuple(dict.fromkeys(os.path.abspath(pattern) for pattern in patterns))
        self._known = Known(positions)
        self.tails = self._known.open
        self.troubles: dict[str, str] = {}  # by path: what keeps a file from being read just now
        self._ours, self._held, self._status = ours, held, status
        self._rotate_wait, self._flush_after = rotate_wait, flush_after
        # Half of what the process may open: the rest of the monitor needs descriptors too.
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        self._first, self._from_start = True, from_start
        self._begin = Beginnings(self._known)
        self._unreadable: dict[str, str] = {}
        self._unfinished = False
        self._unopened: dict[FileId, int] = {}

    # --- what is new ---------------------------------------------------------------------------

    def poll(self, now: float, at: float) -> list[Chunk | Gap]:
        """Compare every name with every open file, and read what is new."""
        turn = Turn(now, at)
        self._unfinished = False
        seen = sight.look(self.patterns, self._status)
        leads = seen.leads()
        for tail in self.tails.values():
            found = tail.id in leads or tail.path in seen.unsure
            tail.detached = None if found else tail.detached or now
            if path := leads.get(tail.id):
                tail.changed = seen.files[path].st_mtime_ns
        room = self._read(self._in_turn(), TURN, turn)
        fresh = [
            tail
            for id, path in leads.items()
            if id not in self.tails and not self._ours(id)
            for tail in self._open(path, seen, turn)
        ]
        if self._first:
            missing = set(self.patterns).difference(seen.files, seen.unsure)
            fresh += [tail for path in missing for tail in self._begin.left_behind(path, turn)]
        self._read(fresh, room, turn)
        self._part(seen, turn)
        self._tell(seen.troubles | self._unreadable, turn)
        self._first = False
        return turn.out

    def drain(self, now: float, at: float) -> list[Chunk | Gap]:
        """Read what is new in the files that lately had something; `poll` remains the truth."""
        turn = Turn(now, at)
        self._unfinished = False
        hot = [
            tail
            for tail in self._in_turn()
            if tail.cursor.behind or now - tail.cursor.touched < HOT
        ]
        self._read(hot, TURN, turn)
        return turn.out

    @property
    def behind(self) -> bool:
        """Whether the last turn had no room for all there was."""
        return self._unfinished or any(tail.cursor.behind for tail in self.tails.values())

    def positions(self, upto: Mapping[FileId, int] | None = None) -> list[Position]:
        """How far each file was read, or not further than `upto` says.

        What is still being put together (an unfinished traceback) must be read again after a
        crash, so its start is the `upto` of its file. Save them also when nothing was read yet.
        """
        limits = upto or {}
        closed = [
            one for one in self._known.lately_closed if limits.get(one.id, one.offset) == one.offset
        ]
        older_first = sorted(self.tails.values(), key=self._known.is_current)
        # A deleted file of which nothing was read proves nothing, and its inode is used again.
        told = [tail for tail in older_first if tail.links or tail.cursor.offset]
        open_ones = [tail.position(limits.get(tail.id)) for tail in told]
        return [*closed, *(one for one in open_ones if one is not None)]

    def begin_anew(self, id: FileId) -> None:
        """We truncated this file ourselves after it was read to its end: nothing was lost."""
        if tail := self.tails.get(id):
            tail.begin_anew()

    def directories(self) -> set[str]:
        """Where something may happen: the folders of the names and of the files they lead to."""
        folders = {sight.nearest(sight.root(pattern)) for pattern in self.patterns}
        names = {tail.path for tail in self.tails.values() if tail.detached is None}
        for path in names.union(self.patterns):
            folders.add(sight.nearest(os.path.dirname(path)))
            folders.add(sight.nearest(os.path.dirname(os.path.realpath(path))))
        return folders

    def close(self) -> None:
        """Let go of all files; an unfinished last line is left for the next start."""
        for tail in self.tails.values():
            os.close(tail.fd)
        self.tails.clear()

    # --- reading -------------------------------------------------------------------------------

    def _in_turn(self) -> list[Tail]:
        """Every file, the one that was read longest ago first."""
        return list(self.tails.values())

    def _read(self, tails: Iterable[Tail], room: int, turn: Turn) -> int:
        for tail in tails:
            if room < LINE_CAP:
                self._unfinished = True
                break
            if tail.waits() or tail.is_shadow():
                continue
            before = tail.cursor.offset
            try:
                self._read_one(tail, min(room, EACH), turn)
                self._unreadable.pop(tail.path, None)
            except OSError as error:
                self._unreadable[tail.path] = f"cannot be read: {error.strerror}"
                tail.cursor.behind, tail.shape = False, (-1, 0)  # tried again at the next look
            room -= abs(tail.cursor.offset - before)
            if tail.cursor.behind and tail.id in self.tails:
                self.tails[tail.id] = self.tails.pop(tail.id)
        return room

    def _read_one(self, tail: Tail, room: int, turn: Turn) -> None:
        tail.read(room, turn, self._flush_after)
        for _ in range(2):
            if not tail.rewritten:
                break
            why, tail.rewritten = tail.rewritten, ""
            if not tail.ring and tail.former:
                rest = self._begin.copied(tail.former, turn.now)
                unread = 0 if rest else tail.unread
                told = f"{why}; {'its rest is read from a copy' if rest else f'{unread} bytes that were seen are lost'}"
                turn.tell(tail.path, told, unread)
                for one in rest:
                    one.read(room, turn, self._flush_after)
            tail.read(room, turn, self._flush_after)

    # --- opening and letting go ----------------------------------------------------------------

    def _open(self, path: str, seen: sight.Sight, turn: Turn) -> list[Tail]:
        if len(self.tails) >= self._most:
            told = f"holds files that are not read: {self._most} are open already"
            seen.troubles[os.path.dirname(path)] = told
            return []
        try:
            fd = open_file(path)
        except FileNotFoundError:
            return []  # it was renamed since we looked: its name leads elsewhere at the next look
        except OSError as error:
            seen.troubles[path] = f"cannot be opened: {error.strerror}"
            if self._first:
                self._note_unopened(seen.files[path])
            return []
        found = os.fstat(fd)
        id = FileId(found.st_dev, found.st_ino)
        if not stat.S_ISREG(found.st_mode) or id in self.tails or self._ours(id):
            os.close(fd)
            return []
        if is_mounted_alone(path):
            told = "is mounted as a single file: when it is renamed outside, nothing tells us"
            turn.tell(path, told)
        tail = Tail(fd, path, id, 0, now=turn.now)
        self.tails[id] = tail  # now, or a rotation meanwhile makes it an older generation of itself
        return self._begin.of(tail, self._unseen(tail, found.st_size), turn)

    def _note_unopened(self, found: os.stat_result) -> None:
        self._unopened[FileId(found.st_dev, found.st_ino)] = (
            0 if self._from_start else found.st_size
        )

    def _unseen(self, tail: Tail, size: int) -> tuple[int, int]:
        """Where a file of which nothing is known begins, and until where it is old."""
        if tail.id in self._unopened:
            offset = self._unopened.pop(tail.id)
            return (offset, 0) if offset <= size else (0, 0)
        if not self._first or self._was_followed(tail.path):
            return 0, 0
        return (0, size) if self._from_start else (size, 0)

    def _was_followed(self, path: str) -> bool:
        """Whether files of this name were followed before: then this one was born since."""
        mine = [pattern for pattern in self.patterns if fnmatchcase(path, pattern)]
        return any(fnmatchcase(one, pattern) for one in self._known.paths for pattern in mine)

    def _part(self, seen: sight.Sight, turn: Turn) -> None:
        """Close what was rotated away or deleted once it is read and has rested."""
        for tail in list(self.tails.values()):
            if tail.detached is None or tail.cursor.behind or self._held(tail.id):
                continue
            replaced = tail.links == 0 or tail.path in seen.files
            rested = turn.now - max(tail.detached, tail.cursor.touched)
            if replaced and rested >= self._rotate_wait:
                try:
                    tail.end(turn)
                except OSError as error:
                    turn.tell(tail.path, f"cannot be read to its end: {error.strerror}")
                self._known.forget(tail)

    # --- what is wrong -------------------------------------------------------------------------

    def _tell(self, troubles: Mapping[str, str], turn: Turn) -> None:
        """A trouble is told when it begins or changes, not every second."""
        for path, why in troubles.items():
            if self.troubles.get(path) != why:
                turn.tell(path, why)
        self.troubles = dict(troubles)
