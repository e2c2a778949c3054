"""Which lines belong together: tracebacks of Python, stacks of Java and Node, panics of Go and Rust.

Only a grammar: it is told one line after the other and says whether the event goes on. It keeps no
lines and knows no files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

HEADS = (  # what the matcher looks for; nothing is grouped before one of these was seen
    r"Traceback \(most recent call last\):",
    r"(?:\tat |    at )[\w$.<>/\[\]@: -]+\(",
    r"(?:\tat |    at )(?:async |new )?(?:file://|node:|/|[A-Za-z]:\\)",
    r"^(?:\S+ +\| ?)?(?:panic: |fatal error: |goroutine \d+ \[)",
    r"thread '[^']*' (?:\(\d+\) )?panicked at",
)
PREFIX = 200  # bytes before a head that are taken for the prefix of every line of the event


class Kind(Enum):
    """Whose way of printing an error over several lines."""

    PYTHON = "python"
    STACK = "stack"  # Java, Node, C#
    GO = "go"
    RUST = "rust"


class Place(Enum):
    """How far a Python traceback has come."""

    FRAMES = "frames"
    SAID = "said"  # the exception line stands; a chain may follow
    BLANK = "blank"
    CHAIN = "chain"


class Step(Enum):
    """What a line is to an open event."""

    PART = "part"
    OTHER = "other"  # of another writer to the same file
    END = "end"


@dataclass(frozen=True, slots=True)
class Grammar:
    """An open event: its kind, what stands before each line of it, and how far it has come."""

    kind: Kind
    prefix: re.Pattern[bytes] | None = None
    prefixed: bool = False  # a later line came with the prefix too
    place: Place = Place.FRAMES

    @property
    def complete(self) -> bool:
        """It could end here; waiting longer only serves a chain that is rarely there."""
        return self.kind is not Kind.PYTHON or self.place in {Place.SAID, Place.BLANK}


PYTHON_HEAD = re.compile(
    rb"(?P<prefix>.*?)(?P<group> *\+ Exception Group )?Traceback \(most recent call last\):\s*$"
)
AT = re.compile(rb"(?P<prefix>.*?)\s+at (?:async |new )?[\w$.<>/\[\]@:\\ -]+(?:\(|:\d+)")
STACK_MORE = re.compile(rb"\s|Caused by: |Node\.js v\d|[}\]]|Require stack:|- /|$")
THROWN = re.compile(rb"[\w$]+(?:\.[\w$]+)+(?:Exception|Error|Throwable|Failure)(?::|$)")
GO_HEAD = re.compile(rb"(?P<prefix>(?:\S+ +\| ?)?)(?:panic: |fatal error: |goroutine \d+ \[)")
GO_MORE = re.compile(
    rb"$|\s|goroutine \d+ |\[signal |created by |exit status \d|panic: |[\w./*()\[\]{}$-]+\(.*\)$|runtime[:.]|main\."
)
RUST_HEAD = re.compile(rb"(?P<prefix>.*?)thread '[^']*' (?:\(\d+\) )?panicked at")
RUST_MORE = re.compile(rb"note: |stack backtrace:|\s+\d+: |\s+at |$")
EXCEPTION = re.compile(rb"[A-Za-z_][\w.]*(?:\[[\w., ]+\])?(?:: .*|:|)$")
MARGIN = re.compile(rb"\s*(?:\| ?|\+[-+])")
CHAIN = (b"During handling of the above exception", b"The above exception was the direct cause")
MESSAGE_MORE = re.compile(
    rb"\s|\[SQL|\[parameters|\[cached|\(Background on|DETAIL:|HINT:|LINE \d|CONTEXT:|\[generated|\^"
    rb"|Try (?:using|again)|Please |For (?:more|further) |Stderr:|Stdout:|Command "
)
NUMBER = re.compile(rb"\d+")


def opens(line: bytes) -> Grammar | None:
    """The event that this line begins, or for a stack: whose second line it is."""
    if b"Traceback (most" in line and (found := PYTHON_HEAD.match(line)):
        return Grammar(Kind.PYTHON, _prefix(found["prefix"]))
    for kind, head in ((Kind.RUST, RUST_HEAD), (Kind.GO, GO_HEAD)):
        if found := head.match(line[:512]):
            return Grammar(kind, _prefix(found["prefix"]))
    if found := AT.match(line[:512]):
        return Grammar(Kind.STACK, _prefix(found["prefix"]))
    return None


def _prefix(before: bytes) -> re.Pattern[bytes] | None:
    if not before or len(before) > PREFIX:
        return None
    return re.compile(rb"\d+".join(map(re.escape, NUMBER.split(before))))


def body(event: Grammar, line: bytes) -> bytes:
    """The line without the prefix that the lines of its event carry."""
    found = event.prefix.match(line) if event.prefix else None
    return line[found.end() :] if found else line


def step(event: Grammar, line: bytes) -> tuple[Step, Grammar]:
    """What the next line of the file is to an open event, and the event after it."""
    found = event.prefix.match(line) if event.prefix else None
    rest = line[found.end() :] if found else line
    after = _after(event, rest)
    if after is not None:
        return Step.PART, replace(after, prefixed=after.prefixed or found is not None)
    if event.prefixed and found is None:
        return Step.OTHER, event
    return Step.END, event


def _after(event: Grammar, line: bytes) -> Grammar | None:
    if event.kind is Kind.PYTHON:
        place = _python(event.place, line)
        return replace(event, place=place) if place else None
    if event.kind is Kind.RUST:
        first = event.place is Place.FRAMES  # the line after the head is the message
        return replace(event, place=Place.SAID) if first or RUST_MORE.match(line) else None
    more = STACK_MORE if event.kind is Kind.STACK else GO_MORE
    return event if more.match(line) else None


def _python(place: Place, line: bytes) -> Place | None:
    if line.startswith(CHAIN):
        return Place.CHAIN
    if MARGIN.match(line):
        return Place.SAID if line.rstrip().endswith(b"---") else _python_group(line)
    if place is Place.FRAMES:
        if line[:1].isspace():
            return Place.FRAMES
        return Place.SAID if EXCEPTION.match(line) else None
    if place is Place.SAID:
        if not line.strip():
            return Place.BLANK
        return Place.SAID if MESSAGE_MORE.match(line) else None
    if place is Place.CHAIN:
        if not line.strip():
            return Place.CHAIN
        return Place.FRAMES if PYTHON_HEAD.match(line) else None
    return Place.BLANK if not line.strip() else None


def _python_group(line: bytes) -> Place:
    inner = MARGIN.sub(b"", line, count=1).strip()
    return Place.SAID if EXCEPTION.match(inner) and not inner.startswith(b"+") else Place.FRAMES


def causes(lines: list[bytes]) -> list[int]:
    """The lines to ask for the cause, in this order, until one says something definite.

    First the last exception line; then, where a chain says "direct cause", the exceptions above it;
    then the line before the traceback. A stack is asked from its last `Caused by` to its head.
    """
    said = _exceptions(lines)
    if not said:
        stacks = [n for n, line in enumerate(lines) if b"Caused by: " in line]
        return stacks[::-1] + [n for n in range(len(lines)) if n not in stacks]
    direct = any(CHAIN[1] in line for line in lines)
    return [said[-1], *(reversed(said[:-1]) if direct else ()), *range(min(said[0], 1))]


def _exceptions(lines: list[bytes]) -> list[int]:
    """Where the exception lines of Python tracebacks stand."""
    event: Grammar | None = None
    said: list[int] = []
    for number, line in enumerate(lines):
        if b"Traceback (most" in line and (head := PYTHON_HEAD.match(line)):
            event = Grammar(Kind.PYTHON, _prefix(head["prefix"]))
            continue
        if event is None:
            continue
        was = event.place
        rest = body(event, line)
        _, event = step(event, line)
        inner = MARGIN.sub(b"", rest, count=1).lstrip() if MARGIN.match(rest) else rest
        new = event.place is Place.SAID and (was is not Place.SAID or MARGIN.match(rest))
        if new and EXCEPTION.match(inner) and not inner[:1].isspace():
            said.append(number)
    return said


def joins(between: bytes) -> bool:
    """Whether lines between an error line and a stack belong to that error."""
    lines = between.split(b"\n")[:-1]
    return len(lines) <= 8 and all(STACK_MORE.match(line) or THROWN.match(line) for line in lines)
