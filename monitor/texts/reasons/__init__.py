"""The reasons that decisions and edges give, for people who do not read English.

A reason is an English sentence wherever it is decided, written down and compared; here it is only
recognised by its form and said again. So no decision knows of languages.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import NamedTuple

ROOMS = (
    *("healing", "files", "running", "telling", "remembering", "judging"),
    *("configuring", "reading"),
)
NESTED = ("why", "detail", "proof")  # facts of these names are reasons
_DEEP = 5  # reasons within reasons
_MOST_PARTS = 8  # of one reason, joined by semicolons
_MOST_LINES = 100  # each with a reason


def in_spanish(text: str) -> str:
    """The reason in Spanish, its values as they are; what no pair knows stays as it is."""
    found = _in_lines(text) or _known(text, _DEEP)
    return found.spanish if found else text


def _in_lines(text: str) -> Reading | None:
    """Reasons on a line each, as all that is wrong with a file."""
    if not 0 < text.count("\n") < _MOST_LINES:
        return None
    told: list[Reading] = []
    for line in text.split("\n"):
        if not (known := _known(line, _DEEP)):
            return None
        told.append(known)
    return Reading(sum(one.words for one in told), "\n".join(one.spanish for one in told))


def facts_in_spanish(facts: Mapping[str, object]) -> dict[str, object]:
    """With the reasons among them in Spanish; `quoted` is what somebody else said, and stays."""
    return {
        name: in_spanish(value)
        if name in NESTED and isinstance(value, str) and value != facts.get("quoted")
        else value
        for name, value in facts.items()
    }


class Reading(NamedTuple):
    """One way to understand a text: how much of it is words of ours, and what it says."""

    words: int
    spanish: str


@functools.lru_cache(128)  # many ways to divide a text come to the same parts
def _known(text: str, depth: int) -> Reading | None:
    """The reading that knows most of the text, so that no value swallows a reason."""
    if not depth or not text:
        return None
    if parts := _in_parts(text, depth):
        return parts
    return max(_readings(text, depth), key=lambda one: one.words, default=None)


def _readings(text: str, depth: int) -> Iterator[Reading]:
    for form in _forms():
        if (values := form.values_in(text)) is not None:
            within = {name: _known(values[name], depth - 1) for name in NESTED if name in values}
            told = {name: known for name, known in within.items() if known}
            said = form.spanish.format_map(values | {n: one.spanish for n, one in told.items()})
            yield Reading(form.words + sum(one.words for one in told.values()), said)
    if about := _after_a_name(text, depth):
        yield about


def _in_parts(text: str, depth: int) -> Reading | None:
    """Reasons joined by semicolons, when each of them is known; one may have a semicolon itself."""
    if not 0 < text.count("; ") < _MOST_PARTS:
        return None
    at = text.find("; ")
    while at >= 0:
        begin = max(_readings(text[:at], depth - 1), key=lambda one: one.words, default=None)
        if begin and (rest := _known(text[at + 2 :], depth)):
            return Reading(begin.words + rest.words, f"{begin.spanish}; {rest.spanish}")
        at = text.find("; ", at + 2)
    return None


def _after_a_name(text: str, depth: int) -> Reading | None:
    """A reason behind what it is about: `127.0.0.1:8081: no answer`."""
    name, colon, why = text.partition(": ")
    told = _known(why, depth - 1) if colon else None
    return Reading(told.words, f"{name}: {told.spanish}") if told else None


@functools.cache  # only who reads Spanish pays for it
def pairs() -> dict[str, str]:
    """Each reason of all rooms, and its Spanish."""
    rooms = (import_module(f"{__name__}.{name}") for name in ROOMS)
    return {english: spanish for room in rooms for english, spanish in room.PAIRS.items()}


@functools.cache
def _forms() -> tuple[Form, ...]:
    forms = (Form.of(*pair) for pair in pairs().items())
    return tuple(sorted(forms, key=lambda form: -form.words))


@dataclass(frozen=True, slots=True)
class Form:
    """An English template: fixed texts, and between each two of them a value."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    spanish: str

    @property
    def words(self) -> int:
        return sum(map(len, self.literals))

    @classmethod
    def of(cls, english: str, spanish: str) -> Form:
        literals, names = [""], []
        for literal, name, _, _ in string.Formatter().parse(english):
            literals[-1] += literal
            if name is not None:
                names.append(name)
                literals.append("")
        return cls(tuple(literals), tuple(names), spanish)

    def values_in(self, text: str) -> dict[str, str] | None:
        """The values of a text that has this form, each fixed text taken where it comes first."""
        if not self.names:
            return {} if text == self.literals[0] else None
        first, *between, last = self.literals
        at, end = len(first), len(text) - len(last)
        if end < at or not text.startswith(first) or not text.endswith(last):
            return None
        values: dict[str, str] = {}
        for name, literal in zip(self.names, (*between, None), strict=True):
            to = end if literal is None else text.find(literal, at, end)
            if to < 0 or values.setdefault(name, text[at:to]) != text[at:to]:
                return None
            at = to + len(literal or "")
        return values
