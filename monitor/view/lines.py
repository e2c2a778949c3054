"""Log lines for people: each with what it means, coloured by how grave it is."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.model import Category, Severity
from monitor.redact import printable, redact
from monitor.understand.verdict import Judge

_COLOURS = {Severity.CRITICAL: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_LONGEST = 8192  # bytes of a line that are shown


def dressed(line: bytes, judge: Judge | None, *, colour: bool) -> str:
    """The line without secrets and control characters; with a judge, what it means behind it."""
    text = line[:_LONGEST].decode(errors="replace").rstrip("\r\n")
    shown = printable(redact(text)) + ("…" if len(line) > _LONGEST else "")
    if judge is None:
        return shown
    verdict = judge.event(text)
    if verdict.category is Category.BENIGN or verdict.rule is None:
        return shown
    meaning = f"← {verdict.category} ({verdict.rule})"
    if not colour:
        return f"{shown}  {meaning}"
    return f"\x1b[{_COLOURS[verdict.severity]}m{shown}\x1b[0m  \x1b[2m{meaning}\x1b[0m"


def whole_lines(data: bytes) -> Iterator[bytes]:
    yield from data.removesuffix(b"\n").split(b"\n")
