"""What a look before the start comes to: how it stands, with what, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    READY = "ready"
    OFF = "off"  # not asked for; how to turn it on is said
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer; its kind names the sentence in `words.py`."""

    standing: Standing
    kind: str
    facts: tuple[tuple[str, str], ...] = ()


def ready(kind: str, **facts: object) -> Finding:
    return _finding(Standing.READY, kind, facts)


def off(kind: str, **facts: object) -> Finding:
    return _finding(Standing.OFF, kind, facts)


def warning(kind: str, **facts: object) -> Finding:
    return _finding(Standing.WARNING, kind, facts)


def wrong(kind: str, **facts: object) -> Finding:
    return _finding(Standing.WRONG, kind, facts)


def _finding(standing: Standing, kind: str, facts: Mapping[str, object]) -> Finding:
    return Finding(standing, kind, tuple((name, str(value)) for name, value in facts.items()))


def exit_code(findings: Iterable[Finding]) -> int:
    """0 ready, 1 with warnings, 2 not ready."""
    standings = {finding.standing for finding in findings}
    if Standing.WRONG in standings:
        return 2
    return 1 if Standing.WARNING in standings else 0
