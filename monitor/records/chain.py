"""Whether the records are as they were written: each holds a hash of the one before it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import BinaryIO

from monitor.records.ending import BETWEEN, OPENING
from monitor.records.history import opened
from monitor.records.record import CHAIN, GENESIS, digest, parsed

_HEAD = re.compile(rb"(\d{20}) ([0-9a-f]{64})\n")
_TRIES = 5  # looks at files that grow meanwhile


@dataclass(frozen=True, slots=True)
class Head:
    """The last record that was acknowledged, noted beside the records: so its loss is seen."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that no write of ours has left so."""

    path: str
    line: int
    kind: str  # damaged | changed | missing | misplaced
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class _Line:
    path: str
    number: int
    record: dict[str, object]
    hash: str
    is_first: bool  # of its file

    @property
    def seq(self) -> int:
        return int(str(self.record["seq"]))

    @property
    def is_carried(self) -> bool:
        return self.record.get("carried") is True


def head_line(head: Head) -> bytes:
    """Always of the same length, so that one write replaces the one before."""
    return b"%020d %b\n" % (head.seq, head.hash.encode())


def head_of(path: Path) -> Head | None:
    """What was noted beside the records; None when it is not there or not readable as such."""
    try:
        found = _HEAD.fullmatch(path.with_name(f"{path.name}.head").read_bytes())
    except OSError:
        return None
    return Head(int(found[1]), found[2].decode()) if found else None


def verify(path: Path) -> list[Finding]:
    """Everything that is not as it was written, in all generations; the monitor may be writing."""
    for _ in range(_TRIES):
        head = head_of(path)  # first: what comes after it may only be newer
        with ExitStack() as stack:
            files = opened(path, stack)
            before = [os.fstat(file.fileno()).st_size for _, file in files]
            found = list(findings(((str(p), file) for p, file in files), head))
            if not found or before == [os.fstat(file.fileno()).st_size for _, file in files]:
                break
    return found


def findings(files: Iterable[tuple[str, BinaryIO]], head: Head | None) -> Iterator[Finding]:
    """The chain through these files, oldest first."""
    last: _Line | None = None
    newest, is_head_seen, where = 0, head is None or head.hash == GENESIS, ""
    for where, file in files:
        for line in _lines(where, file):
            if isinstance(line, Finding):
                yield line
                continue
            yield from _link(last, line, newest)
            if not line.is_carried:
                newest = max(newest, line.seq)
            last = line
            is_head_seen = is_head_seen or (head is not None and head.hash == line.hash)
    if head is not None and not is_head_seen:
        yield _end(head, newest, where, last)


def _link(last: _Line | None, line: _Line, newest: int) -> Iterator[Finding]:
    """What is wrong between a line and the one before it."""
    if line.is_first != (line.record.get("first") is True):
        what = "the first records of the file are missing" if line.is_first else "is not the first"
        yield _finding(line, "missing" if line.is_first else "misplaced", what)
    if last is None:
        if line.seq == 1 and not line.is_carried and line.record[CHAIN] != GENESIS:
            yield _finding(line, "changed", "record 1 does not begin the chain")
        return
    linked = line.record[CHAIN] == last.hash
    if not line.is_carried and not _follows(line, newest):
        yield _wrong_place(line, newest)
    elif not linked and line.is_carried:
        yield _finding(line, "changed", f"carried record {line.seq} does not follow {last.seq}")
    elif not linked:
        what = f"record {last.seq} was changed, or the link of {line.seq}"
        yield Finding(last.path, last.number, "changed", what)


def _follows(line: _Line, newest: int) -> bool:
    """Whether this is the next number, or says itself which are lost."""
    if line.seq == newest + 1 or newest == 0:
        return True
    context = line.record.get("context")
    if line.record.get("state") != "gap" or not isinstance(context, dict):
        return False
    return line.seq > newest and context.get("from") == newest + 1


def _wrong_place(line: _Line, newest: int) -> Finding:
    if line.seq <= newest:
        return _finding(line, "misplaced", f"record {line.seq} comes again, or after {newest}")
    missing = _span(newest + 1, line.seq - 1)
    return _finding(line, "missing", f"missing before record {line.seq}: {missing}")


def _end(head: Head, newest: int, where: str, last: _Line | None) -> Finding:
    at = last.number if last else 0
    if head.seq > newest:
        return Finding(where, at, "missing", f"missing at the end: {_span(newest + 1, head.seq)}")
    return Finding(where, at, "changed", f"record {newest} is not as it was written")


def _span(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}-{last}"


def _finding(line: _Line, kind: str, what: str) -> Finding:
    return Finding(line.path, line.number, kind, what)


def _lines(path: str, file: BinaryIO) -> Iterator[_Line | Finding]:
    """The records of one file; whatever else stands in it is a finding."""
    is_first = True
    for number, (line, after) in enumerate(pairwise(chain(file, (b"",))), 1):
        if line == (OPENING if number == 1 else b"" if after else b"]\n"):
            continue
        body = line[: line.rfind(b"}") + 1]
        if (record := parsed(body)) is not None:
            yield _Line(path, number, record, digest(body), is_first)
        if record is None or line != body + (b"\n" if after == b"]\n" else BETWEEN):
            yield Finding(path, number, "damaged", "this line is not as it was written")
        is_first = False
