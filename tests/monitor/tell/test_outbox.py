from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.tell.answers import Answer, Came
from monitor.tell.outbox import (
    BackOff,
    Channel,
    Delivered,
    Doubt,
    Failed,
    Halt,
    Lost,
    Moved,
    Other,
    Refused,
    after,
    waiting,
)
from monitor.tell.words import Letter, Stage, Verb

SEND = Letter(1, 1, "telegram:1", Verb.SEND, 0.0, Stage.SENDING, tries=1)
EDIT = replace(SEND, verb=Verb.EDIT)
REPLY = replace(SEND, verb=Verb.REPLY)


@pytest.mark.parametrize(
    ("answer", "letter", "verdict"),
    [
        (Answer(Came.OK, message=7), SEND, Delivered(7)),
        (Answer(Came.NOT_MODIFIED), EDIT, Delivered(None)),
        (Answer(Came.RETRY_AFTER, seconds=245), SEND, Halt(245)),
        (Answer(Came.RETRY_AFTER, seconds=0.2), SEND, Halt(1)),
        (Answer(Came.RETRY_AFTER, seconds=1e9), SEND, Halt(3600)),
        (Answer(Came.MIGRATED, chat=-1001), SEND, Moved(-1001)),
        (Answer(Came.FORBIDDEN, why="blocked"), SEND, Lost("blocked")),
        (Answer(Came.CHAT_NOT_FOUND, why="gone"), EDIT, Lost("gone")),
        (Answer(Came.CANT_PARSE), SEND, Other(replace(SEND, plain=True, stage=Stage.WAITING))),
        (
            Answer(Came.EDIT_GONE),
            EDIT,
            Other(replace(EDIT, verb=Verb.SEND, stage=Stage.WAITING)),
        ),
        (Answer(Came.CANT_PARSE, why="?"), replace(SEND, plain=True), Failed("?")),
        (Answer(Came.BAD_REQUEST, why="too long"), SEND, Failed("too long")),
        (Answer(Came.EDIT_GONE, why="?"), SEND, Failed("?")),
        (Answer(Came.MAYBE, why="?"), SEND, Doubt("?")),
        (Answer(Came.MAYBE, why="?"), EDIT, BackOff("?")),
        (Answer(Came.NETWORK, why="refused"), SEND, BackOff("refused")),
        (Answer(Came.UNAUTHORIZED, why="401"), SEND, Refused("401")),
    ],
)
def test_each_answer_has_its_consequence(answer: Answer, letter: Letter, verdict: object) -> None:
    assert after(answer, letter) == verdict


def test_a_message_in_doubt_is_sent_again_at_most_three_times_and_a_reply_never() -> None:
    lost = Answer(Came.MAYBE, why="no answer")
    assert isinstance(after(lost, replace(SEND, tries=2)), Doubt)
    assert isinstance(after(lost, replace(SEND, tries=3)), Failed)
    assert isinstance(after(lost, REPLY), Failed)


@settings(deadline=None)
@given(
    st.builds(
        Answer,
        came=st.sampled_from(Came),
        message=st.none() | st.integers(),
        seconds=st.floats(0, 1e12),
        chat=st.none() | st.integers(),
        why=st.text(max_size=5),
    ),
    st.builds(
        Letter,
        id=st.just(1),
        post=st.just(1),
        lane=st.just("telegram:1"),
        verb=st.sampled_from(Verb),
        made=st.just(0.0),
        tries=st.integers(1, 5),
        plain=st.booleans(),
    ),
)
def test_no_answer_is_without_consequence_and_none_tries_the_same_for_ever_at_once(
    answer: Answer, letter: Letter
) -> None:
    verdict = after(answer, letter)
    if isinstance(verdict, Other):
        assert verdict.letter != letter
        again = after(answer, verdict.letter)
        assert not isinstance(again, Other)


def test_a_chat_has_one_word_a_second_and_one_at_a_time() -> None:
    channel = Channel()
    channel.went_well("a", 10.0)
    assert channel.free_in("a", 10.0) == 1.0
    assert channel.free_in("b", 10.0) == 0.0
    assert channel.free_in("a", 11.0) == 0.0
    channel.busy.add("a")
    assert channel.free_in("a", 99.0) == float("inf")


def test_an_outage_is_tried_ever_less_often_up_to_a_minute_and_never_in_step() -> None:
    channel, now, waits = Channel(), 0.0, []
    for number in range(12):
        channel.back_off(now, jitter=number % 2)
        waits.append(channel.free_in("a", now))
        now += waits[-1]
    assert waits[:4] == [0.75, 2.5, 3.0, 10.0]
    assert max(waits) <= 75
    assert waits[-1] >= 45
    channel.went_well("a", now)
    channel.back_off(now, jitter=0.5)
    assert channel.free_in("b", now) == 1.0


def test_many_chats_that_find_out_together_count_as_one_failure() -> None:
    channel = Channel()
    for _ in range(10):
        channel.back_off(5.0, jitter=0.5)
    assert channel.fails == 1


def test_a_wait_that_was_asked_for_holds_for_every_chat_and_is_never_shortened() -> None:
    channel = Channel()
    channel.halt(30.0, 0.0)
    channel.halt(3.0, 1.0)
    channel.back_off(2.0, 0.0)
    assert channel.free_in("any", 10.0) == 20.0


def test_the_order_within_a_chat_is_kept() -> None:
    letters = [replace(SEND, id=id, lane=lane) for id, lane in ((3, "a"), (1, "a"), (2, "b"))]
    assert {lane: one.id for lane, one in waiting(letters).items()} == {"a": 1, "b": 2}
