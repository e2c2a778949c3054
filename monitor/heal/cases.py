"""Incidents, attempts, budgets and records as they are kept in the state; speaks SQL for them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from monitor.heal.book import Ledger
from monitor.model import (
    OPEN,
    Category,
    FileId,
    Incident,
    IncidentState,
    Line,
    Match,
    Pause,
    Severity,
)
from monitor.state import State, boot_id

_REMEMBERED = 1000  # closed incidents that may still come back


class Cases:
    """Reads and writes within the state's transactions."""

    def __init__(self, state: State) -> None:
        self._state = state

    # --- incidents ---

    def known(self) -> list[Incident]:
        """The open ones and the newest closed ones, the oldest first."""
        with self._state.transaction() as db:
            rows = db.execute(
                "SELECT body FROM incident WHERE open"
                " UNION ALL SELECT body FROM (SELECT id, body FROM incident WHERE NOT open"
                " ORDER BY id DESC LIMIT ?)",
                (_REMEMBERED,),
            ).fetchall()
        return sorted((_incident(json.loads(body)) for (body,) in rows), key=lambda one: one.id)

    def next_id(self) -> int:
        with self._state.transaction() as db:
            (last,) = db.execute("SELECT coalesce(max(id), 0) FROM incident").fetchone()
        return int(last) + 1

    def save(self, incidents: Iterable[Incident], records: Iterable[Mapping[str, object]]) -> None:
        """Within a transaction of the caller, with the position in the log they come from."""
        with self._state.transaction() as db:
            db.executemany(
                "REPLACE INTO incident VALUES (?, ?, ?)",
                [(one.id, one.state in OPEN, _text(dataclasses.asdict(one))) for one in incidents],
            )
            db.executemany(
                "INSERT INTO record (body) VALUES (?)", [(_text(one),) for one in records]
            )

    # --- attempts: written down before they are made ---

    def intend(self, incident: int, strategy: str, at: float) -> int:
        with self._state.transaction() as db:
            done = db.execute(
                "INSERT INTO attempt (incident, strategy, began) VALUES (?, ?, ?)",
                (incident, strategy, at),
            )
        return int(done.lastrowid or 0)

    def finish(self, attempt: int, result: str) -> None:
        """Within a transaction of the caller, with the incident that it moved."""
        with self._state.transaction() as db:
            db.execute("UPDATE attempt SET result = ? WHERE id = ?", (result, attempt))

    def unfinished(self) -> list[tuple[int, int, str]]:
        """Attempts of which nobody knows the end: number, incident, strategy."""
        with self._state.transaction() as db:
            rows = db.execute(
                "SELECT id, incident, strategy FROM attempt WHERE result IS NULL ORDER BY id"
            ).fetchall()
        return [(number, incident, strategy) for number, incident, strategy in rows]

    # --- records on their way to logs/errors.json ---

    def records_after(self, seq: int, most: int = 1000) -> list[dict[str, Any]]:
        with self._state.transaction() as db:
            rows = db.execute(
                "SELECT seq, body FROM record WHERE seq > ? ORDER BY seq LIMIT ?", (seq, most)
            ).fetchall()
        return [{"seq": number} | json.loads(body) for number, body in rows]

    def last_seq(self) -> int:
        """The number of the newest record, also when it is no longer here."""
        with self._state.transaction() as db:
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'record'").fetchone()
        return int(row[0]) if row else 0

    def count_from(self, seq: int) -> None:
        """Records waiting here move behind what the file already has, so that none is passed over."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT body FROM record ORDER BY seq").fetchall()
            db.execute("DELETE FROM record")
            db.execute("DELETE FROM sqlite_sequence WHERE name = 'record'")
            db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('record', ?)", (seq,))
            db.executemany("INSERT INTO record (body) VALUES (?)", rows)

    def forget_records(self, upto: int) -> None:
        """They are on disk in the file for people; the counter goes on all the same."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM record WHERE seq <= ?", (upto,))

    # --- small things that must not be forgotten ---

    def keep(self, name: str, value: object) -> None:
        with self._state.transaction() as db:
            db.execute("REPLACE INTO kept VALUES (?, ?)", (name, _text(value)))

    def kept(self, name: str) -> Any:
        with self._state.transaction() as db:
            row = db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def keep_ledger(self, ledger: Ledger) -> None:
        """Within a transaction of the caller, with the attempt that it was spent for."""
        self.keep("ledger", {"boot": boot_id(), **dataclasses.asdict(ledger)})

    def ledger(self) -> Ledger:
        """What was spent since the machine was started; another start of it forgives."""
        kept = self.kept("ledger")
        if kept is None or kept["boot"] != boot_id():
            return Ledger()
        spent = {name: tuple(at) for name, at in kept["spent"].items()}
        return Ledger(spent, tuple(kept["openings"]))

    def keep_pause(self, pause: Pause | None) -> None:
        body = None if pause is None else {"boot": boot_id(), **dataclasses.asdict(pause)}
        self.keep("paused", body)

    def pause(self, now: float, wall: float) -> Pause | None:
        """The pause that a person wanted; when the machine was started anew, what is left of it."""
        kept = self.kept("paused")
        if kept is None:
            return None
        boot = kept.pop("boot")
        pause = Pause(**kept)
        if pause.until is None or pause.ends is None or boot == boot_id():
            return pause
        left = min(pause.ends - wall, pause.ends - pause.since)  # a clock set back adds nothing
        return dataclasses.replace(pause, until=now + max(0.0, left))


def _text(value: object) -> str:
    """As JSON in ASCII: a file name may hold halves of characters, which UTF-8 does not take."""
    return json.dumps(value, separators=(",", ":"))


def _incident(body: dict[str, Any]) -> Incident:
    match = body["match"]
    line = match["line"] | {"id": FileId(**match["line"]["id"])}
    match |= {
        "line": Line(**line),
        "category": Category(match["category"]),
        "severity": Severity(match["severity"]),
        "captures": tuple((name, value) for name, value in match["captures"]),
        "hits": tuple(match.get("hits", ())),
    }
    known = {field.name for field in dataclasses.fields(Incident)}
    kept = {name: value for name, value in body.items() if name in known}
    return Incident(**kept | {"match": Match(**match), "state": IncidentState(body["state"])})
