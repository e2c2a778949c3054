"""What a case leaves behind outlives the monitor that opened it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.heal.book import Book
from monitor.heal.cases import Cases
from monitor.heal.casework import Casework, clock
from monitor.heal.recording import ChildFacts
from monitor.model import Category, FileId, Line, Match, Severity
from monitor.options import Repair, Rung
from monitor.records.writer import Records
from monitor.state import State

ROTATED_AT = 8_000  # bytes
LADDERS = {"timeout": (Rung("resume_job", delay=3600.0),)}  # open for as long as a test lasts


def trouble(n: int, category: Category = Category.DEPENDENCY) -> Match:
    line = Line("kid.log", FileId(1, 1), f"trouble {n}", n, n + 1, time.time())
    return Match(line, "test", category, Severity.WARNING, f"/x/{n}")


@contextmanager
def at_work(home: Path) -> Iterator[Casework]:
    """As a monitor that starts here finds it."""

    def opened() -> Records:
        return Records.open(home / "errors.json", size=ROTATED_AT, keep=9, warn=print)

    with State.open(str(home / "state.db"), at=time.time(), warn=print) as state:
        work = Casework(state, opened, lambda _: ChildFacts(), lambda _: None)
        work.book = Book(Repair(), LADDERS, work.changed)
        work.book.restore(Cases(state).known(), (), clock())
        work.project()
        try:
            yield work
        finally:
            work.close()


def test_what_is_open_is_carried_into_the_next_file_also_by_the_next_monitor(
    tmp_path: Path,
) -> None:
    with at_work(tmp_path) as work:
        work.take(trouble(1, Category.TIMEOUT), "kid")
        work.take(trouble(2), "kid")  # only told: it is no open one
    for start in range(3):  # three monitors; each turns to a new file once or more
        with at_work(tmp_path) as work:
            for n in range(30):
                work.take(trouble(100 * (start + 1) + n), "kid")
                if n % 10 == 9:
                    work.settle()
    assert (tmp_path / "errors.json.3").exists()
    now = json.loads((tmp_path / "errors.json").read_text())
    assert [(r["incident"], r["state"]) for r in now if r.get("carried")] == [("INC-1", "detected")]
    assert now[0]["message"] == "trouble 1"
