"""One open file, read forwards: whole lines, each once, whatever is done to the file meanwhile."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from monitor.follow.encoding import PLAIN, Encoding, encoding_of
from monitor.follow.fingerprint import HEAD, MARKER, TAIL, before, digest, position_of, seen_before
from monitor.model import Chunk, FileId, Gap, Position

LINE_CAP = 64 * 1024  # bytes of one line; what is longer is cut, and said
READ = 256 * 1024  # bytes per read: as fast as more, and resident for ever


@dataclass(frozen=True, slots=True)
class Former:
    """What stood in a file up to where it was read."""

    position: Position
    head: bytes
    tail: bytes
    unread: int

    def is_copied_by(self, fd: int) -> bool:
        """Whether that file is a copy of this one, finished or still being made."""
        size, offset = os.fstat(fd).st_size, self.position.offset
        count = min(size, len(self.head))
        if count == 0 or os.pread(fd, count, 0) != self.head[:count]:
            return False
        return size < offset or before(fd, offset, MARKER) == self.tail[-MARKER:]


class Tail:
    """Hands out what is new in one file.

    `offset` is the first byte not yet handed out. `line` is where its line starts: they differ
    while a line without its end was handed out, which comes again, whole, when its end is there.
    """

    RING_TOLD = "is rewritten for every line (a ring): only what is new in it is read"

    buffer = bytearray(MARKER + READ)  # one for all: reading is never concurrent

    def __init__(
        self, fd: int, path: str, id: FileId, offset: int, *, now: float, old_until: int = 0
    ) -> None:
        self.fd, self.path, self.id, self.old_until = fd, path, id, old_until
        self.behind = True  # more is to be read than the last turn had room for
        self.links = 1
        self.touched = now  # when its last new byte came
        self.detached: float | None = None  # since when no followed name leads here
        self.changed = 0  # its mtime in nanoseconds when a name last led here
        self.waits_for: Tail | None = None  # the generation before this one
        self.original: tuple[Tail, int] | None = (
            None  # this is a copy of that one, not yet cut loose
        )
        self.rewrites = 0
        self.ended = 0  # how far it was read before it was last rewritten
        self.former: Former | None = None
        self.rewritten = ""  # why it was begun anew, until someone has told it
        self.ring = False
        self.shape = (-1, 0)  # size and mtime at the last look
        self.pending = 0  # bytes of the unfinished last line
        self.cut = False  # inside a line beyond the cap
        self.lost = 0  # bytes of that line
        self.nulls = 0
        self._known: Position | None = None
        self.go(offset)

    def go(self, offset: int) -> None:
        """Read on from here, knowing what stands before it."""
        self.encoding: Encoding = encoding_of(os.pread(self.fd, 3, 0)) if offset else PLAIN
        self.offset = offset
        start = bytearray(before(self.fd, offset, LINE_CAP))
        odd = (len(start) - offset) % len(self.encoding.newline)
        unfinished = len(start) - self.encoding.last(start, odd, len(start))
        self.cut = unfinished >= LINE_CAP - 1
        bom = len(self.encoding.bom) if unfinished == offset else 0
        self.line = offset if self.cut else offset - unfinished + bom
        self.head = os.pread(self.fd, min(HEAD, self.anchor), 0)
        self.tail = before(self.fd, self.anchor, TAIL)
        self.pending, self.lost, self.nulls, self.ahead = 0, 0, 0, 0
        self.behind = True

    @property
    def anchor(self) -> int:
        """Where the next read begins."""
        return self.offset if self.cut else self.line

    def mark(self) -> Position:
        """What stood before the anchor when it was read, whatever stands there now."""
        marker = digest(self.tail[-MARKER:])
        return Position(self.path, self.id, self.anchor, digest(self.head), marker)

    def _by_heart(self, offset: int) -> Position | None:
        """What stood before this place when it was read; none when that is too far back."""
        tail = self.tail[: max(0, len(self.tail) - self.anchor + offset)]
        if len(tail) < min(MARKER, offset):
            return None
        head = digest(self.head[:offset])
        return Position(self.path, self.id, offset, head, digest(tail[-MARKER:]))

    def as_read(self, unread: int = 0) -> Former:
        return Former(self.mark(), self.head, self.tail, unread)

    def waits(self) -> bool:
        """Whether an older generation must be read to its end first."""
        if self.waits_for and not (self.waits_for.behind or self.waits_for.waits()):
            self.waits_for = None
        return self.waits_for is not None

    # --- a copy ------------------------------------------------------------------------------------

    def copies(self, original: Tail) -> None:
        """What is read of the original is not read of its copy."""
        self.original, self.behind = (original, original.rewrites), False

    def is_shadow(self) -> bool:
        """Whether this copy still stands behind its original, which has not been truncated yet."""
        if self.original is None:
            return False
        original, rewrites = self.original
        if original.rewrites == rewrites and original.detached is None:
            return True
        end = original.anchor if original.rewrites == rewrites else original.ended
        self.original = None
        self.go(min(end, os.fstat(self.fd).st_size))
        return False

    # --- reading -----------------------------------------------------------------------------------

    def position(self, upto: int | None = None) -> Position | None:
        """How far it was read, though what was read may no longer stand in the file."""
        if self.original is not None:
            end = min(self.original[0].anchor, os.fstat(self.fd).st_size)
            return position_of(self.fd, self.path, self.id, end)
        offset = self.offset if upto is None else min(upto, self.offset)
        if self._known and self._known.offset == offset:
            return self._known
        marker = self.tail[-MARKER:]
        if before(self.fd, self.anchor, MARKER) != marker:
            return self._by_heart(min(offset, self.anchor))
        self._known = position_of(self.fd, self.path, self.id, offset)
        return self._known

    def read(self, room: int, now: float, at: float, flush_after: float) -> list[Chunk | Gap]:
        """What is new, at most about `room` bytes of it; stops early when the file was rewritten."""
        stat = os.fstat(self.fd)
        self.links = stat.st_nlink
        was, self.shape = self.shape, (stat.st_size, stat.st_mtime_ns)
        if stat.st_size < max(self.offset, was[0]):
            self._shrink(stat.st_size, was[0])
            return []
        due = self.pending > 0 and now - self.touched >= flush_after
        if self.shape == was and not self.behind and not due:
            return []
        out: list[Chunk | Gap] = []
        self.behind = True
        while self.behind and room >= LINE_CAP and not self.rewritten:
            room -= self._step(was[0], now, at, flush_after, out)
        return out

    def end(self, now: float, at: float) -> list[Chunk | Gap]:
        """The rest of the file, its unfinished last line too: nothing more will be read of it."""
        out = self.read(READ, now, at, 0.0) + self.read(READ, now, at, 0.0)
        if self.cut and self.lost:
            out.append(self._cut_gap(at))
        return out

    # --- one read ------------------------------------------------------------------------------

    def _step(
        self, was: int, now: float, at: float, flush_after: float, out: list[Chunk | Gap]
    ) -> int:
        marker = self.tail[-MARKER:]
        low, anchor, wanted = len(marker), self.anchor, len(marker) + READ
        with memoryview(self.buffer) as view, view[:wanted] as part:
            high = os.preadv(self.fd, [part], anchor - low)
        if high < low or self.buffer[:low] != marker:
            self._begin_anew("was written anew", was)
            return 0
        self.behind = high == wanted
        if anchor == 0 and self._start(high, at, out):
            return 0
        self._note_growth(high - low, now)
        if self.cut:
            self._skip(low, high, at, out)
        elif high > low and self.buffer[low] == 0 and self._is_bytes and anchor == self.offset:
            self._skip_nulls()
        else:
            self._lines(low, high, now, at, flush_after, out)
        return max(4096, self.anchor - anchor)

    def _start(self, high: int, at: float, out: list[Chunk | Gap]) -> bool:
        """Whether the beginning of the file moved the place to read from."""
        self.encoding = encoding_of(bytes(self.buffer[: min(3, high)]))
        skip = len(self.encoding.bom)
        if self.former and high:
            content = bytes(self.buffer[:high])
            skip = seen_before(content, self.former.tail, self.former.position.offset)
            if skip and not self.ring:
                self.ring = True
                out.append(Gap(self.path, self.RING_TOLD, 0, at))
            skip = skip or len(self.encoding.bom)
            self.former = None
        if skip:
            self._advance(bytes(self.buffer[:skip]))
            self.behind = True
        return skip > 0

    @property
    def _is_bytes(self) -> bool:
        return len(self.encoding.newline) == 1

    def _note_growth(self, count: int, now: float) -> None:
        if count > self.pending:
            self.touched = now
        self.pending = count

    def _lines(
        self, low: int, high: int, now: float, at: float, flush_after: float, out: list[Chunk | Gap]
    ) -> None:
        last = self._before_nulls(low, self.encoding.last(self.buffer, low, high))
        last = self._before_new(low, last)
        long = self.encoding.overlong(self.buffer, low, max(last, low), LINE_CAP)
        if long > low:
            last, self.behind = long, True
        elif long == low or (last == low and high - low > LINE_CAP):
            self._cut_line(low, at, out)
            return
        if last > low:
            self._hand_out(low, last, at, out)
            self.pending = high - last
        elif self.pending and now - self.touched >= flush_after:
            self._flush(low, high, at, out)

    def _before_nulls(self, low: int, last: int) -> int:
        """A hole may follow a line: the line comes alone, the hole is skipped at the next read."""
        if not self._is_bytes:
            return last
        null = self.buffer.find(0, low, last)
        if null < 0:
            return last
        self.behind = True
        end = self.encoding.last(self.buffer, low, null)
        return end if end > low else self.encoding.first(self.buffer, null, last)

    def _before_new(self, low: int, last: int) -> int:
        """Old lines and new ones do not come in one piece."""
        limit = low + self.old_until - self.line
        if not low < limit < last:
            return last
        self.behind = True
        end = self.encoding.last(self.buffer, low, limit)
        return end if end > low else self.encoding.first(self.buffer, low, last)

    def _hand_out(self, low: int, last: int, at: float, out: list[Chunk | Gap]) -> None:
        start = self.line
        data = bytes(self.buffer[low:last])
        given = self.offset - self.line
        if given and self._rest_is_empty(low, given, last):
            skip = self.encoding.first(self.buffer, low + given, last) - low
            self._give(start + skip, data[skip:], at, out)
        else:
            self._give(start, data, at, out)
        self._advance(data)

    def _rest_is_empty(self, low: int, given: int, last: int) -> bool:
        """Whether a line that was handed out already got nothing more than its end."""
        end = self.encoding.first(self.buffer, low + given, last)
        rest = bytes(self.buffer[low + given : end])
        return not rest.replace(b"\0", b"").strip(b"\r\n")

    def _give(self, start: int, data: bytes, at: float, out: list[Chunk | Gap]) -> None:
        """A file in UTF-16 comes line by line, so that `start` and `end` stay those of the file."""
        if not data:
            return
        if self.nulls:
            why = f"{self.nulls} NUL bytes were skipped: a hole left by a truncation"
            out.append(Gap(self.path, why, 0, at))
            self.nulls = 0
        old, changed = start < self.old_until, self.shape[1] / 1e9
        if self._is_bytes:
            out.append(Chunk(self.path, self.id, start, start + len(data), data, at, old, changed))
            return
        source, low = bytearray(data), 0
        while low < len(source):
            end = self.encoding.first(source, low, len(source))
            end = len(source) if end == low else end
            text = self.encoding.utf8(data[low:end])
            out.append(Chunk(self.path, self.id, start + low, start + end, text, at, old, changed))
            low = end

    def _flush(self, low: int, high: int, at: float, out: list[Chunk | Gap]) -> None:
        """An unfinished line that rests is handed out as it is; its bytes stay to be completed."""
        end = self.line + high - low
        if end > self.offset:
            self._give(self.line, bytes(self.buffer[low:high]), at, out)
            self.offset = end
        self.pending = 0

    # --- what is not a line --------------------------------------------------------------------

    def _cut_line(self, low: int, at: float, out: list[Chunk | Gap]) -> None:
        data = bytes(self.buffer[low : low + LINE_CAP])
        self._give(self.line, data, at, out)
        self._advance(data)
        self.cut, self.behind = True, True

    def _skip(self, low: int, high: int, at: float, out: list[Chunk | Gap]) -> None:
        end = self.encoding.first(self.buffer, low, high)
        data = bytes(self.buffer[low : end if end > low else high])
        self.lost += len(data)
        self._advance(data)
        self.pending = 0
        if end > low:
            self.cut, self.behind = False, True
            out.append(self._cut_gap(at))

    def _cut_gap(self, at: float) -> Gap:
        lost, self.lost = self.lost, 0
        why = f"a line was cut after {LINE_CAP} bytes; {lost} more were skipped"
        return Gap(self.path, why, lost, at)

    def _skip_nulls(self) -> None:
        """A hole is passed over once something stands behind it; until then it may yet be filled."""
        self.pending = 0
        try:
            place = os.lseek(self.fd, self.anchor + self.ahead, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            self.behind, self.ahead = False, 0
            return
        body = os.pread(self.fd, READ, place)
        zeros = len(body) - len(body.lstrip(b"\0"))
        self.behind = len(body) > 0
        self.ahead = place + zeros - self.anchor if body else 0
        if zeros < len(body):
            self._pass_over(self.ahead)

    def _pass_over(self, count: int) -> None:
        self.nulls += count
        self.ahead = 0
        self.line = self.offset = self.offset + count
        self.tail = (self.tail + bytes(min(count, TAIL)))[-TAIL:]
        self.head = os.pread(self.fd, min(HEAD, self.anchor), 0)

    # --- where we are --------------------------------------------------------------------------

    def _advance(self, data: bytes) -> None:
        """These bytes from the anchor on are done with."""
        if len(self.head) < HEAD:
            self.head = (self.head + data[:HEAD])[:HEAD]
        self.tail = data[-TAIL:] if len(data) >= TAIL else (self.tail + data)[-TAIL:]
        self.line = self.offset = self.anchor + len(data)

    def _shrink(self, size: int, was: int) -> None:
        """A file that lost only what was not read yet goes on where it is."""
        marker = self.tail[-MARKER:]
        if size < self.offset or not marker or before(self.fd, self.anchor, MARKER) != marker:
            self._begin_anew("was truncated", was)
            return
        self.former = self.as_read(was - size)
        self.rewritten, self.behind = "lost its end", True

    def _begin_anew(self, why: str, size: int) -> None:
        unread = max(0, size - self.offset)
        if self.anchor or self.former is None:
            self.former = self.as_read(unread)
        self.rewritten = why
        self.rewrites, self.ended = self.rewrites + 1, self.anchor
        self._known = None
        self.old_until = 0
        self.go(0)
