"""The language of rule patterns: the part of RE2 that means the same, byte for byte, in every engine.

A pattern reads one line and never crosses its end; case does not matter unless the rule says so;
`( )` does not capture, `(?P<name> )` does. What is refused, is refused by name and position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MIN_LITERAL = 3
MAX_REPEAT = 300
SPACE = rb"\t\x0b\x0c\r "
CLASSES = {
    "d": rb"[0-9]",
    "w": rb"[0-9A-Za-z_]",
    "s": b"[" + SPACE + b"]",
    "D": rb"[^0-9\n]",
    "W": rb"[^0-9A-Za-z_\n]",
    "S": b"[^" + SPACE + rb"\n]",
}
INSIDE = {"d": rb"0-9", "w": rb"0-9A-Za-z_", "s": SPACE}
QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
HEX = re.compile(r"\\x([2-7][0-9a-fA-F])")  # ASCII; lets a pattern name a quote in any TOML string
NAME = re.compile(r"\?P<([a-z_]+)>")


class PatternError(ValueError):
    """A pattern that not every engine would read alike, in linear time, within one line."""


@dataclass(slots=True)
class Atom:
    """One piece of a sequence with its quantifier."""

    kind: str  # literal, class, anchor, group
    source: bytes = b""
    quantifier: str = ""
    name: str | None = None
    branches: list[list[Atom]] = field(default_factory=list)

    @property
    def optional(self) -> bool:
        return self.quantifier[:1] in {"*", "?"} or self.quantifier.startswith(("{0", "{,"))


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
    parser = _Parser(text)
    branches = parser.alternation()
    if parser.at < len(text):
        raise PatternError(f"column {parser.at + 1}: `)` without `(`")
    flags = b"(?-i:" if case else b"(?i:"
    names = tuple(parser.names)
    return Pattern(
        text,
        flags + _emit(branches, named=True) + b")",
        flags + _emit([_trim(branch) for branch in branches], named=False) + b")",
        tuple(sorted(required(branches))),
        names,
    )


class _Parser:
    """Reads one pattern from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.names = text, 0, list[str]()

    def alternation(self) -> list[list[Atom]]:
        branches: list[list[Atom]] = [[]]
        while self.at < len(self.text) and self.text[self.at] != ")":
            if self.text[self.at] == "|":
                self.at += 1
                branches.append([])
                continue
            branches[-1].append(self._quantified(self._atom()))
        return branches

    def _fault(self, what: str) -> PatternError:
        return PatternError(f"column {self.at + 1}: {what}")

    def _quantified(self, atom: Atom) -> Atom:
        found = QUANTIFIER.match(self.text, self.at)
        if found is None:
            return atom
        if atom.kind == "anchor":
            raise self._fault("a quantifier with nothing to repeat")
        if len(atom.source) > 1 and atom.kind == "literal" and atom.source[0] >= 0x80:
            atom = Atom("group", branches=[[atom]])
        numbers = [int(number) for number in re.findall(r"\d+", found[0])]
        if any(number > MAX_REPEAT for number in numbers):
            raise self._fault(f"a repetition of more than {MAX_REPEAT}")
        self.at = found.end()
        if self.text[self.at : self.at + 1] in {"*", "+", "?"}:
            raise self._fault("a quantifier after a quantifier")
        atom.quantifier = found[0]
        return atom

    def _atom(self) -> Atom:
        char = self.text[self.at]
        if char == "(":
            return self._group()
        if char == "[":
            return Atom("class", self._class())
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise self._fault("a quantifier with nothing to repeat")
        if char in "\n\r":
            raise self._fault("a line end: a pattern reads one line")
        self.at += 1
        if char == ".":
            return Atom("class", rb"[^\n]")
        if char == "^":
            return Atom("anchor", b"(?m:^)")
        if char == "$":
            return Atom("anchor", rb"\r?(?m:$)")
        return Atom("literal", char.encode())

    def _group(self) -> Atom:
        self.at += 1
        name = None
        if self.text.startswith("?:", self.at):
            self.at += 2
        elif found := NAME.match(self.text, self.at):
            name, self.at = found[1], found.end()
            if name in self.names:
                raise self._fault(f"two groups named `{name}`")
            self.names.append(name)
        elif self.text.startswith("?", self.at):
            raise self._fault(
                f"`(?{self.text[self.at + 1 : self.at + 3]}` (only (?: and (?P<name>)"
            )
        branches = self.alternation()
        if self.at >= len(self.text):
            raise self._fault("`(` without `)`")
        self.at += 1
        return Atom("group", name=name, branches=branches)

    def _escape(self) -> Atom:
        char = self.text[self.at + 1 : self.at + 2]
        if char in CLASSES:
            self.at += 2
            return Atom("class", CLASSES[char])
        if char in {"b", "B"}:
            self.at += 2
            return Atom("anchor", b"\\" + char.encode())
        if char == "t":
            self.at += 2
            return Atom("literal", b"\t")
        if found := HEX.match(self.text, self.at):
            self.at = found.end()
            return Atom("literal", bytes([int(found[1], 16)]))
        if not char or char.isalnum() or not char.isascii():
            raise self._fault(f"`\\{char}` is not in the language of rules")
        self.at += 2
        return Atom("literal", char.encode())

    def _class(self) -> bytes:
        self.at += 1
        negated = self.text.startswith("^", self.at)
        self.at += negated
        parts: list[bytes] = []
        first = self.at
        while self.at < len(self.text) and (self.text[self.at] != "]" or self.at == first):
            parts.append(self._member())
        if self.at >= len(self.text):
            raise self._fault("`[` without `]`")
        self.at += 1
        inside = b"".join(parts)
        return b"[^" + inside + rb"\n]" if negated else b"[" + inside + b"]"

    def _member(self) -> bytes:
        char = self.text[self.at]
        if not char.isascii():
            raise self._fault(f"`{char}` in a class: write (a|{char})")
        if char == "\\":
            if found := HEX.match(self.text, self.at):
                self.at = found.end()
                return b"\\x" + found[1].encode()
            char = self.text[self.at + 1 : self.at + 2]
            self.at += 2
            if char in INSIDE:
                return INSIDE[char]
            if char == "t":
                return rb"\t"
            if not char or char.isalnum():
                raise self._fault(f"`\\{char}` in a class")
            return b"\\" + char.encode()
        if char == "[":
            if self.text.startswith("[:", self.at):
                raise self._fault("a POSIX class")
            self.at += 1
            return rb"\["
        self.at += 1
        return char.encode()


def _emit(branches: list[list[Atom]], *, named: bool) -> bytes:
    return b"|".join(b"".join(_emit_atom(atom, named) for atom in branch) for branch in branches)


def _emit_atom(atom: Atom, named: bool) -> bytes:
    quantifier = atom.quantifier.encode()
    if atom.kind == "group":
        head = b"(?P<" + atom.name.encode() + b">" if named and atom.name else b"(?:"
        return head + _emit(atom.branches, named=named) + b")" + quantifier
    if atom.kind != "literal":
        return atom.source + quantifier
    if atom.source[0] < 0x80:
        return re.escape(atom.source) + quantifier
    # Folding of bytes above ASCII differs between engines; these stay what they are.
    return b"(?-i:" + b"".join(b"\\x%02x" % byte for byte in atom.source) + b")"


def _vague(atom: Atom) -> bool:
    """Nothing fixed in it: at the edge of a pattern it only makes a search slower."""
    if atom.kind == "class" or atom.optional:
        return True
    return atom.kind == "group" and any(all(map(_vague, branch)) for branch in atom.branches)


def _trim(branch: list[Atom]) -> list[Atom]:
    """The branch without vague edges; it still matches wherever the whole one does."""
    start, end = 0, len(branch)
    while start < end and (_vague(branch[start]) or _leads_nowhere(branch, start)):
        start += 1
    while end > start and _vague(branch[end - 1]):
        end -= 1
    return branch[start:end]


def _leads_nowhere(branch: list[Atom], at: int) -> bool:
    """An anchor before something vague says nothing once that is gone."""
    return branch[at].kind == "anchor" and at + 1 < len(branch) and _vague(branch[at + 1])


def required(branches: list[list[Atom]]) -> set[bytes]:
    """A set of texts of which every match contains one; empty when there is none."""
    found: set[bytes] = set()
    for branch in branches:
        best = _best(branch)
        if not best:
            return set()
        found |= best
    return found


def _best(branch: list[Atom]) -> set[bytes]:
    candidates: list[set[bytes]] = []
    run = b""
    for atom in [*branch, Atom("anchor")]:
        if atom.kind == "literal" and not atom.quantifier:
            run += atom.source
            continue
        if len(run) >= MIN_LITERAL:
            candidates.append({run.lower()})
        run = b""
        if atom.kind == "group" and not atom.optional:
            candidates.append(required(atom.branches))
    return max(candidates, key=lambda texts: min(map(len, texts), default=0), default=set())
