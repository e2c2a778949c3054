"""A log of the past: which of its lines mean trouble, each with the time it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from monitor.model import Chunk, Match
from monitor.understand.classify import Classifier
from monitor.understand.stamps import HEAD, stamp_of


class Dated(NamedTuple):
    """A line of trouble, and what each set of rules makes of it."""

    at: float
    path: str
    number: int  # of the line in its file, from 1
    matches: tuple[Match | None, ...]


@dataclass(slots=True)
class _Place:
    number: int
    at: float


class Log:
    """One file, read once by several sets of rules; its clock never goes back.

    A line without a time has that of the line before; what stands before the first time has it.
    """

    def __init__(
        self, classifiers: Sequence[Classifier], wanted: Callable[[Match], bool], near: float
    ) -> None:
        self._classifiers = classifiers
        self._wanted = wanted
        self._near = near  # about when it was written, for times without a year
        self._at: float | None = None  # the time so far
        self._number = 1  # of the line that the next chunk begins with
        self._found: dict[int, list[Match | None]] = {}  # by where they start in the file
        self._places: dict[int, _Place] = {}  # of events that began in an earlier chunk

    def read(self, chunks: Iterable[Chunk]) -> Iterator[Dated]:
        """All of them, in the order of the file."""
        last: Chunk | None = None
        for last in chunks:
            for which, classifier in enumerate(self._classifiers):
                self._keep(which, classifier.feed(last))
            open_ = [c.pending(last.id) for c in self._classifiers]
            held = {start for start in open_ if start is not None}
            self._place(last, held)
            yield from self._settled(min(held, default=last.end))
        if last is not None:
            for which, classifier in enumerate(self._classifiers):
                self._keep(which, classifier.close(last.id))
            yield from self._settled(last.end)

    @property
    def lines(self) -> int:
        return self._number - 1

    @property
    def tells_time(self) -> bool:
        return self._at is not None

    def _keep(self, which: int, matches: Iterable[Match]) -> None:
        for match in filter(self._wanted, matches):
            both = self._found.setdefault(match.line.start, [None] * len(self._classifiers))
            both[which] = match

    def _settled(self, upto: int) -> Iterator[Dated]:
        """What starts before that offset; nothing can be added to it any more."""
        for start in sorted(start for start in self._found if start < upto):
            place = self._places.pop(start)
            matches = [
                match and replace(match, line=replace(match.line, at=place.at))
                for match in self._found.pop(start)
            ]
            path = next(match.line.path for match in matches if match)
            yield Dated(place.at, path, place.number, tuple(matches))

    # --- where and when ---

    def _place(self, chunk: Chunk, held: set[int]) -> None:
        """The number and the time of each line that is asked for, and of the end of the chunk."""
        data, done = chunk.data, 0
        if self._at is None:
            self._at = self._first(data)
        for start in sorted((self._found.keys() | held) - self._places.keys()):
            here = start - chunk.start
            self._number += data.count(b"\n", done, here)
            self._places[start] = _Place(self._number, self._time(data, here, done))
            done = here
        self._number += data.count(b"\n", done)
        if not data.endswith(b"\n"):
            self._number += 1
        self._time(data, len(data), done)
        for gone in self._places.keys() - self._found.keys() - held:
            del self._places[gone]

    def _time(self, data: bytes, start: int, done: int) -> float:
        """The newest time told up to this line, looked for no further back than was looked."""
        at = start
        while (told := self._told(data, at)) is None and at > done:
            at = data.rfind(b"\n", 0, at - 1) + 1
        if told is not None:
            self._at = told if self._at is None else max(self._at, told)
        return self._at or 0.0

    def _first(self, data: bytes) -> float | None:
        """The first time that is told at all: it stands for the lines before it, too."""
        at = 0
        while at < len(data):
            if (told := self._told(data, at)) is not None:
                return told
            at = data.find(b"\n", at) + 1 or len(data)
        return None

    def _told(self, data: bytes, at: int) -> float | None:
        line = data[at : at + HEAD].split(b"\n", 1)[0]
        return stamp_of(line, self._at or self._near) if line else None
