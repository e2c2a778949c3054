"""One open file, read to its end whatever is done to it meanwhile."""

from __future__ import annotations

import os

from monitor.follow.cursor import READ, Cursor
from monitor.follow.fingerprint import Imprint, position_of
from monitor.follow.lines import LINE_CAP
from monitor.follow.turn import Turn
from monitor.model import FileId, Position

IS_RING = "is rewritten for every line (a ring): only what is new in it is read"


class Tail:
    """What happens to one file while a cursor goes through it."""

    def __init__(
        self, fd: int, path: str, id: FileId, offset: int, *, now: float, old_until: int = 0
    ) -> None:
        self.fd, self.path, self.id = fd, path, id
        self.cursor = Cursor(fd, path, id, offset, now=now, old_until=old_until)
        self.links = 1
        self.shape = (-1, 0)  # size and mtime at the last look
        self.detached: float | None = None  # since when no followed name leads here
        self.changed = 0  # its mtime in nanoseconds when a name last led here
        self.waits_for: Tail | None = None  # the generation before this one
        # This is a copy of that one, as often rewritten as it was then, and not yet cut loose.
        self.original: tuple[Tail, int] | None = None
        self.rewrites = 0
        self.ended = 0  # how far it was read before it was last rewritten
        self.rewritten = ""  # why it was begun anew, until someone has told it
        self.former: Imprint | None = None  # what was read of it then
        self.unread = 0  # bytes that were seen behind that
        self.ring = False
        self._known: Position | None = None

    def waits(self) -> bool:
        """Whether an older generation must be read to its end first."""
        if self.waits_for and not (self.waits_for.cursor.behind or self.waits_for.waits()):
            self.waits_for = None
        return self.waits_for is not None

    # --- a copy ------------------------------------------------------------------------------------

    def copies(self, original: Tail) -> None:
        """What is read of the original is not read of its copy."""
        self.original, self.cursor.behind = (original, original.rewrites), False

    def is_shadow(self) -> bool:
        """Whether this copy still stands behind its original, which has not been truncated yet."""
        if self.original is None:
            return False
        original, rewrites = self.original
        if original.rewrites == rewrites and original.detached is None:
            return True
        end = original.cursor.line if original.rewrites == rewrites else original.ended
        self.original = None
        self.cursor.go(min(end, os.fstat(self.fd).st_size))
        return False

    # --- where we are --------------------------------------------------------------------------

    def position(self, upto: int | None = None) -> Position | None:
        """How far it was read, though what was read may no longer stand in the file."""
        if self.original is not None:
            end = min(self.original[0].cursor.line, os.fstat(self.fd).st_size)
            return position_of(self.fd, self.path, self.id, end)
        read = self.cursor.offset
        offset = read if upto is None else min(upto, read)
        if self._known and self._known.offset == offset:
            return self._known
        imprint = self.cursor.imprint
        if not imprint.stands_in(self.fd):
            by_heart = imprint.upto(min(offset, imprint.offset))
            return by_heart.position if by_heart else None
        self._known = position_of(self.fd, self.path, self.id, offset)
        return self._known

    # --- reading -----------------------------------------------------------------------------------

    def read(self, room: int, turn: Turn, flush_after: float) -> None:
        """Hand over what is new, at most about `room` bytes of it, less when the file was rewritten.

        What was handed over stays so when the next read fails.
        """
        cursor, stat = self.cursor, os.fstat(self.fd)
        self.links, cursor.changed = stat.st_nlink, stat.st_mtime_ns
        was, self.shape = self.shape, (stat.st_size, stat.st_mtime_ns)
        if stat.st_size < max(cursor.offset, was[0]):
            self._shrink(stat.st_size, was[0])
            return
        if self.shape == was and not cursor.behind and not cursor.rests(turn.now, flush_after):
            return
        cursor.behind = True
        while cursor.behind and room >= LINE_CAP and not self.rewritten:
            room -= self._step(was[0], flush_after, turn)

    def end(self, turn: Turn) -> None:
        """The rest of the file, its unfinished last line too: nothing more will be read of it."""
        for _ in range(2):
            self.read(READ, turn, 0.0)
        self.cursor.tell_cut(turn)

    def _step(self, was: int, flush_after: float, turn: Turn) -> int:
        """Read once; how much room that took."""
        line, high = self.cursor.line, self.cursor.fill()
        if high is None:
            self._begin_anew("was written anew", was)
            return 0
        if line == 0 and self.cursor.begin(self._seen_before(high, turn), high):
            return 0
        self.cursor.take(high, flush_after, turn)
        return max(4096, self.cursor.line - line)

    def begin_anew(self) -> None:
        """It was emptied after it was read to its end: nothing was lost."""
        self.former, self.shape, self._known = None, (-1, 0), None
        self.cursor.go(0)

    # --- rewritten -----------------------------------------------------------------------------

    def _seen_before(self, high: int, turn: Turn) -> int:
        """How much of its new beginning was read before it was rewritten."""
        if not (self.former and high):
            return 0
        seen = self.former.seen_in(bytes(self.cursor.buffer[:high]))
        self.former = None
        if seen and not self.ring:
            self.ring = True
            turn.tell(self.path, IS_RING)
        return seen

    def _shrink(self, size: int, was: int) -> None:
        """A file that lost only what was not read yet goes on where it is."""
        imprint = self.cursor.imprint
        if size >= self.cursor.offset and imprint.marker and imprint.stands_in(self.fd):
            self.former, self.unread = imprint, was - size
            self.rewritten, self.cursor.behind = "lost its end", True
        else:
            self._begin_anew("was truncated", was)

    def _begin_anew(self, why: str, size: int) -> None:
        cursor = self.cursor
        if cursor.line or self.former is None:
            self.former, self.unread = cursor.imprint, max(0, size - cursor.offset)
        self.rewritten = why
        self.rewrites, self.ended = self.rewrites + 1, cursor.line
        self._known = None
        cursor.old_until = 0
        cursor.go(0)
