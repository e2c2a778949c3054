from __future__ import annotations

import json
from pathlib import Path

from monitor.heal.book import Ledger
from monitor.heal.cases import Cases
from monitor.model import IncidentState, Pause
from monitor.state import State
from tests.monitor.test_incidents import Case, match


def opened(path: Path) -> State:
    def fail(why: str) -> None:
        raise AssertionError(why)

    return State.open(str(path / "state.db"), at=0.0, warn=fail)


def test_an_incident_comes_back_from_the_state_as_it_was(tmp_path: Path) -> None:
    incident = Case().say(match(job="J1", subject="/a\udcff", text="línea \x00 \U0001f600"))
    with opened(tmp_path) as state:
        Cases(state).save([incident], [])
    with opened(tmp_path) as state:
        assert Cases(state).known() == [incident]
        assert Cases(state).next_id() == 2


def test_records_are_numbered_without_a_gap_and_never_twice(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        cases = Cases(state)
        cases.save([], [{"id": "a"}, {"id": "b"}])
        assert [(r["seq"], r["id"]) for r in cases.records_after(0)] == [(1, "a"), (2, "b")]
        cases.forget_records(2)
        assert cases.records_after(0) == []
        cases.save([], [{"id": "c"}])
        assert [r["seq"] for r in cases.records_after(0)] == [3]


def test_what_is_saved_together_is_kept_together_or_not_at_all(tmp_path: Path) -> None:
    incident = Case().say(match())
    with opened(tmp_path) as state:
        cases = Cases(state)
        try:
            with state.transaction():
                cases.save([incident], [{"id": "a"}])
                raise KeyError
        except KeyError:
            pass
        assert cases.known() == []
        assert cases.records_after(0) == []


def test_an_attempt_without_an_end_is_found_again(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        cases = Cases(state)
        one, two = cases.intend(7, "make_directory", 1.0), cases.intend(8, "quarantine", 2.0)
        cases.finish(one, "done")
    with opened(tmp_path) as state:
        assert Cases(state).unfinished() == [(two, 8, "quarantine")]


def test_of_the_closed_only_the_newest_are_known_and_of_the_open_all(tmp_path: Path) -> None:
    case = Case()
    from dataclasses import replace

    first = case.say(match())
    closed = [replace(first, id=n, state=IncidentState.RESOLVED) for n in range(2, 1600)]
    with opened(tmp_path) as state:
        Cases(state).save([first, *closed], [])
        known = Cases(state).known()
    assert known[0] == first
    assert len(known) == 1001
    assert known[-1].id == 1599


def test_small_things_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        assert Cases(state).kept("paused") is None
        Cases(state).keep("paused", {"by": "ana"})
        assert Cases(state).kept("paused") == {"by": "ana"}


def test_a_lost_state_counts_on_behind_what_the_file_already_has(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        cases = Cases(state)
        cases.save([], [{"id": "a"}, {"id": "b"}])
        cases.count_from(100)
        assert [(r["seq"], r["id"]) for r in cases.records_after(0)] == [(101, "a"), (102, "b")]
        assert cases.last_seq() == 102


def test_what_was_spent_is_remembered_until_the_machine_starts_anew(tmp_path: Path) -> None:
    ledger = Ledger({"actions": (1.0, 2.5)}, (3.0,))
    with opened(tmp_path) as state:
        Cases(state).keep_ledger(ledger)
        assert Cases(state).ledger() == ledger
        state_of_another_boot(state)
        assert Cases(state).ledger() == Ledger()


def test_a_pause_outlives_the_machine_for_what_is_left_of_it(tmp_path: Path) -> None:
    pause = Pause("ana", since=1000.0, why="mudanza", until=500.0, ends=1100.0)
    with opened(tmp_path) as state:
        cases = Cases(state)
        assert cases.pause(0.0, 0.0) is None
        cases.keep_pause(pause)
        assert cases.pause(now=450.0, wall=1050.0) == pause
        state_of_another_boot(state)
        for wall, left in ((1040.0, 60.0), (2000.0, 0.0), (0.0, 100.0)):
            anew = cases.pause(now=7.0, wall=wall)
            assert anew is not None
            assert anew.until == 7.0 + left
        cases.keep_pause(None)
        assert cases.pause(0.0, 0.0) is None


def state_of_another_boot(state: State) -> None:
    """As if all of it had been written before the machine was started anew."""
    with state.transaction() as db:
        for name, value in db.execute("SELECT name, value FROM kept").fetchall():
            body = json.dumps(json.loads(value) | {"boot": "another"})
            db.execute("UPDATE kept SET value = ? WHERE name = ?", (body, name))
