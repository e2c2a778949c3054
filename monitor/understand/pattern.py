"""One pattern of a rule in the forms the engines need.

A pattern reads one line and never crosses its end; case does not matter unless the rule says so;
`( )` does not capture, `(?P<name> )` does. What is refused, is refused by name and position.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.understand.core import MIN_LITERAL, Way, trimmed, ways
from monitor.understand.syntax import Parser, PatternError, emit

__all__ = ["MIN_LITERAL", "Pattern", "PatternError", "needed", "read"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern in the forms the engines need."""

    text: str  # as the rule has it
    exact: bytes  # with its named groups: what decides, on one line
    detect: bytes  # matches wherever `exact` does, maybe more: what is looked for in whole chunks
    names: tuple[str, ...]
    case: bool
    fixed: bool  # every match contains some fixed text
    sure: bool  # nothing was trimmed: what `detect` finds, `exact` matches


def needed(pattern: Pattern) -> tuple[Way, ...]:
    """What each way to match `detect` cannot do without; a line end stands for the edge of a line."""
    return ways(trimmed(Parser(pattern.text).alternation()))


def read(text: str, *, case: bool = False) -> Pattern:
    """The pattern in all its forms, or a PatternError that says what it uses and where."""
    parser = Parser(text)
    branches = parser.alternation()
    if parser.at < len(text):
        raise PatternError(f"column {parser.at + 1}: `)` without `(`")
    flags = b"(?-i:" if case else b"(?i:"
    whole = flags + emit(branches, named=False) + b")"
    exact = flags + emit(branches, named=True) + b")" if parser.names else whole
    core = trimmed(branches)
    detect = flags + emit(core, named=False) + b")"
    names = tuple(parser.names)
    fixed = bool(ways(core))
    sure = whole == detect
    return Pattern(text, exact, whole if sure else detect, names, case, fixed, sure)
