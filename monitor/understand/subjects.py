"""What failed, as printed: the path, URL, host, library or command that a line is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.model import Category
from monitor.understand.marks import (
    AFTER,
    ANY,
    BEFORE,
    COUNTED,
    NAMED,
    NOISE,
    NOT_A_NAME,
    OPERAND,
    REQUEST,
    TOKEN_BEFORE,
    TOKENS,
)
from monitor.understand.rule import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.understand.rule import Rule

PLACE = re.compile(r"[/.:\\]")
READ = 4096  # bytes of a line searched for its subject
NEAR = 4  # bytes between a phrase and what it speaks of: `: '`, `, '`

FILES = frozenset(
    {
        Category.MISSING_PATH,
        Category.PERMISSION,
        Category.CORRUPT_FILE,
        Category.DISK_FULL,
        Category.CONFLICT,
        Category.FILE_TOO_BIG,
        Category.TOO_MANY_FILES,
    }
)
NETWORK = frozenset({Category.TIMEOUT, Category.SERVER_DOWN, Category.TLS})
EITHER = frozenset({Category.AUTH, Category.RATE_LIMIT, Category.RECIPIENT_GONE, Category.CONFLICT})

ORDERS = {
    "files": ("path", "file", "relative", "url", "hostport"),
    "network": ("url", "hostport", "host", "path"),
    "address": ("hostport", "port", "path", "file", "url"),
    "other": ("url", "path", "hostport"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something in the line that may be what failed."""

    kind: str
    start: int
    end: int


def subject_of(
    line: bytes, rule: Rule, captured: Mapping[str, str], at: tuple[int, int]
) -> str | None:
    """The subject the rule captured, or what the line names nearest to the phrase at `at`."""
    for name in SUBJECTS:
        if name in captured:
            return _tidy(captured[name])
    return nearest(line[:READ], rule.category, at)


def nearest(line: bytes, category: Category, at: tuple[int, int]) -> str | None:
    """What a line of this category is about, judged by kind first and then by nearness."""
    if category not in FILES | NETWORK | EITHER:
        return None
    if category in FILES and (beside := _beside(line, category, at)):
        return beside
    noise: list[tuple[int, int]] | None = None
    for kind in _kinds(category):
        candidates = [each for each in _candidates(line, kind) if not _counter(line, each)]
        if candidates and noise is None:
            noise = [span for span, _ in NOISE.spans(line)]
        candidates = [each for each in candidates if not _inside(each, noise or ())]
        if candidates:
            best = min(candidates, key=lambda each: _distance(each, at))
            return _tidy(line[best.start : best.end].decode("utf-8", "replace"))
    return None


def _kinds(category: Category) -> tuple[str, ...]:
    if category is Category.CONFLICT:
        return ORDERS["address"]
    if category in FILES:
        return ORDERS["files"]
    return ORDERS["network"] if category in NETWORK else ORDERS["other"]


def _candidates(line: bytes, kind: str) -> Iterable[Candidate]:
    for search in TOKENS[kind]:
        for _, groups in search.spans(line):
            yield Candidate(kind, *groups["subject"])


def _beside(line: bytes, category: Category, at: tuple[int, int]) -> str | None:
    """What stands right after the phrase in quotes, or right before it."""
    before, after = line[: at[0]], line[at[1] :]
    sides = [(AFTER, after), (BEFORE, before), (TOKEN_BEFORE, before)]
    if category in {Category.MISSING_PATH, Category.PERMISSION}:
        sides.append((OPERAND, before))
    for search, text in sides:
        if groups := search.groups(text):
            start, end = groups["subject"]
            found = _tidy(text[start:end].decode("utf-8", "replace"))
            if found and _is_name(found, category):
                return found
    return None


def _is_name(found: str, category: Category) -> bool:
    """Of a place; what is taken twice is often the name of a thing, which is none."""
    if found.lower() in NOT_A_NAME or (category is Category.CONFLICT and not PLACE.search(found)):
        return False
    return " " not in found or NAMED.hit(found.encode()) is not None


def _counter(line: bytes, each: Candidate) -> bool:
    """`pid:38` looks like a host and its port."""
    if each.kind != "hostport":
        return False
    return line[each.start : each.end].split(b":")[0].decode("latin-1").lower() in COUNTED


def ordinary(line: bytes) -> str | None:
    """What an ordinary line is about: its URL, its request, its address or its path."""
    line = line[:READ]
    if not ANY.hit(line):
        return None
    noise = [span for span, _ in NOISE.spans(line)]
    for kind in ("url", "path", "file"):
        found = [each for each in _candidates(line, kind) if not _inside(each, noise)]
        if kind == "path":
            found += [Candidate(kind, *groups["subject"]) for _, groups in REQUEST.spans(line)]
        if found:
            first = min(found, key=_start)
            return _tidy(line[first.start : first.end].decode("utf-8", "replace"))
    return None


def _start(each: Candidate) -> int:
    return each.start


def _inside(each: Candidate, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= each.start and each.end <= end for start, end in spans)


def _distance(each: Candidate, at: tuple[int, int]) -> int:
    return each.start - at[1] if each.start >= at[1] else max(0, at[0] - each.end)


def _tidy(text: str) -> str | None:
    text = text.strip().rstrip(".,:;!>\\" if "/" in text else ".,:;!>").strip("‘’“”«»`")
    while text.endswith((")", "]", "}")) and not {"(", "[", "{"} & set(text):
        text = text[:-1].rstrip(".,:;!")
    return text or None
