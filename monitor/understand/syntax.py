"""The grammar of rule patterns: the part of RE2 that means the same, byte for byte, in every engine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_REPEAT = 300
LINE_START = b"(?m:^)"
LINE_END = rb"\r?(?m:$)"
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
PLAIN = re.compile(r"[A-Za-z0-9 _,:/=<>\"'!@#%&~;`-]+(?![*+?{])")
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
    chars: tuple[bytes, ...] = ()  # of a small class: each character it may be

    @property
    def optional(self) -> bool:
        return self.quantifier[:1] in {"*", "?"} or self.quantifier.startswith(("{0", "{,"))


class Parser:
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
            source = self._class()
            return Atom("class", source, chars=_chars(source))
        if char == "\\":
            return self._escape()
        if char in "*+?":
            raise self._fault("a quantifier with nothing to repeat")
        if char in "\n\r":
            raise self._fault("a line end: a pattern reads one line")
        if run := PLAIN.match(self.text, self.at):
            self.at = run.end()
            return Atom("literal", run[0].encode())
        self.at += 1
        if char == ".":
            return Atom("class", rb"[^\n]")
        if char == "^":
            return Atom("anchor", LINE_START)
        if char == "$":
            return Atom("anchor", LINE_END)
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


def emit(branches: list[list[Atom]], *, named: bool) -> bytes:
    return b"|".join(b"".join(_emit_atom(atom, named) for atom in branch) for branch in branches)


def _emit_atom(atom: Atom, named: bool) -> bytes:
    quantifier = atom.quantifier.encode()
    if atom.kind == "group":
        head = b"(?P<" + atom.name.encode() + b">" if named and atom.name else b"(?:"
        return head + emit(atom.branches, named=named) + b")" + quantifier
    if atom.kind != "literal":
        return atom.source + quantifier
    if atom.source[0] < 0x80:
        return re.escape(atom.source) + quantifier
    # Folding of bytes above ASCII differs between engines; these stay what they are.
    return b"(?-i:" + b"".join(b"\\x%02x" % byte for byte in atom.source) + b")"


def _chars(source: bytes) -> tuple[bytes, ...]:
    """The characters of a class like [oa]; none when it is negated, a range or large."""
    inside = re.sub(rb"\\x(..)", lambda code: bytes([int(code[1], 16)]), source[1:-1])
    if source[1:2] == b"^" or len(inside) > 6 or re.search(rb".-.|\\[^ -/:-@\[-`]", inside):
        return ()
    return tuple(bytes([byte]) for byte in re.sub(rb"\\(.)", rb"\1", inside))
