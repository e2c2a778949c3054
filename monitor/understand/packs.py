"""Rule packs read from TOML; whatever is wrong is collected with its file and line."""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from monitor.model import Category, Severity
from monitor.understand.pattern import MIN_LITERAL, Pattern, PatternError, read
from monitor.understand.rule import CAPTURES, LOUD, Fault, Rule, Rules, Weight

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")
KEYS = frozenset(
    [
        "name",
        "category",
        "severity",
        "weight",
        "patterns",
        "unless",
        "captures",
        "match",
        "no_match",
        "beats",
        "case",
        "dry_run",
        "keyed",
        "quiet",
        "replace",
        "trusts",
    ]
)
CATEGORIES = {category.value: category for category in Category}
SEVERITIES = {severity.value: severity for severity in Severity}
WEIGHTS = {weight.name.lower(): weight for weight in Weight}
HEAD = "[[rule]]"


def parse(packs: Sequence[Path]) -> tuple[Rules, list[Fault]]:
    """The rules of all packs, later ones adding, replacing and disabling; and what is wrong."""
    faults: list[Fault] = []
    named: dict[str, Rule] = {}
    digest = hashlib.sha256()
    for path in _files(packs, faults):
        text = _text(path, faults)
        digest.update(text.encode() + b"\0")
        _pack(path, text, named, faults)
    rules = tuple(sorted(named.values(), key=lambda rule: rule.order))
    for rule in rules:
        faults += [
            Fault(rule.file, rule.line, f"{rule.name}: beats `{name}`, which does not exist")
            for name in rule.beats
            if name not in named
        ]
    return Rules(rules, digest.hexdigest()), faults


def _files(packs: Sequence[Path], faults: list[Fault]) -> Iterable[Path]:
    for pack in packs:
        if pack.is_dir():
            yield from sorted(pack.glob("*.toml"))
        elif pack.exists():
            yield pack
        else:
            faults.append(Fault(str(pack), 0, "no such file or folder of rules"))


def _text(path: Path, faults: list[Fault]) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(str(path), 0, f"cannot be read: {error}"))
        return ""


def _pack(path: Path, text: str, named: dict[str, Rule], faults: list[Fault]) -> None:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        faults.append(Fault(str(path), int(at[1]) if at else 1, f"not TOML: {error}"))
        return
    rows = text.splitlines()
    heads = [number for number, row in enumerate(rows, 1) if row.strip() == HEAD]
    unknown = sorted(table.keys() - {"rule", "disable", "about"})
    gone = [name for name in table.get("disable", []) if named.pop(name, None) is None]
    faults += [Fault(str(path), 1, f"unknown key `{name}`") for name in unknown]
    faults += [Fault(str(path), 1, f"disables `{name}`, which does not exist") for name in gone]
    for raw, line in zip(table.get("rule", []), heads, strict=False):
        block = _Block(str(path), line, rows, raw)
        rule = block.rule()
        if rule is not None:
            block.name_is_free(named.get(rule.name))
            named[rule.name] = rule
        faults += block.faults


class _Block:
    """One [[rule]] table on its way to a Rule; collects what is wrong with it."""

    def __init__(self, file: str, line: int, rows: list[str], raw: dict[str, Any]) -> None:
        self.file, self.line, self.rows, self.raw = file, line, rows, raw
        self.faults: list[Fault] = []
        self.name = str(raw.get("name", "a rule without a name"))

    def rule(self) -> Rule | None:
        """The rule, or None when its faults leave nothing to build."""
        raw = self.raw
        for key in sorted(raw.keys() - KEYS):
            self.fault(f"unknown key `{key}`", key)
        if not re.fullmatch(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+", self.name):
            self.fault("needs a `name` like pack.what_happened", "name")
        for key in ("patterns", "match", "no_match"):
            if not raw.get(key):
                self.fault(f"needs `{key}`: a list with at least one string", key)
        category = self.choice(CATEGORIES, "category", None)
        severity = LOUD.get(category, Severity.WARNING) if category else Severity.INFO
        case = raw.get("case") is True
        rule = Rule(
            name=self.name,
            category=category or Category.UNKNOWN,
            severity=self.choice(SEVERITIES, "severity", severity) or severity,
            weight=self.choice(WEIGHTS, "weight", Weight.CAUSE) or Weight.CAUSE,
            patterns=self.patterns("patterns", case=case),
            unless=self.patterns("unless", case=case),
            captures=self.patterns("captures", case=case),
            match=self.texts("match"),
            no_match=self.texts("no_match"),
            beats=self.texts("beats"),
            quiet=raw.get("quiet") is True,
            trusts=raw.get("trusts") is True,
            keyed=raw.get("keyed") is True,
            dry_run=raw.get("dry_run") is True,
            file=self.file,
            line=self.line,
        )
        return None if self.faults else rule

    def name_is_free(self, before: Rule | None) -> None:
        """A name stands for one rule, unless this one says that it replaces the other."""
        replaces = bool(self.raw.get("replace"))
        if before and not replaces:
            self.fault(f"the name is taken by {before.file}:{before.line}", "name")
        if replaces and not before:
            self.fault("replaces a rule that is not there", "replace")

    def choice(self, words: Mapping[str, T], key: str, default: T | None) -> T | None:
        if key not in self.raw and default is not None:
            return default
        found = words.get(str(self.raw.get(key)))
        if found is None:
            self.fault(f"{key} `{self.raw.get(key)}` is none of: {', '.join(words)}", key)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.fault(f"`{key}` must be a list of strings", key)
            return ()
        return tuple(value)

    def patterns(self, key: str, *, case: bool) -> tuple[Pattern, ...]:
        found = []
        for text in self.texts(key):
            try:
                pattern = read(text, case=case)
            except PatternError as error:
                self.fault(f"pattern `{text}`: {error}", text)
                continue
            for name in pattern.names:
                if name not in CAPTURES:
                    self.fault(f"captures `{name}`; known are {', '.join(sorted(CAPTURES))}", text)
            if key == "patterns" and not pattern.fixed and self.raw.get("category") != "benign":
                what = f"has no fixed text of {MIN_LITERAL} letters that every match must contain"
                self.fault(f"pattern `{text}`: {what}", text)
            found.append(pattern)
        return tuple(found)

    def fault(self, what: str, near: str) -> None:
        """Notes the fault at the line of this block where `near` is first written."""
        line = self.line
        for number, row in enumerate(self.rows[self.line :], self.line + 1):
            if row.strip() == HEAD:
                break
            if near in row:
                line = number
                break
        self.faults.append(Fault(self.file, line, f"{self.name}: {what}"))
