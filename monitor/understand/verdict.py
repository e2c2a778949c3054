"""What one line means: which rules hit, which of them wins and why, and what it captured."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from monitor.model import Category, Severity
from monitor.understand.events import causes
from monitor.understand.levels import Level, level
from monitor.understand.linear import Search, Sieve
from monitor.understand.quoted import unquoted, without_speech
from monitor.understand.rule import SEEN, SUBJECTS, Rule, Rules, Seen, Weight
from monitor.understand.subjects import ordinary, subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.understand.pattern import Pattern

VAGUE = frozenset({Category.BENIGN, Category.UNKNOWN, Category.CRASH})
COMPILED = 400  # patterns kept compiled
FAILING = Search(
    rb"(?i:errno|err[ :=_]|error|fail|exception|cannot|can't|can not|could ?n.t|unable|refus|denied"
    rb"|fall[oa\xc3]|fall\xc3\xb3|no se pu|no se ha pod|imposible|killed|traceback|giving up)"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of a line and the reasons for it."""

    category: Category
    severity: Severity
    rule: str | None
    subject: str | None
    captures: tuple[tuple[str, str], ...]
    hits: tuple[str, ...]  # all rules that hit, the winner first
    why: str


@dataclass(slots=True)
class Held:
    """A rule that holds on a line, and its patterns that were seen there."""

    rule: Rule
    patterns: list[Pattern] = field(default_factory=list)


class Judge:
    """Decides lines by a set of rules; keeps what it compiled."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules.rules
        self._compiled: dict[bytes, Search] = {}
        self._last = (b"", b"")
        self._unless_of = {
            rule.name: b"|".join(pattern.exact for pattern in rule.unless) for rule in self.rules
        }
        self._beaten_by = {
            name: {rule.name for rule in self.rules if name in rule.beats}
            for rule in self.rules
            for name in rule.beats
        }

    @cached_property
    def _ordinary(self) -> tuple[Sieve, list[Rule]]:
        owned = [
            (pattern.exact, rule)
            for rule in self.rules
            if rule.category is Category.BENIGN
            for pattern in rule.patterns
        ]
        return Sieve([exact for exact, _ in owned]), [rule for _, rule in owned]

    @cached_property
    def _all(self) -> tuple[Sieve, list[Seen]]:
        owned = [(rule, pattern) for rule in self.rules for pattern in rule.patterns]
        return Sieve([pattern.detect for _, pattern in owned]), owned

    def judge(self, line: bytes, seen: Iterable[Seen] | None = None) -> Verdict:
        """The verdict on one line; `seen` are the patterns whose texts were seen in it."""
        line = line[:SEEN]
        if seen is None:
            sieve, owners = self._all
            seen = [owners[index] for index in sieve.matching(line)]
        hits = self._hits(line, seen)
        if not hits:
            return _benign("no rule hits", (), line)
        names = tuple(hit.rule.name for hit in hits)
        winner = hits[0].rule
        if winner.category is Category.BENIGN:
            return _benign(f"{winner.name} knows it as ordinary", names, line, winner.name)
        if why := self._said_quietly(line, winner):
            return _benign(why, names, line)
        captured = self._captured(line, hits[0])
        for other in hits[1:]:
            if other.rule.keyed:
                captured |= self._captured(line, other)
            elif other.rule.details:
                captured = self._details(line, other) | captured
        return Verdict(
            winner.category,
            winner.severity,
            winner.name,
            subject_of(line, winner, captured, self._at(line, hits[0])),
            tuple(sorted(captured.items())),
            names,
            self._why(hits),
        )

    def event(self, text: str | list[bytes]) -> Verdict:
        """The verdict on lines that belong together; the last exception line is their cause."""
        lines = text.encode("utf-8", "replace").split(b"\n") if isinstance(text, str) else text
        if len(lines) == 1:
            return self.judge(lines[0])
        best: Verdict | None = None
        for number in causes(lines):
            found = self.judge(lines[number])
            if found.category not in VAGUE:
                return found
            if best is None or (best.category is Category.BENIGN is not found.category):
                best = found
        return best or _benign("no rule hits", (), b"")

    def _hits(self, line: bytes, seen: Iterable[Seen]) -> list[Held]:
        """The rules that hold on the line, the winner first."""
        likely: dict[str, Held] = {}
        for rule, pattern in seen:
            if pattern.sure or self._search(pattern.exact).hit(line) is not None:
                likely.setdefault(rule.name, Held(rule)).patterns.append(pattern)
        if not likely:
            return []
        blanked = self._blanked(line)
        sure = blanked is line
        hits = [
            hit
            for hit in likely.values()
            if self._holds(line if hit.rule.trusts else blanked, hit, sure=sure)
        ]
        return self._ranked(blanked, hits) if hits else []

    def _holds(self, text: bytes, hit: Held, *, sure: bool) -> bool:
        """A pattern that matched the line as printed also matches without what users wrote."""
        found = sure or any(self._search(each.exact).hit(text) is not None for each in hit.patterns)
        return found and not self._unless(text, hit.rule)

    def _ranked(self, blanked: bytes, hits: list[Held]) -> list[Held]:
        sieve, owners = self._ordinary
        present = {hit.rule.name for hit in hits}
        for index in sieve.matching(blanked):
            rule = owners[index]
            if rule.name not in present and not self._unless(blanked, rule):
                present.add(rule.name)
                hits.append(Held(rule))
        if len(hits) == 1:
            return hits
        beaten = {name for name in present if self._beaten_by.get(name, frozenset()) & present}
        return sorted(hits, key=lambda hit: (hit.rule.name in beaten, *hit.rule.order))

    def _blanked(self, line: bytes) -> bytes:
        """The line without what users wrote; asked for several times in a row."""
        if self._last[0] != line:
            self._last = (line, unquoted(line))
        return self._last[1]

    def _unless(self, line: bytes, rule: Rule) -> bool:
        source = self._unless_of[rule.name]
        return bool(source) and self._search(source).hit(line) is not None

    def _said_quietly(self, line: bytes, rule: Rule) -> str:
        if rule.quiet or level(line) is not Level.QUIET:
            return ""
        if rule.weight is Weight.EXACT:
            return ""
        if rule.weight is Weight.CAUSE and FAILING.hit(without_speech(self._blanked(line))):
            return ""
        return f"{rule.name} hits, but the line was logged as ordinary (info or debug)"

    def _at(self, line: bytes, hit: Held) -> tuple[int, int]:
        """Where the rule's phrase stands in the line."""
        text = line if hit.rule.trusts else self._blanked(line)
        for pattern in hit.patterns:
            if span := self._search(pattern.exact).hit(text):
                return span
        return (0, len(line))

    def _captured(self, line: bytes, hit: Held) -> dict[str, str]:
        found: dict[str, str] = {}
        for pattern in (*hit.patterns, *hit.rule.captures):
            if pattern.names:
                self._capture(line, pattern, found)
        return found

    def _details(self, line: bytes, hit: Held) -> dict[str, str]:
        """What another rule that hit knows of the line, but not what it is about."""
        found = self._captured(line, hit)
        return {name: value for name, value in found.items() if name not in SUBJECTS}

    def _capture(self, line: bytes, pattern: Pattern, found: dict[str, str]) -> None:
        for name, (start, end) in (self._search(pattern.exact).groups(line) or {}).items():
            if start < end and name not in found:
                found[name] = line[start:end].decode("utf-8", "replace")

    def _search(self, source: bytes) -> Search:
        found = self._compiled.get(source)
        if found is None:
            if len(self._compiled) >= COMPILED:
                self._compiled.clear()  # a hostile log that wakes every rule must not cost memory
            found = self._compiled[source] = Search(source)
        return found

    def _why(self, hits: list[Held]) -> str:
        winner = hits[0].rule
        if len(hits) == 1:
            return f"only {winner.name} hits"
        second = hits[1].rule
        if winner.name in self._beaten_by.get(second.name, ()):
            return f"{winner.name} beats {second.name}, as it says"
        if winner.weight != second.weight:
            ours, theirs = winner.weight.name.lower(), second.weight.name.lower()
            return f"{winner.name} knows it as {ours}, {second.name} only as {theirs}"
        if winner.category != second.category:
            both = winner.weight.name.lower()
            return f"{winner.category} goes before {second.category} (both {both})"
        return f"{winner.name} and {second.name} say the same; the name decides"


def _benign(why: str, hits: tuple[str, ...], line: bytes, rule: str | None = None) -> Verdict:
    return Verdict(Category.BENIGN, Severity.INFO, rule, ordinary(line), (), hits, why)
