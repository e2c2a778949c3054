"""Where the reading of a newly found file begins, and which generations are read before it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from monitor.follow.copies import Copies
from monitor.follow.cursor import READ
from monitor.follow.fingerprint import RING, is_same
from monitor.follow.generations import Beside
from monitor.follow.rests import UNSURE, Rests, by_age, in_order
from monitor.follow.tail import IS_RING

if TYPE_CHECKING:
    from monitor.follow.fingerprint import Imprint
    from monitor.follow.known import Known
    from monitor.follow.tail import Tail
    from monitor.follow.turn import Turn
    from monitor.model import Position

HOLES = 8  # looks at generations of which one is missing before it is taken for lost
GONE = "the file that was read last is gone; what was unread in it is lost"
ANEW = "was rewritten while nobody read it; what was unread in it is lost"
COPIED = "the file that was read last was copied and is gone; what came after is lost"
HURRIED = "was rotated several times at once; a generation may be lost unread"


class Beginnings:
    """Finds what was read again, under whatever name and whatever inode."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._copies = Copies(known)
        self._rests = Rests(known, self._copies)

    def of(self, tail: Tail, unseen: tuple[int, int], turn: Turn) -> list[Tail]:
        """Put the tail where its reading begins; before it come the generations to be read first."""
        former = self._known.current(tail.path)
        self._known.make_current(tail)
        known = self._known.closed.get(tail.id)
        last = known if known and self._known.is_last(known) else None
        self._known.closed.pop(tail.id, None)
        # A file of which nothing was read is known by nothing: its inode may be another's by now.
        if known and known.offset:
            if is_same(tail.fd, known):
                tail.cursor.go(self._furthest(tail, known, former))
                return [tail] if former else self._after_rests(tail, turn)
            self._copies.mismatched(known)
            if last and last.path != tail.path:
                turn.tell(last.path, GONE)  # its number is that of another log
        if self._copies.claim(tail):
            return [tail]
        if former:
            return self._after(former, tail, turn)
        if last and last.path == tail.path:
            if not last.offset:
                return self._after_rests(tail, turn)
            return self._after_rewrite(tail, last, turn)
        if closed := self._known.closed_at(tail.path):
            return self._resumed(tail, closed, turn)
        offset, tail.cursor.old_until = unseen
        tail.cursor.go(offset)
        return [tail]

    def _furthest(self, tail: Tail, known: Position, former: Tail | None) -> int:
        upto = self._copies.furthest(tail.fd, known, tail.path)
        if former and is_same(tail.fd, former.cursor.imprint.position):
            return max(upto, former.cursor.line)
        return upto

    def left_behind(self, path: str, turn: Turn) -> list[Tail]:
        """What is unread of files that had this name, which leads nowhere now."""
        closed = self._known.closed_at(path)
        if not closed:
            return []
        beside, last = Beside(path), closed[-1]
        rests = [self._rests.of(one, beside, turn.now, at_end=one is last) for one in closed]
        left = [rest for rest, _ in rests if rest]
        own, found = beside.found.get(last.id), rests[-1][1]
        if own and not found:
            turn.tell(path, ANEW)
        if since := found or own:
            left += self._rests.since(last, beside, since.changed, turn)
        left = in_order(by_age(left, beside))
        if left:
            self._known.make_current(left[-1])
        return left

    def copied(self, former: Imprint, now: float) -> list[Tail]:
        """The unread rest of a file that was truncated after it was copied."""
        self._copies.emptied(former)
        rest, _ = self._rests.of(former.position, Beside(former.path), now)
        return [rest] if rest else []

    # --- another file under the name -----------------------------------------------------------

    def _after(self, former: Tail, tail: Tail, turn: Turn) -> list[Tail]:
        old, new = os.fstat(former.fd), os.fstat(tail.fd)
        gone = old.st_nlink == 0
        atomic = gone and new.st_mtime_ns <= old.st_ctime_ns
        if self._goes_on(former, tail, atomic, gone):
            if tail.ring and not former.ring:
                turn.tell(tail.path, IS_RING)
            return [tail]
        beside = Beside(tail.path)
        for _ in range(HOLES):
            if not beside.has_hole_before(former.id):
                break
            beside.look()  # it may stand just between two names
        changed = min(old.st_mtime_ns, former.changed or old.st_mtime_ns)
        fresh = self._rests.since(former.cursor.imprint.position, beside, changed, turn)
        if beside.has_hole_before(former.id) or (gone and fresh):
            turn.tell(tail.path, HURRIED)
        return in_order([former, *by_age([*fresh, tail], beside)])[1:]

    def _goes_on(self, former: Tail, tail: Tail, atomic: bool, gone: bool) -> bool:
        """Whether a file put in place of another one holds what was read of that one.

        An editor writes the new file before it removes the old one; a few equal lines in a file
        that was written after that are new lines.
        """
        read = former.cursor.imprint
        certain = atomic or read.offset >= RING
        skip = read.offset if certain and is_same(tail.fd, read.position) else 0
        if not skip and gone:
            skip = read.seen_in(os.pread(tail.fd, READ, 0))
            tail.ring = skip > 0
        if skip:
            tail.cursor.go(skip)
            former.cursor.behind = False
        return skip > 0

    # --- after a restart -----------------------------------------------------------------------

    def _resumed(self, tail: Tail, closed: list[Position], turn: Turn) -> list[Tail]:
        last = closed[-1]
        if is_same(tail.fd, last) and (last.offset >= RING or last.id.inode == tail.id.inode):
            tail.cursor.go(last.offset)
            return [tail]
        beside = Beside(tail.path)
        fresh, found = self._rests.of_all(closed, beside, turn.now)
        since = found or beside.found.get(last.id)  # or it was emptied, written again and rotated
        if not found and last.offset and is_same(tail.fd, last):
            tail.cursor.go(last.offset)  # saved again by an editor: nobody renamed the old one
            since = None
        elif not found:
            turn.tell(tail.path, GONE)
        elif last.id not in beside.found and not found.packed:
            turn.tell(tail.path, COPIED)
        if since:
            fresh += self._rests.since(last, beside, since.changed, turn)
        return in_order(by_age([*fresh, tail], beside))

    def _after_rests(self, tail: Tail, turn: Turn) -> list[Tail]:
        """It is still the log, as it was; older generations may hold what there was no time for."""
        closed = self._known.closed_at(tail.path)
        if not closed:
            return [tail]
        beside = Beside(tail.path)
        there = [one for one in closed if one.id in beside.found]
        fresh, found = self._rests.of_all(there, beside, turn.now)
        if found and not tail.cursor.offset:
            # Of an empty file nothing tells whether it is the one that was known by this number.
            fresh += self._rests.since(closed[-1], beside, found.changed, turn)
        elif not beside.agreed:
            turn.tell(tail.path, UNSURE)
        return in_order(by_age([*fresh, tail], beside))

    def _after_rewrite(self, tail: Tail, known: Position, turn: Turn) -> list[Tail]:
        rest, found = self._rests.of(known, Beside(tail.path), turn.now)
        if found is None:
            turn.tell(tail.path, ANEW)
        return in_order([*([rest] if rest else []), tail])
