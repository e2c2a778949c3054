"""Chunks of a log in, matches out: lines are judged, lines that belong together become one event."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from monitor.model import Category, Chunk, FileId, Line, Match
from monitor.understand.gather import Open, Reading
from monitor.understand.matcher import Matcher
from monitor.understand.shapes import Shapes
from monitor.understand.stamped import written_at
from monitor.understand.verdict import VAGUE, Judge, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.understand.rule import Rules

FULL = 65_536  # bytes of a single line kept in its match


class Classifier:
    """Follows what the chunks of each file say; holds only what may still become part of an event."""

    def __init__(
        self,
        rules: Rules,
        *,
        tier: str = "",
        cache: Path | None = None,
        shapes: Shapes | None = None,
    ) -> None:
        self.rules = rules.digest[:12]
        self.judge = Judge(rules)
        self.matcher = Matcher(rules, tier, cache)
        self.shapes = Shapes() if shapes is None else shapes
        self.uncounted: Counter[str] = Counter()  # lines of a storm, by rule, seen but not judged
        self._open: dict[FileId, Open] = {}
        self._told: dict[FileId, tuple[int, Category]] = {}

    def feed(self, chunk: Chunk) -> list[Match]:
        """What the lines of this chunk mean, in their order."""
        hits = self.matcher.find(chunk.data)
        if not hits and chunk.id not in self._open:
            return []
        return list(Reading(self, chunk, hits).matches())

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

    def files(self) -> set[FileId]:
        """The files of which anything is kept."""
        return {*self._open, *self._told}

    def forget(self, file: FileId) -> list[Match]:
        """A file is gone: what it left open is all it will ever be, and its number may be reused."""
        matches = self.close(file)
        self._told.pop(file, None)
        return matches

    def begins_anew(self, file: FileId) -> None:
        """It was emptied after all of it was fed: what is open goes on at its new start."""
        if open_ := self._open.get(file):
            open_.start = open_.end = 0
        if told := self._told.get(file):
            self._told[file] = (0, told[1])

    def event(self, open_: Open) -> Match | None:
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

    def match(
        self, chunk: Chunk, text: bytes, start: int, end: int, verdict: Verdict
    ) -> Match | None:
        """The match that a verdict makes of these bytes; None for an ordinary line."""
        if verdict.category is Category.BENIGN or verdict.rule is None:
            return None
        self._told[chunk.id] = (end, verdict.category)
        shown = text[:FULL].decode("utf-8", "replace")
        captures = verdict.captures
        if verdict.category is Category.UNKNOWN:
            shape, new = self.shapes.add(shown, chunk.at)
            captures = (*captures, ("shape", shape.text), *((("new", "yes"),) if new else ()))
        written = written_at(shown, chunk.at)
        written = chunk.changed if written is None else written
        line = Line(chunk.path, chunk.id, shown, start, end, chunk.at, chunk.old, written)
        return Match(
            line,
            verdict.rule,
            verdict.category,
            verdict.severity,
            verdict.subject,
            captures,
            verdict.why,
            verdict.hits,
            self.rules,
        )

    def hold(self, open_: Open) -> None:
        self._open[open_.chunk.id] = open_

    def held(self, chunk: Chunk) -> Open | None:
        """The open event of this file, taken out of keeping."""
        return self._open.pop(chunk.id, None)
