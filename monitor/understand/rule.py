"""What a rule is, and what decides between two of them; plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from monitor.model import Category, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.understand.pattern import Pattern

SEEN = 16_384  # bytes of a line that rules read; a longer line is judged by its head
PACKS = Path(__file__).parent / "rules"  # what ships
CAPTURES = frozenset(
    [
        "path",
        "url",
        "host",
        "port",
        "job",
        "modelo",
        "exception",
        "retry_after",
        "again",
        "subject",
        "command",
        "library",
        "size",
        "limit",
        "pid",
        "status",
        "table",
    ]
)
SUBJECTS = ("subject", "path", "url", "host", "command", "library")
LOUD = {
    Category.AUTH: Severity.CRITICAL,
    Category.DISK_FULL: Severity.CRITICAL,
    Category.SERVER_DOWN: Severity.CRITICAL,
    Category.OUT_OF_MEMORY: Severity.CRITICAL,
    Category.RECIPIENT_GONE: Severity.INFO,
    Category.UNKNOWN: Severity.INFO,
    Category.BENIGN: Severity.INFO,
}


class Weight(IntEnum):
    """How surely a rule knows the cause; the first thing that decides between two that hit."""

    LOOK = 1  # it only looks like trouble
    HINT = 2  # words that usually mean it
    SYMPTOM = 3  # what follows from many causes: "connection lost", "uncaught"
    CAUSE = 4  # the line states the cause: an errno, the phrase of a library
    EXACT = 5  # only this program says this, and only for this


# Between two hits of the same weight the category that says more about what to do goes first:
# resources of the machine, then what the other side demands, then what is wrong with a thing,
# then who did not answer, then what merely followed. Ordinary lines are known first of all.
ORDER: tuple[Category, ...] = (
    Category.BENIGN,
    Category.DISK_FULL,
    Category.OUT_OF_MEMORY,
    Category.TOO_MANY_FILES,
    Category.DEPENDENCY,
    Category.RATE_LIMIT,
    Category.FILE_TOO_BIG,
    Category.RECIPIENT_GONE,
    Category.CONFLICT,
    Category.TIMEOUT,
    Category.TLS,
    Category.AUTH,
    Category.PERMISSION,
    Category.CORRUPT_FILE,
    Category.DATABASE,
    Category.MISSING_PATH,
    Category.SERVER_DOWN,
    Category.HANG,
    Category.CRASH,
    Category.UNKNOWN,
)
PLACE = {category: place for place, category in enumerate(ORDER)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which one kind of program speaks of one kind of trouble."""

    name: str
    category: Category
    severity: Severity
    weight: Weight
    patterns: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]
    captures: tuple[Pattern, ...]
    match: tuple[str, ...]
    no_match: tuple[str, ...]
    beats: tuple[str, ...]
    quiet: bool  # holds on INFO and DEBUG lines too
    trusts: bool  # reads inside quoted fields that a user may have written
    keyed: bool  # what it captures is named by keys, and goes before what another finds nearby
    dry_run: bool  # what it finds is recorded with what would be done, and nothing is done
    file: str
    line: int

    @property
    def details(self) -> bool:
        """It captures more than what the line is about: a job, a time to wait."""
        names = {name for each in (*self.patterns, *self.captures) for name in each.names}
        return not names <= set(SUBJECTS)

    @property
    def order(self) -> tuple[int, int, str]:
        """Smaller goes first: weight, then category, then name, never the place in a file."""
        return (-self.weight, PLACE[self.category], self.name)


Text: TypeAlias = tuple[bytes, bool]  # a text to look for, and whether case matters in it
Seen: TypeAlias = "tuple[Rule, Pattern]"  # a pattern whose fixed text was seen, and its rule


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules in force, by name, and a fingerprint of their text."""

    rules: tuple[Rule, ...]
    digest: str
    texts: tuple[Text, ...] = field(
        default=(), compare=False
    )  # what a log is searched for; empty until it is prepared


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rule, and where it stands."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class RulesError(ValueError):
    """Rules that do not load, with everything that is wrong with them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, faults)))
