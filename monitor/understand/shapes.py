"""Lines that no rule knows, grouped by shape: what varies is `<*>`, what is fixed is the shape."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

MOST = 500  # shapes kept; the one not seen for longest is forgotten
WORDS = 40  # words of a line that make its shape
SAMPLE = 500  # characters of the line kept as a sample
ALIKE = 0.7  # share of equal words from which on two lines are of one shape

VARIES = re.compile(
    r"\d|^0x[0-9a-fA-F]+$|^[0-9a-fA-F]{8,}$|://|^/\S|^[A-Za-z]:\\|@|^[A-Za-z0-9+/=_-]{24,}$"
)
QUOTED = re.compile(r"\"[^\"]{0,400}\"|'[^']{0,400}'|«[^»]{0,400}»")
KEY = re.compile(r"^([\w.]{1,40}=)")
ANY = "<*>"


@dataclass(slots=True)
class Shape:
    """One way of writing, how often it was seen, and one line of it as it was."""

    words: tuple[str, ...]
    sample: str
    first: float
    last: float
    count: int = 1

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Shapes:
    """The shapes of unknown lines; memory is bounded whatever is written."""

    def __init__(self, most: int = MOST, kept: Iterable[Shape] = ()) -> None:
        self._most = most
        self._shapes = OrderedDict((shape.words, shape) for shape in kept)
        self.forgotten = 0
        self.seen = 0  # lines so far

    def add(self, text: str, at: float) -> tuple[Shape, bool]:
        """The shape of a line, and whether it was seen for the first time."""
        words = words_of(text)
        self.seen += 1
        shape = self._shapes.get(words) or self._alike(words)
        if shape is None:
            shape = self._shapes[words] = Shape(words, text[:SAMPLE], at, at)
            if len(self._shapes) > self._most:
                self._shapes.popitem(last=False)
                self.forgotten += 1
            return shape, True
        merged = merge(shape.words, words)
        if merged != shape.words:
            del self._shapes[shape.words]
            shape.words = merged
        self._shapes[shape.words] = shape
        self._shapes.move_to_end(shape.words)
        shape.count += 1
        shape.last = at
        return shape, False

    def _alike(self, words: tuple[str, ...]) -> Shape | None:
        for known in self._shapes.values():
            if len(known.words) == len(words) and likeness(known.words, words) >= ALIKE:
                return known
        return None

    def known(self) -> list[Shape]:
        """All of them, the one not seen for longest first."""
        return list(self._shapes.values())

    def most_seen(self, count: int = 20) -> list[Shape]:
        return sorted(self._shapes.values(), key=lambda shape: -shape.count)[:count]


def words_of(text: str) -> tuple[str, ...]:
    """The words of a line with what varies taken out; leading time stamps vary, so they fold."""
    line = QUOTED.sub(ANY, text.split("\n", 1)[0][:2000])
    words: list[str] = []
    for word in line.split()[:WORDS]:
        key = KEY.match(word)
        rest = word[key.end() :] if key else word
        fixed = (key[1] if key else "") + (ANY if VARIES.search(rest) or ANY in rest else rest)
        if not (fixed == ANY and words and words[-1] == ANY):
            words.append(fixed)
    return tuple(words)


def likeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """The share of words that are equal, place by place."""
    same = sum(left == right for left, right in zip(one, other, strict=True))
    return same / max(1, len(one))


def merge(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The shape of both: a word where they agree, `<*>` where they do not."""
    if len(one) != len(other):
        return one
    return tuple(a if a == b else ANY for a, b in zip(one, other, strict=True))
