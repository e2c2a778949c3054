"""Killed while people write: no message is lost, none is treated twice, none is answered twice."""

from __future__ import annotations

import contextlib
import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from pipeline.store.tables import Batch, Inbox, Media, Memory, Reply
from tests.pipeline.chats import Chat, chat, photo

pytestmark = pytest.mark.slow


def campaign(c: Chat, messages: int, kills: int, seed: int) -> None:
    """Every fifth message is a photo; people write on while nobody is there to read."""
    chance = random.Random(seed)
    people = [c.ana] + [c.api.user(name, language_code="en") for name in ("Eva", "Leo")]
    for user, name in zip(people[1:], ("eva", "leo"), strict=True):
        c.home.modelo(name, telegram_user_id=user, posting={"targets": []})
    at = sorted(chance.sample(range(1, messages), kills))
    c.home.start()
    for number in range(messages):
        user = chance.choice(people)
        if number % 5 == 4:
            c.api.send(user, "photo", data=photo(number))
        else:
            c.api.write(user, f"mensaje {number}")
        if number in at:
            assert c.home.process is not None
            # From before it is ready to the middle of an answer; the moment is the point.
            with contextlib.suppress(Exception):
                c.home.process.wait(chance.uniform(0.0, 3.0))
            c.home.process.send_signal(signal.SIGKILL)
            c.home.process.wait()
            c.home.start()
    photos = len(range(4, messages, 5))
    c.wait(lambda: not c.api.pending() and all_told(c, photos), 200)
    whole(c, messages)


def all_told(c: Chat, photos: int) -> bool:
    with contextlib.suppress(Exception):  # its tables may not be there yet
        return (
            bool(c.rows(Batch))
            and {one.state for one in c.rows(Batch)} == {"done"}
            and {one.state for one in c.rows(Inbox)} == {"done"}
            and not {one.state for one in c.rows(Reply)} & {"pending", "sending"}
            # An answer whose message is gone ends its batch before the files are through.
            and [one.state for one in c.rows(Media)] == ["stored"] * photos
        )
    return False


def whole(c: Chat, messages: int) -> None:
    memories, batches, replies = c.rows(Memory), c.rows(Batch), c.rows(Reply)
    assert len(memories) == messages
    texts = sorted(one.text for one in memories if one.kind == "text")
    assert texts == sorted(f"mensaje {n}" for n in range(messages) if n % 5 != 4)
    assert Counter(one.batch_id for one in memories) == {one.id: one.count for one in batches}
    photos = [n for n in range(messages) if n % 5 == 4]
    assert {one.state for one in c.rows(Media)} == {"stored"}
    assert len(c.rows(Media)) == len(photos)
    answers = [one for one in replies if not one.key.endswith(":end")]
    assert {one.batch_id for one in answers} == {one.id for one in batches}
    assert len(answers) == len(batches)
    said = sum(len(c.said(user)) for user in {one.chat_id for one in replies})
    known = sum(one.state == "sent" for one in replies)
    unknown = sum(one.state == "unknown" for one in replies)
    assert known <= said <= known + unknown
    assert known + unknown == len(replies)
    for user in {one.user_id for one in memories}:
        order = [one.message_id for one in memories if one.user_id == user]
        assert order == sorted(order)


def test_40_messages_and_5_kills_leave_40_memories_and_no_answer_twice(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        campaign(c, 40, 5, seed=3)


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.timeout(900)
def test_300_messages_and_40_kills_leave_300_memories_and_no_answer_twice(
    tmp_path: Path, database_url: str
) -> None:
    with chat(tmp_path, DATABASE_URL=database_url) as c:
        campaign(c, 300, 40, seed=4)
