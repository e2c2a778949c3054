"""What a person says about an incident."""

from __future__ import annotations

import pytest

from monitor.heal.person import WORDS, Already, No
from monitor.model import OPEN, Category, Incident, IncidentState
from monitor.options import Repair, Rung
from tests.monitor.test_incidents import DONE, FAILED, Case, match


def failed() -> tuple[Case, Incident]:
    case = Case(timeout=(Rung("first"), Rung("second")))
    case.say(match())
    for _ in range(2):
        case.tried()
        case.end(FAILED)
    [one] = case.book.known.values()
    assert one.state is IncidentState.FAILED
    return case, one


def say(case: Case, word: str, incident: Incident, by: str = "ana") -> Incident | Already | No:
    return case.book.said(word, incident, by, case.now)


def test_who_acknowledges_is_known_and_the_first_one_stays() -> None:
    case, one = failed()
    told = len(case.moves)
    acked = say(case, "ack", one)
    assert isinstance(acked, Incident)
    assert (acked.acked_by, acked.state, acked.word, acked.by) == ("ana", one.state, "ack", "ana")
    assert say(case, "ack", acked, "eva") == Already("already_acked", (("by", "ana"),))
    assert len(case.moves) == told + 1


def test_what_a_person_closes_is_closed_and_its_return_begins_at_the_first_rung() -> None:
    case, one = failed()
    closed = say(case, "resolve", one)
    assert isinstance(closed, Incident)
    assert (closed.state, closed.why) == (IncidentState.RESOLVED, "closed by ana")
    assert isinstance(say(case, "resolve", closed), Already)
    assert isinstance(say(case, "ack", closed), No)
    assert isinstance(say(case, "retry", closed), No)
    back = case.say(match())
    assert (back.id, back.acked_by) == (one.id, "")
    assert case.tried() == ["first"]


def test_a_retry_takes_the_ladder_from_its_first_rung_once() -> None:
    case, one = failed()
    again = say(case, "retry", one)
    assert isinstance(again, Incident)
    assert (again.state, again.retried_by) == (IncidentState.DETECTED, "ana")
    assert say(case, "retry", again) == Already("already_retried", (("by", "ana"),))
    assert case.tried() == ["first"]
    case.end(FAILED)
    assert case.tried() == ["second"]
    assert case.end(DONE).state is IncidentState.RETRYING


def test_a_retry_is_no_restart_by_a_log_line_but_other_budgets_hold() -> None:
    case = Case(Repair(restarts=1, per_target=3), hang=(Rung("restart_child"),))
    for subject in ("one", "two"):
        case.say(match(Category.HANG, subject))
    assert case.tried() == ["restart_child"]
    two = next(one for one in case.book.known.values() if one.match.subject == "two")
    assert (two.state, "restarts" in two.why) == (IncidentState.FAILED, True)
    for _ in range(3):
        assert isinstance(say(case, "retry", case.book.known[two.key]), Incident)
        assert case.tried() == ["restart_child"]
        fixing = case.book.known[two.key]
        case.book.outcome(fixing, FAILED, case.now)
    say(case, "retry", case.book.known[two.key])
    assert case.tried() == []
    assert "restart_child on two" in case.book.known[two.key].why


def test_a_line_after_a_retry_counts_as_a_line_again() -> None:
    case = Case(Repair(restarts=1), hang=(Rung("restart_child", attempts=5),))
    one = case.say(match(Category.HANG, "it"))
    case.tried()
    case.end(FAILED)
    say(case, "retry", case.book.known[one.key])
    assert case.tried() == ["restart_child"]
    case.end(DONE)
    case.say(match(Category.HANG, "it"))
    assert case.tried() == []
    assert "restarts" in case.book.known[one.key].why


@pytest.mark.parametrize("word", ["resolve", "retry"])
def test_nobody_takes_an_incident_out_of_the_hands_that_repair_it(word: str) -> None:
    case = Case(timeout=(Rung("first"),))
    one = case.say(match())
    case.tried()
    assert say(case, word, case.book.known[one.key]) == No("is_at_work")
    assert isinstance(say(case, "ack", case.book.known[one.key]), Incident)
    assert case.end(DONE).acked_by == "ana"


def test_what_nothing_of_ours_repairs_cannot_be_tried_again() -> None:
    case = Case()
    one = case.say(match(Category.DEPENDENCY))
    assert say(case, "retry", one) == No("no_ladder", (("category", "dependency"),))


def test_what_was_only_told_may_be_tried_by_a_person() -> None:
    case = Case(timeout=(Rung("first"),))
    one = case.say(match(old=True))
    assert isinstance(say(case, "retry", one), Incident)
    assert case.tried() == ["first"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("state", list(IncidentState))
def test_a_word_said_twice_moves_nothing_the_second_time(word: str, state: IncidentState) -> None:
    from dataclasses import replace

    case = Case(timeout=(Rung("first"),))
    one = replace(case.say(match()), state=state, next_at=case.now if state in OPEN else None)
    case.book.known[one.key] = one
    first = say(case, word, one)
    told = len(case.moves)
    second = say(case, word, case.book.known[one.key])
    assert len(case.moves) == told
    assert not isinstance(second, Incident)
    assert isinstance(second, Already) == isinstance(first, Incident | Already)
