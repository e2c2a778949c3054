"""Which lines of a chunk the rules must look at: three engines behind one function, one answer.

`find(data)` gives the lines in which a pattern was seen, each with those patterns. It may name a
pattern too many, never one too few: the verdict on the line itself decides.
"""

from __future__ import annotations

import importlib
import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from monitor.model import Category
from monitor.understand import hyper, linear
from monitor.understand.events import HEADS
from monitor.understand.pattern import read
from monitor.understand.rule import SEEN, Rule, Rules, Seen, Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NEWLINE = 10
CROWDED = 1024  # bytes of a chunk for each line that holds a text: more lines make it crowded
TEMPTING = 4  # as many lines hold a text for each one that holds a pattern
BLOCK = 8192  # bytes of lines that are asked about at once
FOR_A_WHILE = 64  # chunks, until the texts are tried again
HEAD_PATTERNS = tuple(read(head, case=True) for head in HEADS)


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of the chunk, where it stands in it, and what was seen there."""

    start: int
    end: int  # after the last byte of its text, before its \n
    seen: tuple[Seen, ...]
    head: bool  # an event of several lines may begin here


def sought(rules: Rules) -> tuple[Text, ...]:
    """The texts of which one stands wherever a pattern or a head matches."""
    if rules.texts:
        return rules.texts
    # Choosing them takes seconds and memory; whoever prepared the rules has done it.
    chosen: tuple[Text, ...] = importlib.import_module("monitor.understand.anchors").anchors(
        (*(each for rule in _watched(rules) for each in rule.patterns), *HEAD_PATTERNS)
    )
    return chosen


def _watched(rules: Rules) -> Iterable[Rule]:
    return (rule for rule in rules.rules if rule.category is not Category.BENIGN)


class Engine(Protocol):
    """The two questions every tier answers."""

    name: str

    def places(self, data: bytes) -> Iterable[int]:
        """Offsets within lines that may matter, in order; a line too many is fine, one less is not."""
        ...

    def patterns(self, line: bytes) -> Iterable[int]:
        """Which patterns match this one line."""
        ...


class Matcher:
    """The patterns of all rules and the heads of events, over whole chunks."""

    def __init__(self, rules: Rules, tier: str = "", cache: Path | None = None) -> None:
        owners: dict[bytes, list[Seen]] = {}
        for rule in _watched(rules):
            for pattern in rule.patterns:
                owners.setdefault(pattern.detect, []).append((rule, pattern))
        for head in HEAD_PATTERNS:
            owners.setdefault(head.detect, [])
        self._owners = [tuple(owned) for owned in owners.values()]
        self._engine = _engine(list(owners), rules, tier, cache)

    @property
    def tier(self) -> str:
        return self._engine.name

    def find(self, data: bytes) -> list[Hit]:
        """The lines to look at, in the order in which they stand."""
        hits: list[Hit] = []
        end = -1 if data else 0
        for place in self._engine.places(data):
            if place <= end:
                continue
            start = data.rfind(b"\n", 0, place) + 1
            end = data.find(b"\n", place)
            end = len(data) if end < 0 else end
            if hit := self._hit(start, end, data[start:end]):
                hits.append(hit)
        return hits

    def _hit(self, start: int, end: int, line: bytes) -> Hit | None:
        numbers = list(self._engine.patterns(line[:SEEN]))
        if not numbers:
            return None
        seen = tuple(each for number in numbers for each in self._owners[number])
        return Hit(start, end, seen, not all(self._owners[number] for number in numbers))


class _Hyperscan:
    """Fixed texts over the chunk at the speed of memory, then all patterns over the lines found.

    Only fixed texts: this build misses some matches of alternations (`x` twenty times before
    `(?:user|chat) (?:deleted|deactivated|…)`), which the comparison of the engines brought to light.
    """

    name = "hyperscan"

    def __init__(self, sources: list[bytes], texts: tuple[Text, ...], cache: Path | None) -> None:
        self._texts = hyper.Texts(texts, cache)
        self._sources = sources
        self._size = self._asked = self._matched = 0  # of the last chunk: bytes, and lines
        self._tempted = 0  # chunks for which all patterns go first

    @cached_property
    def _sieve(self) -> linear.Sieve:
        return linear.Sieve(self._sources)  # made with the first line, not with the start

    def places(self, data: bytes) -> Iterable[int]:
        if not data:
            return
        self._weigh_the_last(len(data))
        framed = b"".join((b"\n", data, b"\n"))  # a text may hold the line end before or after it
        for start, end in self._suspect(framed) if self._tempted else ((0, len(framed)),):
            part = framed[start:end]
            found = self._texts.places(part)
            for place in sorted(at if part[at] != NEWLINE else at - 1 for at in found):
                yield start + place - 1

    def _weigh_the_last(self, size: int) -> None:
        """Where many lines hold a text and hardly one a pattern, all patterns go first for a while."""
        if self._size >= BLOCK:
            crowded = self._asked * CROWDED > self._size and self._asked > TEMPTING * self._matched
            if crowded and linear.available():
                self._tempted = FOR_A_WHILE
        self._tempted = max(0, self._tempted - 1)
        self._size, self._asked, self._matched = size, 0, 0

    def _suspect(self, framed: bytes) -> Iterable[tuple[int, int]]:
        """The blocks of lines in which some pattern matches, with the line ends around them."""
        start, blocks, suspect = 1, 0, 0
        while start < len(framed):
            end = framed.find(b"\n", start + BLOCK) + 1 or len(framed)
            blocks += 1
            # A line of which rules read only the head is judged by itself.
            if end - start > SEEN or self._sieve.matching(framed[start:end]):
                suspect += 1
                yield start - 1, end
            start = end
        if suspect * TEMPTING >= blocks:
            self._tempted = 0

    def patterns(self, line: bytes) -> Iterable[int]:
        if not line:
            return ()
        self._asked += 1
        found = self._sieve.matching(line)
        self._matched += bool(found)
        return found


class _Re2:
    """One alternation of fixed texts finds the lines, one set of all patterns is asked about each."""

    name = "re2"

    def __init__(self, sources: list[bytes], texts: tuple[Text, ...]) -> None:
        self._any = linear.alternation(texts)
        self._sieve = linear.Sieve(sources)

    def places(self, data: bytes) -> Iterable[int]:
        if not data:
            return
        yield 0
        at = max(data.find(b"\n"), 0)  # the line end itself may be the start of a text
        while (found := self._any.search(data, at)) is not None:
            place = found.end() - 1
            yield place if data[place] != NEWLINE else place - 1
            at = data.find(b"\n", place)
            if at < 0:
                return
        yield len(data) - 1

    def patterns(self, line: bytes) -> Iterable[int]:
        return self._sieve.matching(line)


class _Reference:
    """Line by line and pattern by pattern: plain, slow, what the others are measured against."""

    name = "reference"

    def __init__(self, sources: list[bytes]) -> None:
        self._compiled = [re.compile(source) for source in sources]

    def places(self, data: bytes) -> Iterable[int]:
        at = 0
        for line in data.split(b"\n"):
            yield at
            at += len(line) + 1

    def patterns(self, line: bytes) -> Iterable[int]:
        return [number for number, each in enumerate(self._compiled) if each.search(line)]


def _engine(sources: list[bytes], rules: Rules, tier: str, cache: Path | None) -> Engine:
    if tier == "hyperscan" or (not tier and hyper.available()):
        return _Hyperscan(sources, sought(rules), cache)
    if tier == "re2" or (not tier and linear.available()):
        return _Re2(sources, sought(rules))
    if not tier:
        what = "neither hyperscan nor google-re2 is installed: logs are read slowly"
        warnings.warn(what, RuntimeWarning, stacklevel=3)
    return _Reference(sources)
