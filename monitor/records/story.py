"""One incident as its records tell it, with the monitor there or gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.model import Told
from monitor.records.history import read
from monitor.records.record import is_move
from monitor.texts import reason, sentence, state_word

Record = Mapping[str, Any]

LOOK = "check:"  # so begins the source of what a look of ours found, where others have a file
_ID = re.compile(r"(?:INC-)?0*([1-9][0-9]{0,11})", re.IGNORECASE)


def number_of(text: str) -> int | None:
    """12 for `12`, `INC-12` and `inc-12`; None when it is something else."""
    found = _ID.fullmatch(text.strip())
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one strategy."""

    at: str
    action: str
    number: int
    most: int
    outcome: Record | None  # None while it is at work, or when nobody saw its end


@dataclass(frozen=True, slots=True)
class Story:
    """All that was recorded of one incident, the oldest first."""

    name: str
    records: tuple[Record, ...]

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def last(self) -> Record:
        """As it stands: who was told of it moves nothing."""
        return next(filter(is_move, reversed(self.records)), self.first)

    @property
    def attempts(self) -> list[Attempt]:
        """What was tried, each with its end where it had one."""
        found: list[Attempt] = []
        for record in self.records:
            if not record.get("action"):
                continue  # somebody's word, or that somebody was told
            if record.get("state") == "fixing" and not record.get("outcome"):
                found.append(_attempt(record, None))
            elif outcome := record.get("outcome"):
                begun = (
                    found.pop() if found and found[-1].outcome is None else _attempt(record, None)
                )
                found.append(Attempt(begun.at, begun.action, begun.number, begun.most, outcome))
        return found

    @property
    def acks(self) -> list[tuple[str, str]]:
        """Who acknowledged it, and when."""
        return [
            (str(context_of(record).get("by")), str(record.get("timestamp")))
            for record in self.records
            if context_of(record).get("said") == "ack"
        ]

    def told(self, lang: str) -> Iterator[tuple[str, str]]:
        """What was said of each step: when, and the sentence."""
        for record in self.records:
            for told in _told(record):
                yield str(record.get("timestamp")), sentence(told, lang)


def _attempt(record: Record, outcome: Record | None) -> Attempt:
    return Attempt(
        str(record.get("timestamp")),
        str(record.get("action") or "?"),
        int(record.get("attempt") or 0),
        int(record.get("max_attempts") or 0),
        outcome,
    )


def context_of(record: Record) -> Mapping[str, Any]:
    context = record.get("context")
    return context if isinstance(context, Mapping) else {}


def stories(home: Path) -> dict[int, Story]:
    """Every incident of which records are kept, by its number."""
    found: dict[int, list[Record]] = {}
    for record in read(home / "logs" / "errors.json"):
        number = number_of(str(record.get("incident") or ""))
        if number is not None and record.get("state") != "gap":
            found.setdefault(number, []).append(record)
    return {number: Story(f"INC-{number}", tuple(all_)) for number, all_ in found.items()}


def moment(stamp: object) -> str:
    """Local time, for people."""
    try:
        return datetime.fromisoformat(str(stamp)).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return str(stamp)


def kinds_of(state: object, said: object, *, ended: bool) -> list[str]:
    """Which sentences tell of one step: the attempt that ended, and where that leads for good."""
    if said in {"ack", "told", "not_told"}:
        return [f"incident_{'acked' if said == 'ack' else said}"]
    last = state in ("failed", "alert_only")
    return (["attempt_ended"] if ended else []) + (
        [] if ended and not last else [f"incident_{state}"]
    )


def _told(record: Record) -> list[Told]:
    """As it was told when it happened: the same kind of sentence from the same facts."""
    context, outcome = context_of(record), record.get("outcome") or {}
    tries = f"{record.get('attempt')}/{record.get('max_attempts')}" if record.get("action") else ""
    facts = {
        "id": str(record.get("incident")),
        "category": str(record.get("category")),
        "subject": str(record.get("subject") or record.get("rule")),
        "do": str(record.get("action") or ""),
        "attempt": tries,
        "why": str(record.get("message") or ""),
        "quoted": _quoted(record),
        "by": str(context.get("by") or ""),
        **{name: str(outcome.get(name) or "") for name in ("result", "detail", "proof")},
    }
    told, child = tuple(facts.items()), str(context.get("child") or "")
    kinds = kinds_of(record.get("state"), context.get("said"), ended=bool(outcome))
    return [Told(kind, child, facts=told) for kind in kinds]


def message_of(record: Record, lang: str) -> str:
    """Why it stands as it does, for people; a line that it quotes stays as it is."""
    message = str(record.get("message") or "")
    return message if message == _quoted(record) else reason(message, lang)


def word_of(record: Record, lang: str) -> str:
    """What somebody said, or was told, where that is what the record is about."""
    return message_of(record, lang) if context_of(record).get("said") else ""


def line_of(record: Record, lang: str) -> str:
    """The line that it is about; what a look of ours found is said in the reader's language."""
    source = record.get("source") or {}
    line = str(source.get("line") or "")
    return reason(line, lang) if str(source.get("file")).startswith(LOOK) else line


def _quoted(record: Record) -> str:
    """The message, where it only repeats somebody else's line."""
    message, source = str(record.get("message") or ""), record.get("source") or {}
    ours = str(source.get("file")).startswith(LOOK)
    return message if not ours and str(source.get("line") or "").startswith(message) else ""


def state_of(record: Record, lang: str) -> str:
    return state_word(record.get("state"), lang)
