"""Every request as it came, with its time and what became of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from monitor.demo.botapi.body import Said

MOST = 20_000
_LONGEST = 10_000  # characters of one word that are kept

# Says what is wrong with a method's words, or with what was answered; None when nothing is.
Oracle = Callable[[str, str, Any], str | None]


@dataclass(slots=True)
class Entry:
    number: int
    at: float  # wall clock, for people
    clock: float  # seconds on a clock that never jumps
    token: str
    method: str
    params: dict[str, str] = field(default_factory=dict)
    uploads: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0  # of the answer that was made, also when a fault kept it back; 0: none yet
    description: str = ""
    fault: str = ""
    seconds: float = 0.0


class Journal:
    def __init__(self, oracle: Oracle | None = None) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST)
        self._number = 0
        self._oracle = oracle
        self.complaints: list[str] = []

    def open(self, token: str, method: str) -> Entry:
        self._number += 1
        entry = Entry(self._number, time.time(), time.monotonic(), token, method)
        self._entries.append(entry)
        return entry

    def came(self, entry: Entry, said: Said) -> None:
        entry.params = {name: word[:_LONGEST] for name, word in said.words.items()}
        entry.uploads = [
            {"field": u.field, "name": u.name, "type": u.type, "size": u.size}
            for u in said.uploads.values()
        ]

    def done(self, entry: Entry, status: int, description: str = "") -> None:
        entry.status, entry.description = status, description
        entry.seconds = time.monotonic() - entry.clock

    def judge(self, method: str, said: Said, result: Any) -> None:
        """Lets somebody who knows the Bot API from elsewhere look at both sides."""
        if self._oracle is not None:
            for side, value in (("request", _request(said)), ("answer", result)):
                if complaint := self._oracle(side, method, value):
                    self.complaints.append(f"{method} {side}: {complaint}")

    def rows(self, after: int, method: str, token: str) -> list[dict[str, Any]]:
        return [
            asdict(entry)
            for entry in self._entries
            if entry.number > after
            and (not method or entry.method.lower() == method.lower())
            and (not token or entry.token == token)
        ]


def _request(said: Said) -> Mapping[str, Any]:
    return {**said.words, **{name: upload.name for name, upload in said.uploads.items()}}
