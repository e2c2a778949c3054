"""The lines of one write, each chained to the one before it, and where they end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from monitor.records.ending import BETWEEN, GROUP, OPENING, End
from monitor.records.record import Record, digest, gap, line_of, seq_of


def chained(records: Sequence[Record], end: End) -> tuple[list[bytes], End, int]:
    """Lines for one write, where they end, and how many of the records they hold."""
    lines: list[bytes] = []
    start, taken, size = end, 0, 0
    for record in records:
        for each in _with_gap(record, end.seq):
            line = line_of(each, end.hash, first=end.offset == len(OPENING))
            end = _after(end, line, seq_of(each), carried=False)
            lines.append(line)
        taken += 1
        size = end.offset - start.offset
        if size >= GROUP:
            break
    return lines, end, taken


def carried_over(records: Iterable[Record], end: End) -> tuple[list[bytes], End]:
    """The lines with which a new file begins, and its end; the newest seq stays what it was."""
    lines: list[bytes] = []
    end = replace(end, offset=len(OPENING), carried=False)
    for record in records:
        line = line_of(record, end.hash, first=not lines, carried=True)
        end = _after(end, line, end.seq, carried=True)
        lines.append(line)
    return lines, end


def _with_gap(record: Record, last: int) -> Iterator[Record]:
    if seq_of(record) > last + 1:
        yield gap(last + 1, seq_of(record) - 1, record.get("timestamp"))
    yield record


def _after(end: End, line: bytes, seq: int, *, carried: bool) -> End:
    lead = 0 if end.offset == len(OPENING) else len(BETWEEN)
    return End(end.offset + lead + len(line), seq, digest(line), carried)
