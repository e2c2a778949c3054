"""Chunks of a log in, matches out: lines are judged, lines that belong together become one event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.events import STACK_MORE, Grammar, Kind, Step, joins, opens, step
from monitor.matcher import Hit, Matcher
from monitor.model import Category, Chunk, FileId, Line, Match
from monitor.shapes import Shapes
from monitor.verdict import VAGUE, Judge, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.rule import Rules

IDLE = 3.0  # seconds of silence after which an unfinished event is taken as it is
SETTLED = 0.3  # the same, when the event could well be over
LINES = 200  # lines of an event kept: the first half from its head, the other from its end
WIDTH = 4096  # bytes kept of each
LONGEST = 1 << 20  # bytes after which an event ends, whatever comes
FULL = 65_536  # bytes of a single line kept in its match
STORM = 2000  # judged lines of one chunk from which on more of the same are only counted
SAME = 50
TAIL = 1000  # bytes between an error line and the stack below it


@dataclass(slots=True)
class _Open:
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


class Classifier:
    """Follows what the chunks of each file say; holds only what may still become part of an event."""

    def __init__(self, rules: Rules, *, tier: str = "", cache: Path | None = None) -> None:
        self.judge = Judge(rules)
        self.matcher = Matcher(rules, tier, cache)
        self.shapes = Shapes()
        self.uncounted: Counter[str] = Counter()  # lines of a storm, by rule, seen but not judged
        self._open: dict[FileId, _Open] = {}
        self._told: dict[FileId, tuple[int, Category]] = {}

    def feed(self, chunk: Chunk) -> list[Match]:
        """What the lines of this chunk mean, in their order."""
        hits = self.matcher.find(chunk.data)
        if not hits and chunk.id not in self._open:
            return []
        return list(_Reading(self, chunk, hits).matches())

    def flush(self, now: float, *, everything: bool = False) -> list[Match]:
        """The events after which nothing came for a while; all of them when the end has come."""
        over = [
            file
            for file, open_ in self._open.items()
            if everything or now - open_.chunk.at >= open_.patience
        ]
        return [match for file in over for match in self.close(file)]

    def pending(self, file: FileId) -> int | None:
        """Where the unfinished event of this file starts; a checkpoint must not lie behind it."""
        open_ = self._open.get(file)
        return open_.start if open_ else None

    def classify_line(self, text: str) -> Verdict:
        """The verdict on one line or event by itself, ordinary lines included."""
        return self.judge.event(text)

    def close(self, file: FileId) -> list[Match]:
        """Ends the open event of a file, because it is over or the file is."""
        open_ = self._open.pop(file, None)
        if open_ is None:
            return []
        match = self.event(open_)
        return [match] if match else []

    def event(self, open_: _Open) -> Match | None:
        """The match of an event, unless the line it hangs on has already been told as the same."""
        verdict = self.judge.event(open_.lines)
        told = self._told.pop(open_.chunk.id, None)
        if told and open_.hangs_on(told[0]) and verdict.category in {*VAGUE, told[1]}:
            return None
        text = b"\n".join(open_.lines)
        match = self.match(open_.chunk, text, open_.start, open_.end, verdict)
        if open_.grammar:
            self._told.pop(open_.chunk.id, None)
        return match

    def match(self, chunk: Chunk, text: bytes, start: int, end: int, verdict: Verdict) -> Match | None:
        """The match that a verdict makes of these bytes; None for an ordinary line."""
        if verdict.category is Category.BENIGN or verdict.rule is None:
            return None
        self._told[chunk.id] = (end, verdict.category)
        shown = text[:FULL].decode("utf-8", "replace")
        captures = verdict.captures
        if verdict.category is Category.UNKNOWN:
            shape, new = self.shapes.add(shown, chunk.at)
            captures = (*captures, ("shape", shape.text), *((("new", "yes"),) if new else ()))
        line = Line(chunk.path, chunk.id, shown, start, end, chunk.at, chunk.old)
        severity, subject = verdict.severity, verdict.subject
        return Match(line, verdict.rule, verdict.category, severity, subject, captures)

    def hold(self, open_: _Open) -> None:
        self._open[open_.chunk.id] = open_

    def held(self, chunk: Chunk) -> _Open | None:
        """The open event of this file, taken out of keeping."""
        return self._open.pop(chunk.id, None)


class _Reading:
    """One pass over one chunk."""

    def __init__(self, classifier: Classifier, chunk: Chunk, hits: list[Hit]) -> None:
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
        last = hit.end + 1 >= len(self.data)
        if last and verdict.category in VAGUE and verdict.category is not Category.BENIGN:
            open_ = _Open(self.chunk, start, end, None)
            open_.add(line, end)
            self.of.hold(open_)
            return
        match = self.of.match(self.chunk, line, start, end, verdict)
        if match:
            yield match

    def _event(self, grammar: Grammar, first: int, head: int) -> Iterator[Match]:
        if grammar.kind is Kind.STACK and first == head:
            first = self.data.rfind(b"\n", self.at, max(head - 1, self.at)) + 1 if head > self.at else head
            first = max(first, self.at)
        open_ = _Open(self.chunk, self.chunk.start + first, self.chunk.start + first, grammar)
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

    def _resume(self, open_: _Open) -> Iterator[Match]:
        if open_.end != self.chunk.start:  # the file was rotated or a part of it is lost
            self.of.hold(open_)
            yield from self.of.close(self.chunk.id)
            return
        if open_.grammar is None:
            end = self.data.find(b"\n")
            grammar = opens(self._line(0, len(self.data) if end < 0 else end))
            if grammar is None:
                self.of.hold(open_)
                yield from self.of.close(self.chunk.id)
                return
            open_.grammar = grammar
            end = len(self.data) if end < 0 else end
            open_.chunk = self.chunk
            open_.add(self._line(0, end), self._after(end))
            self.at = end + 1
        yield from self._grow(open_)

    def _grow(self, open_: _Open) -> Iterator[Match]:
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
