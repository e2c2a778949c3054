"""The place in a file from which it is read on, and what is handed out of the bytes behind it."""

from __future__ import annotations

import os

from monitor.follow.encoding import PLAIN, Encoding, encoding_of
from monitor.follow.fingerprint import MARKER, Imprint, before
from monitor.follow.holes import nulls_from
from monitor.follow.lines import (
    LINE_CAP,
    Lines,
    TooLong,
    Unfinished,
    first_piece,
    line_at,
    texts,
    told_before,
)
from monitor.follow.turn import Turn
from monitor.model import Chunk, FileId

READ = 256 * 1024  # bytes per read: as fast as more, and resident for ever


class Cursor:
    """Goes forwards through one file, line by line.

    `offset` is the first byte not yet handed out. `line` is where its line starts, and the next
    read begins: they differ while a line without its end was handed out, which comes again, whole,
    when its end is there.
    """

    buffer = bytearray(MARKER + READ)  # one for all: reading is never concurrent

    def __init__(
        self, fd: int, path: str, id: FileId, offset: int, *, now: float, old_until: int
    ) -> None:
        self.fd, self.path, self.id, self.old_until = fd, path, id, old_until
        self.touched = now  # when its last new byte came
        self.changed = 0  # its mtime in nanoseconds at the last look
        self.go(offset)

    def go(self, offset: int) -> None:
        """Read on from here, knowing what stands before it."""
        self.encoding: Encoding = encoding_of(os.pread(self.fd, 3, 0)) if offset else PLAIN
        self.offset = offset
        # `cut` while inside a line beyond the cap, of which so many bytes are `lost`.
        line, self.cut = line_at(offset, before(self.fd, offset, LINE_CAP), self.encoding)
        self.imprint = Imprint.of(self.fd, self.path, self.id, line)
        self.lost = 0
        self.pending = 0  # bytes of the unfinished last line
        self.nulls, self.ahead = 0, 0  # NUL bytes passed over, and looked at
        self.behind = True  # more is to be read than the last turn had room for

    @property
    def line(self) -> int:
        return self.imprint.offset

    # --- one read ------------------------------------------------------------------------------

    def fill(self) -> int | None:
        """Where in the buffer ends what was read; none when other bytes than before precede it."""
        marker = self.imprint.marker
        wanted = len(marker) + READ
        with memoryview(self.buffer) as view, view[:wanted] as part:
            high = os.preadv(self.fd, [part], self.line - len(marker))
        if high < len(marker) or self.buffer[: len(marker)] != marker:
            return None
        self.behind = high == wanted
        return high

    def begin(self, seen: int, high: int) -> bool:
        """Whether the file begins with what is not handed out: old lines, or the order of bytes."""
        self.encoding = encoding_of(bytes(self.buffer[: min(3, high)]))
        skip = seen or len(self.encoding.bom)
        if skip:
            self._advance(bytes(self.buffer[:skip]))
            self.behind = True
        return skip > 0

    def take(self, high: int, flush_after: float, turn: Turn) -> None:
        """Hand out what the buffer holds, up to where something else begins."""
        low = len(self.imprint.marker)
        self._note_growth(high - low, turn.now)
        given = self.offset - self.line
        if self.cut:
            self._skip(low, high, turn)
        elif high > low and self.buffer[low] == 0 and self.encoding.is_bytes and not given:
            self._skip_nulls()
        else:
            self._lines(low, high, flush_after, turn)

    def rests(self, now: float, flush_after: float) -> bool:
        """Whether there is an unfinished line that has not grown for so long."""
        return self.pending > 0 and now - self.touched >= flush_after

    def _note_growth(self, count: int, now: float) -> None:
        if count > self.pending:
            self.touched = now
        self.pending = count

    def _advance(self, data: bytes) -> None:
        """These bytes, from the start of the line on, are done with."""
        self.imprint = self.imprint.then(data)
        self.offset = self.line

    # --- lines ---------------------------------------------------------------------------------

    def _lines(self, low: int, high: int, flush_after: float, turn: Turn) -> None:
        new = low + self.old_until - self.line
        match first_piece(self.buffer, low, high, new, self.encoding):
            case Lines(end, more):
                self.behind |= more
                self._hand_out(low, end, turn)
                self.pending = high - end
            case TooLong():
                self._cut_line(low, turn)
            case Unfinished() if self.rests(turn.now, flush_after):
                self._flush(low, high, turn)

    def _hand_out(self, low: int, end: int, turn: Turn) -> None:
        data, given = bytes(self.buffer[low:end]), self.offset - self.line
        skip = told_before(self.buffer, low, given, end, self.encoding) if given else 0
        self._give(self.line + skip, data[skip:], turn)
        self._advance(data)

    def _flush(self, low: int, high: int, turn: Turn) -> None:
        """An unfinished line that rests is handed out as it is; its bytes stay to be completed."""
        end = self.line + high - low
        if end > self.offset:
            self._give(self.line, bytes(self.buffer[low:high]), turn)
            self.offset = end
        self.pending = 0

    def _give(self, start: int, data: bytes, turn: Turn) -> None:
        if not data:
            return
        if self.nulls:
            why = f"{self.nulls} NUL bytes were skipped: a hole left by a truncation"
            turn.tell(self.path, why)
            self.nulls = 0
        old, changed = start < self.old_until, self.changed / 1e9
        turn.out += [
            Chunk(self.path, self.id, low, high, text, turn.at, old, changed)
            for low, high, text in texts(start, data, self.encoding)
        ]

    # --- what is not a line --------------------------------------------------------------------

    def _cut_line(self, low: int, turn: Turn) -> None:
        data = bytes(self.buffer[low : low + LINE_CAP])
        self._give(self.line, data, turn)
        self._advance(data)
        self.cut, self.behind = True, True

    def _skip(self, low: int, high: int, turn: Turn) -> None:
        end = self.encoding.first(self.buffer, low, high)
        data = bytes(self.buffer[low : end if end > low else high])
        self.lost += len(data)
        self._advance(data)
        self.pending = 0
        if end > low:
            self.tell_cut(turn)
            self.cut, self.behind = False, True

    def tell_cut(self, turn: Turn) -> None:
        """A line beyond the cap is told when its end is known, or when nothing more will come."""
        if self.cut and self.lost:
            why = f"a line was cut after {LINE_CAP} bytes; {self.lost} more were skipped"
            turn.tell(self.path, why, self.lost)
            self.lost = 0

    def _skip_nulls(self) -> None:
        """A hole is passed over once something stands behind it; until then it may yet be filled."""
        self.pending = 0
        found = nulls_from(self.fd, self.line + self.ahead, READ)
        self.behind = found is not None
        end, over = found or (self.line, False)
        self.ahead = end - self.line
        if over:
            self.nulls += self.ahead
            self.imprint = self.imprint.after_nulls(self.fd, self.ahead)
            self.offset, self.ahead = self.line, 0
