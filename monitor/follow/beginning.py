"""Where the reading of a newly found file begins, and what an older generation still holds."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.follow.fingerprint import RING, is_same, seen_before
from monitor.follow.generations import Beside, Generation, copy_of, is_generation
from monitor.follow.tail import READ, Former, Tail
from monitor.model import Chunk, FileId, Gap, Position

if TYPE_CHECKING:
    from collections.abc import Iterable

REWRITES = 16  # former contents that are remembered, to know their copies
RECENT = 16  # files closed last
LOOKED_INTO = 16  # older generations that are opened in search of an unread rest
HOLES = 8  # looks at generations of which one is missing before it is taken for lost
CLOSED = 256  # files no longer open of which the place is remembered
GONE = "the file that was read last is gone; what was unread in it is lost"
ANEW = "was rewritten while nobody read it; what was unread in it is lost"
UNSURE = "was renamed all the time while we looked; a generation may be lost unread"


class Beginnings:
    """Knows what was read, under whatever name and whatever inode it is found again."""

    def __init__(self, positions: Iterable[Position], tails: dict[FileId, Tail]) -> None:
        self.known = {one.id: one for one in positions}  # not open; the one read last comes last
        self.paths = {one.path for one in self.known.values()}
        self.closed: deque[Position] = deque(maxlen=RECENT)  # to be saved once more
        self._tails = tails
        self._current: dict[str, Tail] = {}
        self._rewritten: list[Former] = []
        self._mismatched: list[Position] = []

    def of(
        self, tail: Tail, unseen: tuple[int, int], out: list[Chunk | Gap], now: float, at: float
    ) -> list[Tail]:
        """Put the tail where its reading begins; before it come the generations to be read first."""
        former = self._current.get(tail.path)
        followed = former is not None and self._tails.get(former.id) is former
        self._current[tail.path] = tail
        last = self._last_of(tail.path)
        known = self.known.get(tail.id)
        last_there = known is not None and known.id == self._last_of(known.path)
        self.known.pop(tail.id, None)
        if known and known.offset and is_same(tail.fd, known):
            tail.go(self._furthest(tail, known, former if followed else None))
            return [tail] if followed else self._after_rests(tail, out, now, at)
        if known and known.offset:
            self._mismatched.append(known)
            if last_there and known.path != tail.path:
                out.append(Gap(known.path, GONE, 0, at))  # its number is that of another log
        if self._is_copy(tail):
            return [tail]
        # A file of which nothing was read is known by nothing: its inode may be another's by now.
        if known and known.offset and known.id == last and not followed:
            return self._after_rewrite(tail, known, out, now, at)
        if former and followed:
            return self._after(former, tail, out, now, at)
        if known and known.id == last:
            return self._after_rests(tail, out, now, at)
        if any(one.path == tail.path for one in self.known.values()):
            return self._resumed(tail, out, now, at)
        offset, tail.old_until = unseen
        tail.go(offset)
        return [tail]

    def _furthest(self, tail: Tail, known: Position, former: Tail | None) -> int:
        """A file saved over another may have the inode of one that was saved over before it."""
        upto = [known.offset, self._copied_upto(tail.fd, {known.path, tail.path}) or 0]
        if former and is_same(tail.fd, former.mark()):
            upto.append(former.anchor)
        return max(upto)

    def _last_of(self, path: str) -> FileId | None:
        return next((one.id for one in reversed(self.known.values()) if one.path == path), None)

    def left_behind(self, path: str, out: list[Chunk | Gap], now: float, at: float) -> list[Tail]:
        """What is unread of files that had this name, which leads nowhere now."""
        mine = [one for one in self.known.values() if one.path == path]
        if not mine:
            return []
        beside = Beside(path)
        rests = [self._rest(one, beside, now, at_end=one is mine[-1]) for one in mine]
        left = [tail for tail, _ in rests if tail]
        own = beside.found.get(mine[-1].id)
        if own and rests[-1][1] is None:
            out.append(Gap(path, ANEW, 0, at))
        if since := rests[-1][1] or own:
            left += self._between(mine[-1], beside, since.changed, out, now, at)
        left = self._in_order(self._by_age(left, beside))
        if left:
            self._current[path] = left[-1]
        return left

    def copied(self, former: Former, now: float) -> list[Tail]:
        """The unread rest of a file that was truncated after it was copied."""
        self._rewritten.append(former)
        del self._rewritten[:-REWRITES]
        rest, _ = self._rest(former.position, Beside(former.position.path), now)
        return [rest] if rest else []

    def is_current(self, tail: Tail) -> bool:
        """Whether it is the last of those that had its name."""
        return self._current.get(tail.path) is tail

    def remember(self, position: Position) -> None:
        self.known.pop(position.id, None)
        self.known[position.id] = position
        self.closed.append(position)
        while len(self.known) > CLOSED:
            self.known.pop(next(iter(self.known)))

    # --- another file under the name -----------------------------------------------------------

    def _after(
        self, former: Tail, tail: Tail, out: list[Chunk | Gap], now: float, at: float
    ) -> list[Tail]:
        old, new = os.fstat(former.fd), os.fstat(tail.fd)
        atomic = old.st_nlink == 0 and new.st_mtime_ns <= old.st_ctime_ns
        if self._goes_on(former, tail, atomic, gone=old.st_nlink == 0):
            if tail.ring and not former.ring:
                out.append(Gap(tail.path, Tail.RING_TOLD, 0, at))
            return [tail]
        beside = Beside(tail.path)
        for _ in range(HOLES):
            if not beside.has_hole_before(former.id):
                break
            beside.look()  # it may stand just between two names
        since = min(old.st_mtime_ns, former.changed or old.st_mtime_ns)
        fresh = self._between(former.mark(), beside, since, out, now, at)
        if beside.has_hole_before(former.id) or (old.st_nlink == 0 and fresh):
            told = "was rotated several times at once; a generation may be lost unread"
            out.append(Gap(tail.path, told, 0, at))
        return self._in_order([former, *self._by_age([*fresh, tail], beside)])[1:]

    def _goes_on(self, former: Tail, tail: Tail, atomic: bool, gone: bool) -> bool:
        """Whether a file put in place of another one holds what was read of that one.

        An editor writes the new file before it removes the old one; a few equal lines in a file
        that was written after that are new lines.
        """
        certain = atomic or former.anchor >= RING
        skip = former.anchor if certain and is_same(tail.fd, former.mark()) else 0
        if not skip and gone:
            skip = seen_before(os.pread(tail.fd, READ, 0), former.tail, former.anchor)
            tail.ring = skip > 0
        if skip:
            tail.go(skip)
            former.behind = False
        return skip > 0

    def _between(
        self,
        former: Position,
        beside: Beside,
        since: int,
        out: list[Chunk | Gap],
        now: float,
        at: float,
    ) -> list[Tail]:
        """Generations written after the one that was read last, and late lines of older ones."""
        if not beside.agreed:
            out.append(Gap(former.path, UNSURE, 0, at))
        found: list[Tail] = []
        for one in list(beside.found.values()):
            old = one.changed < since and one.id not in self.known
            if not old and one.id not in self._tails:
                with suppress(OSError):
                    found += self._unread(one, beside, former, now)
                    continue
                known = self.known.get(one.id)
                if known is None or known.offset != one.size:
                    told = "had a generation that cannot be read; what was unread in it is lost"
                    out.append(Gap(former.path, told, one.size, at))
        return found

    def _by_age(self, tails: list[Tail], beside: Beside) -> list[Tail]:
        """The log itself comes last, unless it is an older generation of itself by now."""
        ages = {id: age for age, id in enumerate(beside.found)}
        return sorted(tails, key=lambda tail: ages.get(tail.id, len(ages)))

    def _unread(self, one: Generation, beside: Beside, former: Position, now: float) -> list[Tail]:
        """Raises when there is no getting at it."""
        tail = self._opened(one, beside, now)
        if tail is None:
            raise FileNotFoundError(one.path)
        more = False
        try:
            more = self._has_more(tail, self.known.get(one.id), former)
        finally:
            if not more:
                os.close(tail.fd)
        return [self._keep(tail)] if more else []

    def _has_more(self, tail: Tail, known: Position | None, former: Position) -> bool:
        if known and is_same(tail.fd, known):
            size = os.fstat(tail.fd).st_size
            if size > known.offset:
                # Its number may have been that of a file saved over, and is that of a copy now.
                tail.go(self._furthest(tail, known, None))
            if size > max(known.offset, tail.offset):
                del self.known[known.id]
                return True
            return False
        upto = self._copied_upto(tail.fd, {former.path})
        if upto is not None:
            tail.go(upto)
            return os.fstat(tail.fd).st_size > upto
        return not copy_of(tail.fd, former)

    # --- after a restart -----------------------------------------------------------------------

    def _resumed(self, tail: Tail, out: list[Chunk | Gap], now: float, at: float) -> list[Tail]:
        mine = [one for one in self.known.values() if one.path == tail.path]
        last = mine[-1]
        if is_same(tail.fd, last) and (last.offset >= RING or last.id.inode == tail.id.inode):
            tail.go(last.offset)
            return [tail]
        beside = Beside(tail.path)
        fresh, found = self._rests(mine, beside, now)
        if found is None and last.offset and is_same(tail.fd, last):
            tail.go(last.offset)  # saved again by an editor: nobody renamed the old one
        elif found is None:
            out.append(Gap(tail.path, GONE, 0, at))
            if own := beside.found.get(last.id):  # truncated and written again, and then rotated
                fresh += self._between(last, beside, own.changed, out, now, at)
        else:
            if last.id not in beside.found and not found.packed:
                told = "the file that was read last was copied and is gone; what came after is lost"
                out.append(Gap(tail.path, told, 0, at))
            fresh += self._between(last, beside, found.changed, out, now, at)
        return self._in_order(self._by_age([*fresh, tail], beside))

    def _after_rests(self, tail: Tail, out: list[Chunk | Gap], now: float, at: float) -> list[Tail]:
        """It is still the log, as it was; older generations may hold what there was no time for."""
        mine = [one for one in self.known.values() if one.path == tail.path]
        if not mine:
            return [tail]
        beside = Beside(tail.path)
        fresh, found = self._rests([one for one in mine if one.id in beside.found], beside, now)
        if found and not tail.offset:
            # Of an empty file nothing tells whether it is the one that was known by this number.
            fresh += self._between(mine[-1], beside, found.changed, out, now, at)
        elif not beside.agreed:
            out.append(Gap(tail.path, UNSURE, 0, at))
        return self._in_order(self._by_age([*fresh, tail], beside))

    def _rests(
        self, mine: list[Position], beside: Beside, now: float
    ) -> tuple[list[Tail], Generation | None]:
        """What these hold beyond where they were read, and where the last of them is found."""
        fresh: list[Tail] = []
        found: Generation | None = None
        for one in mine:
            rest, found = self._rest(one, beside, now, by_content=one in mine[-RECENT:])
            fresh += [rest] if rest else []
        return fresh, found

    def _after_rewrite(
        self, tail: Tail, known: Position, out: list[Chunk | Gap], now: float, at: float
    ) -> list[Tail]:
        rest, found = self._rest(known, Beside(tail.path), now)
        if found is None:
            out.append(Gap(tail.path, ANEW, 0, at))
        return self._in_order([*([rest] if rest else []), tail])

    def _rest(
        self,
        known: Position,
        beside: Beside,
        now: float,
        *,
        at_end: bool = False,
        by_content: bool = True,
    ) -> tuple[Tail | None, Generation | None]:
        """What a known file holds beyond its position, and the generation where it is found."""
        newest_first = [*beside.found.values()][::-1][: LOOKED_INTO if by_content else 0]
        own = beside.found.get(known.id)
        for one in [*([own] if own else []), *(one for one in newest_first if one is not own)]:
            if one.id in self._tails:
                continue
            with suppress(OSError):
                tail = self._opened(one, beside, now)
                if tail is None:
                    continue
                same = is_same(tail.fd, known) if known.offset else one.id == known.id
                same = same and not self._is_another(tail, known, beside)
                if same and (at_end or os.fstat(tail.fd).st_size > known.offset):
                    tail.id = known.id if one.packed else one.id
                    tail.go(known.offset)
                    self.known.pop(known.id, None)
                    return self._keep(tail), one
                os.close(tail.fd)
                if same and one.id != known.id and not one.packed:
                    self.remember(replace(known, id=one.id))  # nobody else knows that it was read
                if same:
                    return None, one
        return None, None

    def _is_another(self, tail: Tail, known: Position, beside: Beside) -> bool:
        """Whether it was saved over the known one and read further, or is a copy of what was."""
        own = self.known.get(tail.id)
        if own is not None and own.offset > known.offset and is_same(tail.fd, own):
            return True
        # One that still has its own name was not copied here; a log may well repeat itself.
        return any(
            one.path == known.path
            and one.offset > known.offset
            and is_same(tail.fd, one)
            and not self._has_own_name(one, beside)
            for one in self.known.values()
        )

    def _has_own_name(self, known: Position, beside: Beside) -> bool:
        """Its number alone may be that of another by now."""
        fd = beside.open(known.id)
        if fd is None:
            return False
        try:
            return is_same(fd, known)
        finally:
            os.close(fd)

    # --- copies --------------------------------------------------------------------------------

    def _is_copy(self, tail: Tail) -> bool:
        """Whether a rotation copied a followed file here: only its unread rest is new."""
        folder, name = os.path.split(tail.path)
        of = {one for one in self._paths() if os.path.dirname(one) == folder}
        of = {one for one in of if is_generation(one, name)}
        upto = self._copied_upto(tail.fd, of)
        if upto is not None:
            tail.go(upto)
            return True
        for other in self._tails.values():
            current = other.path in of and self.is_current(other)
            if current and other.as_read().is_copied_by(tail.fd):
                tail.copies(other)
                return True
        return False

    def _paths(self) -> set[str]:
        known = [*self._mismatched, *self.known.values()]
        known += [former.position for former in self._rewritten]
        return {one.path for one in known} | {tail.path for tail in self._tails.values()}

    def _copied_upto(self, fd: int, paths: set[str]) -> int | None:
        """How much of a copy was read before its original was truncated; none when it is no copy."""
        upto = [
            known.offset
            for known in (*self._mismatched, *self.known.values())
            if known.path in paths and known.offset and is_same(fd, known)
        ]
        size = os.fstat(fd).st_size
        upto += [
            min(former.position.offset, size)
            for former in self._rewritten
            if former.position.path in paths and former.is_copied_by(fd)
        ]
        return max(upto, default=None)

    # --- small steps ---------------------------------------------------------------------------

    def _opened(self, one: Generation, beside: Beside, now: float) -> Tail | None:
        fd = beside.open(one.id)
        if fd is None:
            return None
        tail = Tail(fd, beside.path, one.id, 0, now=now)
        tail.detached = now
        return tail

    def _keep(self, tail: Tail) -> Tail:
        self._tails[tail.id] = tail
        return tail

    def _in_order(self, tails: list[Tail]) -> list[Tail]:
        for earlier, later in pairwise(tails):
            later.waits_for = earlier
        return tails
