"""The lines that no rule knows: their shapes, kept over a restart, and which of them are told."""

from __future__ import annotations

from collections import deque
from typing import Any

from monitor.heal.cases import Cases
from monitor.heal.recording import stamp
from monitor.model import Category, Match
from monitor.redact import redact
from monitor.understand.shapes import Shape, Shapes

_TOLD = 5  # new shapes an hour that are told one by one; more are only counted
_HOUR = 3600.0
_KEPT_EVERY = 30.0  # seconds: a killed monitor forgets at most what it counted since


class Unknown:
    """Every line is counted; the first of its shape is told, while not too many are new."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._told: deque[float] = deque(maxlen=_TOLD)
        self._kept_at = float("-inf")
        self._kept_seen = 0
        self.shapes = Shapes(kept=[_shape(row) for row in cases.kept("shapes") or ()])

    def is_news(self, match: Match, now: float) -> bool:
        """Whether this line is the first of its shape and may be told."""
        if match.category is not Category.UNKNOWN or ("new", "yes") not in match.captures:
            return False
        if len(self._told) == _TOLD and now - self._told[0] < _HOUR:
            return False
        self._told.append(now)
        return True

    def keep(self, now: float, *, at_once: bool = False) -> None:
        """Within the caller's transaction; not with each line of a flood."""
        changed = self.shapes.seen != self._kept_seen
        if changed and (at_once or now - self._kept_at >= _KEPT_EVERY):
            self._cases.keep("shapes", [_row(shape) for shape in self.shapes.known()])
            self._kept_at, self._kept_seen = now, self.shapes.seen

    def shown(self) -> list[dict[str, Any]]:
        """For people, the most frequent first."""
        most = sorted(self.shapes.known(), key=lambda shape: (-shape.count, -shape.last))
        return [
            {
                "count": shape.count,
                "first": stamp(shape.first),
                "last": stamp(shape.last),
                "shape": redact(shape.text),
                "sample": redact(shape.sample),
            }
            for shape in most
        ]


def _row(shape: Shape) -> list[Any]:
    words = [redact(word) for word in shape.words]
    return [words, redact(shape.sample), shape.first, shape.last, shape.count]


def _shape(row: list[Any]) -> Shape:
    words, sample, first, last, count = row
    return Shape(tuple(words), sample, first, last, count)
