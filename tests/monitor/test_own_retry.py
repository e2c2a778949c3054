"""A child that says when it tries again by itself is left to do so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model import Category, IncidentState, Match
from monitor.options import Rung
from tests.monitor.test_incidents import DONE, FAILED, Case, match


def waiting(again: object, category: Category = Category.TIMEOUT) -> Match:
    said = match(category, job="J1")
    return replace(said, captures=(("again", str(again)), *said.captures))


GAVE_UP = match(job="J1")


def test_it_has_its_time_and_is_over_when_nothing_more_comes() -> None:
    case = Case()
    case.say(waiting(30))
    case.now += 149.9
    assert case.tried() == []
    assert case.states() == ["detected"]
    case.now += 0.1
    assert case.book.next_due() == case.now
    assert case.tried() == []
    assert case.states() == ["detected", "resolved"]
    assert "by itself" in case.moves[-1].why


def test_as_long_as_it_tries_nobody_is_restarted_and_nothing_is_said_twice() -> None:
    case = Case()
    for again in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
        case.say(waiting(again))
        case.now += again + 100  # its try failed again, in time
        assert case.tried() == []
    assert case.states() == ["detected"]
    assert next(iter(case.book.known.values())).occurrences == 9


def test_when_it_gives_up_the_ladder_has_its_time() -> None:
    case = Case()
    case.say(waiting(30))
    case.now += 40
    case.say(GAVE_UP)
    case.now += 1
    assert case.tried() == ["resume_job"]
    case.end(FAILED)
    case.now += 2
    assert case.tried() == ["resume_job"]


def test_what_is_at_work_when_it_says_so_ends_and_does_not_climb() -> None:
    case = Case()
    case.say(GAVE_UP)
    case.now += 1
    assert case.tried() == ["resume_job"]
    case.say(waiting(30))
    after = case.end(FAILED)
    assert (after.state, after.rung) == (IncidentState.DETECTED, 0)
    case.now += 150
    assert case.tried() == []
    assert case.states()[-1] == "resolved"


def test_what_comes_back_after_a_repair_is_left_to_it_too() -> None:
    case = Case()
    case.say(GAVE_UP)
    case.now += 1
    case.tried()
    case.end(DONE)
    assert case.say(waiting(30)).returned == 1
    case.now += 150
    assert case.tried() == []
    assert case.say(waiting(60)).returned == 2
    case.now += 179
    assert case.tried() == []
    assert case.states()[-2:] == ["resolved", "detected"]


def test_a_person_who_wants_it_tried_is_not_made_to_wait() -> None:
    case = Case()
    known = case.say(waiting(3000))
    case.book.said("retry", known, "ana", case.now)
    case.say(waiting(3000))
    assert case.tried() == ["resume_job"]


@pytest.mark.parametrize(
    ("category", "first"), [(Category.DISK_FULL, "free_disk"), (Category.AUTH, "stop_child")]
)
def test_what_has_to_be_mended_first_is_mended_at_once(category: Category, first: str) -> None:
    case = Case()
    case.say(waiting(30, category))
    case.now += 2
    assert case.tried() == [first]


def test_a_ladder_that_a_person_wrote_is_taken_as_it_stands() -> None:
    case = Case(timeout=(Rung("restart_child"),))
    case.say(waiting(30))
    assert case.tried() == ["restart_child"]


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "nan", "1e9", "٣"])
def test_what_is_no_time_is_no_promise(nonsense: str) -> None:
    case = Case()
    case.say(waiting(nonsense))
    case.now += 1
    assert case.tried() == ["resume_job"]


def test_nobody_promises_longer_than_an_hour() -> None:
    case = Case()
    case.say(waiting(999_999_999))
    assert case.book.next_due() == case.now + 3720
