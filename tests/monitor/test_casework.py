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
from monitor.heal.checks import of_sick
from monitor.heal.recording import ChildFacts
from monitor.model import Category, Cause, FileId, Line, Match, Severity, Told
from monitor.options import Repair, Rung
from monitor.records.writer import Records
from monitor.state import State
from tests.monitor import programs
from tests.monitor.faults import wait_for
from tests.monitor.test_run import one
from tests.monitor.vigia import until, vigia

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


def sick(cause: Cause, **more: str) -> Told:
    facts = {"why": "has finished nothing for 5 min", "cause": cause, **more}
    return Told("child_sick", "kid", Severity.WARNING, tuple(facts.items()))


class Deaf:
    """It must not be told here: the minder has said it."""

    def incident(self, *said: object) -> None:
        raise AssertionError(said)

    def save(self) -> None: ...

    def saved(self) -> None: ...


def test_what_the_minder_restarts_is_recorded_and_not_told_twice(tmp_path: Path) -> None:
    with at_work(tmp_path) as work:
        work.herald = Deaf()
        for cause in (Cause.HANG, Cause.MEMORY_LIMIT, Cause.HANG):
            match, outcome = of_sick(sick(cause))
            work.noted(match, "kid", outcome)
        for _ in range(3):  # its policy is never to restart it: seen again at each look
            match, outcome = of_sick(sick(Cause.HANG, left="yes"))
            work.noted(match, "other", outcome)
        assert work.settle()
        assert work.book.due(clock() + 3600) == [], "no ladder is begun for it"
    found = json.loads((tmp_path / "errors.json").read_text())
    assert [r["category"] for r in found] == ["hang", "out_of_memory", "hang", "hang"]
    assert [r["incident"] for r in found] == ["INC-1", "INC-2", "INC-3", "INC-4"]
    assert [(r["action"], (r["outcome"] or {}).get("result")) for r in found] == [
        *[("restart_child", "done")] * 3,
        (None, None),
    ]
    assert {r["context"]["child"] for r in found[:3]} == {"kid"}
    with at_work(tmp_path) as work:
        work.take(trouble(5), "kid")
    assert json.loads((tmp_path / "errors.json").read_text())[-1]["incident"] == "INC-5"


def test_a_child_that_hangs_stands_in_the_records(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(one(programs.SLEEPS, "health = {every = 0.1, silence = 0.5}"))
        v.start()
        found = wait_for(v, category="hang")
        assert found["message"].startswith("has written nothing for")
        assert found["outcome"]["result"] == "done"
        until(lambda: v.child("kid")["starts"] >= 2)
        assert v.run("explain", found["incident"]).returncode == 0
