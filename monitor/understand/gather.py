"""Lines gathered into events: one pass over one chunk of one file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from monitor.model import Category, Chunk, Match
from monitor.understand.events import STACK_MORE, THROWN, Grammar, Kind, Step, joins, opens, step
from monitor.understand.verdict import VAGUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import FileId
    from monitor.understand.matcher import Hit
    from monitor.understand.verdict import Judge, Verdict

IDLE = 3.0  # seconds of silence after which an unfinished event is taken as it is
SETTLED = 0.3  # the same, when the event could well be over
LINES = 200  # lines of an event kept: the first half from its head, the other from its end
WIDTH = 4096  # bytes kept of each
LONGEST = 1 << 20  # bytes after which an event ends, whatever comes
STORM = 2000  # judged lines of one chunk from which on more of the same are only counted
SAME = 50
HELD = VAGUE - {Category.BENIGN}  # a line that a traceback below it would explain
TAIL = 1000  # bytes between an error line and the stack below it


@dataclass(slots=True)
class Open:
    """An event that may go on, or a line to which a traceback may yet belong."""

    chunk: Chunk  # the latest one with a part of it
    start: int
    end: int
    grammar: Grammar | None
    head: list[bytes] = field(default_factory=list)
    tail: list[bytes] = field(default_factory=list)

    def add(self, line: bytes, end: int) -> None:
        kept = self.head if len(self.head) < LINES // 2 else self.tail
        kept.append(line[:WIDTH])
        del self.tail[: -LINES // 2]
        self.end = end

    @property
    def lines(self) -> list[bytes]:
        return self.head + self.tail

    def hangs_on(self, end: int) -> bool:
        """It is only the tail of an error whose line ended at this offset, in an earlier chunk."""
        if self.grammar is None or self.grammar.kind not in {Kind.PYTHON, Kind.STACK}:
            return False
        if self.grammar.kind is Kind.STACK:
            return 0 <= self.start - end <= TAIL and bool(STACK_MORE.match(self.head[0]))
        return self.start == end

    @property
    def patience(self) -> float:
        return SETTLED if self.grammar is None or self.grammar.complete else IDLE


class Keeper(Protocol):
    """Who judges lines, and keeps from chunk to chunk what may go on."""

    judge: Judge
    uncounted: Counter[str]

    def held(self, chunk: Chunk) -> Open | None: ...

    def hold(self, open_: Open) -> None: ...

    def close(self, file: FileId) -> list[Match]: ...

    def event(self, open_: Open) -> Match | None: ...

    def match(
        self, chunk: Chunk, text: bytes, start: int, end: int, verdict: Verdict
    ) -> Match | None: ...


class Reading:
    """One pass over one chunk."""

    def __init__(self, classifier: Keeper, chunk: Chunk, hits: list[Hit]) -> None:
        self.of, self.chunk, self.data = classifier, chunk, chunk.data
        self.hits = hits
        self.at = 0  # bytes of the chunk that are done
        self.judged: Counter[tuple[str, ...]] = Counter()
        self.seen = 0

    def matches(self) -> Iterator[Match]:
        if open_ := self.of.held(self.chunk):
            yield from self._resume(open_)
        for number, hit in enumerate(self.hits):
            if hit.start < self.at:
                continue
            if hit.head and (grammar := opens(self._line(hit.start, hit.end))):
                yield from self._event(grammar, hit.start, hit.start)
            elif head := self._head_after(number):
                grammar = opens(self._line(head.start, head.end))
                if grammar:
                    yield from self._event(grammar, hit.start, head.start)
                    continue
                yield from self._single(hit)
            else:
                yield from self._single(hit)

    def _line(self, start: int, end: int) -> bytes:
        line = self.data[start:end]
        if line.endswith(b"\r"):
            line = line[:-1]
        return line.lstrip(b"\0") if line.startswith(b"\0") else line

    def _head_after(self, number: int) -> Hit | None:
        """The head of an event whose first line this hit is: right after it, or after its own tail."""
        hit = self.hits[number]
        for later in self.hits[number + 1 : number + 4]:
            if later.start - hit.end > 1000:
                return None
            between = self.data[hit.end + 1 : later.start]
            if later.head:
                return later if joins(between) else None
        return None

    def _single(self, hit: Hit) -> Iterator[Match]:
        line = self._line(hit.start, hit.end)
        names = tuple({rule.name for rule, _ in hit.seen})
        self.seen += 1
        self.judged[names] += 1
        if self.seen > STORM and self.judged[names] > SAME and names:
            self.of.uncounted[names[0]] += 1
            return
        start, end = self.chunk.start + hit.start, self._after(hit.end)
        verdict = self.of.judge.judge(line, hit.seen)
        if verdict.category in HELD and (after := self._rest(hit.end + 1)) is not None:
            open_ = Open(self.chunk, start, end, None)
            open_.add(line, end)
            if after:
                open_.add(after, self._after(len(self.data)))
            self.at = len(self.data)
            self.of.hold(open_)
            return
        match = self.of.match(self.chunk, line, start, end, verdict)
        if match:
            yield match

    def _rest(self, start: int) -> bytes | None:
        """What is left of the chunk when a traceback may still come: nothing, or a Java exception."""
        rest = self.data[start : start + 2000].rstrip(b"\r\n")
        if start + len(rest) + 2 < len(self.data) or b"\n" in rest:
            return None
        return rest if not rest or THROWN.match(rest) else None

    def _event(self, grammar: Grammar, first: int, head: int) -> Iterator[Match]:
        if grammar.kind is Kind.STACK and first == head:
            first = (
                self.data.rfind(b"\n", self.at, max(head - 1, self.at)) + 1
                if head > self.at
                else head
            )
            first = max(first, self.at)
        open_ = Open(self.chunk, self.chunk.start + first, self.chunk.start + first, grammar)
        at = first
        while at < head:
            end = self.data.find(b"\n", at)
            open_.add(self._line(at, end), self._after(end))
            at = end + 1
        end = self.data.find(b"\n", head)
        end = len(self.data) if end < 0 else end
        open_.add(self._line(head, end), self._after(end))
        self.at = end + 1
        yield from self._grow(open_)

    def _resume(self, open_: Open) -> Iterator[Match]:
        if open_.end != self.chunk.start:  # the file was rotated or a part of it is lost
            self.of.hold(open_)
            yield from self.of.close(self.chunk.id)
            return
        if open_.grammar is None and not self._continues(open_):
            self.of.hold(open_)
            if self.at < len(self.data) or not self.at:
                yield from self.of.close(self.chunk.id)
            return
        yield from self._grow(open_)

    def _continues(self, open_: Open) -> bool:
        """Whether a traceback hangs on the held line, an exception of Java's making between them."""
        while self.at < len(self.data):
            end = self.data.find(b"\n", self.at)
            end = len(self.data) if end < 0 else end
            line = self._line(self.at, end)
            open_.grammar = opens(line)
            if open_.grammar is None and (len(open_.head) > 1 or not THROWN.match(line)):
                return False
            open_.chunk = self.chunk
            open_.add(line, self._after(end))
            self.at = end + 1
            if open_.grammar:
                return True
        return False

    def _grow(self, open_: Open) -> Iterator[Match]:
        """Adds the lines that follow until the event ends or the chunk does."""
        data, others = self.data, []
        while self.at < len(data) and open_.grammar:
            end = data.find(b"\n", self.at)
            end = len(data) if end < 0 else end
            line = self._line(self.at, end)
            what, open_.grammar = step(open_.grammar, line)
            if what is Step.END or open_.end - open_.start > LONGEST:
                break
            if what is Step.OTHER:
                others.append(self.at)
            else:
                open_.chunk = self.chunk
                open_.add(line, self._after(end))
            self.at = end + 1
        else:
            open_.end = self._after(self.at - 1)
            open_.chunk = self.chunk
            self.of.hold(open_)
            yield from self._between(others)
            return
        match = self.of.event(open_)
        if match:
            yield match
        yield from self._between(others)

    def _between(self, others: list[int]) -> Iterator[Match]:
        """Lines of other writers that stood between the lines of an event."""
        wanted = set(others)
        for hit in self.hits:
            if hit.start in wanted:
                yield from self._single(hit)

    def _after(self, end: int) -> int:
        """The offset in the file at which reading goes on after a line that ends here."""
        return self.chunk.start + min(end + 1, len(self.data))
