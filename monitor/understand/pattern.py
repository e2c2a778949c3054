"""One pattern of a rule in the forms the engines need.

A pattern reads one line and never crosses its end; case does not matter unless the rule says so;
`( )` does not capture, `(?P<name> )` does. What is refused, is refused by name and position.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.understand.core import MIN_LITERAL, cores_of, trimmed
from monitor.understand.syntax import Parser, PatternError, emit

__all__ = ["MIN_LITERAL", "Pattern", "PatternError", "read"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern in the forms the engines need."""

    text: str  # as the rule has it
    exact: bytes  # with its named groups: what decides, on one line
    detect: bytes  # matches wherever `exact` does, maybe more: what is looked for in whole chunks
    literals: tuple[
        bytes, ...
    ]  # one of these is in every match; a \n is where a line ends or begins
    names: tuple[str, ...]
    case: bool
    sure: bool  # nothing was trimmed: what `detect` finds, `exact` matches


def read(text: str, *, case: bool = False) -> Pattern:
    """The pattern in all its forms, or a PatternError that says what it uses and where."""
    parser = Parser(text)
    branches = parser.alternation()
    if parser.at < len(text):
        raise PatternError(f"column {parser.at + 1}: `)` without `(`")
    flags = b"(?-i:" if case else b"(?i:"
    whole = flags + emit(branches, named=False) + b")"
    exact = flags + emit(branches, named=True) + b")" if parser.names else whole
    cores = cores_of(branches)
    detect = flags + trimmed(branches) + b")"
    texts = {each if case else each.lower() for core in cores for each in core.texts}
    names = tuple(parser.names)
    return Pattern(text, exact, detect, tuple(sorted(texts)), names, case, whole == detect)
