"""One pattern of a rule in the forms the engines need.

A pattern reads one line and never crosses its end; case does not matter unless the rule says so;
`( )` does not capture, `(?P<name> )` does. What is refused, is refused by name and position.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core import MIN_LITERAL, cores_of
from monitor.syntax import Parser, PatternError, emit

__all__ = ["MIN_LITERAL", "Pattern", "PatternError", "read"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern in the forms the engines need."""

    text: str  # as the rule has it
    exact: bytes  # with its named groups: what decides, on one line
    detect: bytes  # matches wherever `exact` does, maybe more: what is looked for in whole chunks
    literals: tuple[bytes, ...]  # one of these, lower case, is in every match; empty when nothing is fixed
    names: tuple[str, ...]


def read(text: str, *, case: bool = False) -> Pattern:
    """The pattern in all its forms, or a PatternError that says what it uses and where."""
    parser = Parser(text)
    branches = parser.alternation()
    if parser.at < len(text):
        raise PatternError(f"column {parser.at + 1}: `)` without `(`")
    flags = b"(?-i:" if case else b"(?i:"
    exact = flags + emit(branches, named=True) + b")"
    cores = cores_of(branches)
    detect = flags + b"|".join(core.source for core in cores) + b")" if cores else exact
    literals = sorted({text.lower() for core in cores for text in core.texts})
    return Pattern(text, exact, detect, tuple(literals), tuple(parser.names))
