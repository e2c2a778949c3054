"""Which lines of a chunk the rules must look at: three engines behind one function, one answer.

`find(data)` gives the lines in which the text of a rule was seen, each with those rules. It may
name a rule too many, never one too few: the verdict on the line itself decides.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from monitor import hyper, linear
from monitor.events import HEADS
from monitor.model import Category
from monitor.pattern import read
from monitor.rule import Rules, Seen

if TYPE_CHECKING:
    from pathlib import Path

@dataclass(frozen=True, slots=True)
class Hit:
    """A line of the chunk, where it stands in it, and what was seen there."""

    start: int
    end: int  # after the last byte of its text, before its \\n
    seen: tuple[Seen, ...]
    head: bool  # an event of several lines may begin here


class Engine(Protocol):
    """What is seen in a chunk: (an offset within the text of a line, the number of a pattern)."""

    name: str

    def hits(self, data: bytes) -> list[tuple[int, int]]: ...


class Matcher:
    """The patterns of all rules and the heads of events, over whole chunks."""

    def __init__(self, rules: Rules, tier: str = "", cache: Path | None = None) -> None:
        owners: dict[bytes, list[Seen]] = {}
        for rule in rules.rules:
            if rule.category is not Category.BENIGN:
                for pattern in rule.patterns:
                    owners.setdefault(pattern.detect, []).append((rule, pattern))
        for head in HEADS:
            owners.setdefault(read(head, case=True).detect, [])
        self._owners = [tuple(owned) for owned in owners.values()]
        self._engine = _engine(list(owners), tier, cache)

    @property
    def tier(self) -> str:
        return self._engine.name

    def find(self, data: bytes) -> list[Hit]:
        """The lines to look at, in the order in which they stand."""
        found = self._engine.hits(data)
        return self._lines(data, found) if found else []

    def _lines(self, data: bytes, found: list[tuple[int, int]]) -> list[Hit]:
        found.sort()
        hits: list[Hit] = []
        start, end = 0, 0
        seen: list[int] = []
        for at, number in found:
            if at >= end:
                if seen:
                    hits.append(_hit(start, end, seen, self._owners))
                start = data.rfind(b"\n", 0, at) + 1
                end = data.find(b"\n", at)
                end = len(data) if end < 0 else end
                seen = []
            seen.append(number)
        hits.append(_hit(start, end, seen, self._owners))
        return hits


def _hit(start: int, end: int, numbers: list[int], owners: list[tuple[Seen, ...]]) -> Hit:
    numbers = list(dict.fromkeys(numbers))
    seen = tuple(each for number in numbers for each in owners[number])
    return Hit(start, end, seen, not all(owners[number] for number in numbers))


class _Hyperscan:
    """All patterns in one pass over the chunk."""

    name = "hyperscan"

    def __init__(self, sources: list[bytes], cache: Path | None) -> None:
        self._block = hyper.Block(sources, cache)

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        return self._block.hits(data)


class _Re2:
    """Finds a line by one alternation, then asks all patterns about that line at once."""

    name = "re2"

    def __init__(self, sources: list[bytes]) -> None:
        self._any = linear.alternation(sources)
        self._sieve = linear.Sieve(sources)

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        at = 0
        while (first := self._any.search(data, at)) is not None:
            where = first.end() - 1
            start = data.rfind(b"\n", 0, where) + 1
            end = data.find(b"\n", where)
            end = len(data) if end < 0 else end
            found += [(start, number) for number in self._sieve.matching(data[start:end])]
            at = end + 1
            if at >= len(data):
                break
        return found


class _Reference:
    """Pattern by pattern and line by line: plain, slow, what the others are measured against."""

    name = "reference"

    def __init__(self, sources: list[bytes]) -> None:
        self._compiled = [re.compile(source) for source in sources]

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        at = 0
        for line in data.split(b"\n"):
            if line:
                found += [(at, n) for n, each in enumerate(self._compiled) if each.search(line)]
            at += len(line) + 1
        return found


def _engine(sources: list[bytes], tier: str, cache: Path | None) -> Engine:
    if tier == "hyperscan" or (not tier and hyper.available()):
        return _Hyperscan(sources, cache)
    if tier == "re2" or (not tier and linear.available()):
        return _Re2(sources)
    if not tier:
        what = "neither hyperscan nor google-re2 is installed: logs are read slowly"
        warnings.warn(what, stacklevel=3)
    return _Reference(sources)
