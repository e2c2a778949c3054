"""What counts as a press of ours, and what a text orders: decisions without any edge."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tell.incoming import incoming
from monitor.tell.orders import COMMANDS, Order, Wrong, is_fresh, parsed
from monitor.tell.presses import FRESH, Bad, Good, Key, Mark, Seal, age_of, is_let_in
from monitor.tell.secret import secret_at

SEAL = Seal(b"s" * 32)
MARK = Mark(7, 1_790_000_000.25, "4242")
WALL = 1_790_000_100.0


def judged(data: str, *, mark: Mark | None = MARK, used: int = 0, age: float = 1.0, wall: float = WALL,
           seal: Seal = SEAL) -> Good | Bad:  # fmt: skip
    return seal.judge(data, lambda _: mark, lambda _key, _post: used, age, wall)


@pytest.mark.parametrize("key", Key)
def test_every_button_of_ours_is_known_again_and_fits(key: Key) -> None:
    data = SEAL.data(key, Mark(10**12, MARK.made, "-1009999999999"), 46_655, WALL)
    assert len(data.encode()) <= 64
    assert judged(SEAL.data(key, MARK, 0, WALL)) == Good(key, 7)


@given(st.integers(0, 63), st.integers(1, 255))
def test_no_changed_letter_makes_another_button(at: int, by: int) -> None:
    data = SEAL.data(Key.ACK, MARK, 0, WALL)
    at %= len(data)
    changed = data[:at] + chr(ord(data[at]) ^ by) + data[at + 1 :]
    assert isinstance(judged(changed), Bad)


@given(st.text(max_size=64))
def test_whatever_comes_is_judged(data: str) -> None:
    assert isinstance(judged(data), Bad)


def test_a_button_is_good_in_its_message_its_chat_its_home_and_its_day_only() -> None:
    data = SEAL.data(Key.RETRY, MARK, 0, WALL)
    assert judged(data, mark=Mark(7, MARK.made, "99")) == Bad("press_unknown")
    assert judged(data, mark=Mark(7, MARK.made + 1, "4242")) == Bad("press_unknown")
    assert judged(data, seal=Seal(b"t" * 32)) == Bad("press_unknown")
    assert judged(data, mark=None) == Bad("press_gone")
    assert judged(data, wall=WALL + 26 * 3600) == Bad("press_expired")
    assert judged(data, wall=WALL + 23 * 3600) == Good(Key.RETRY, 7)


def test_what_acts_is_good_once_and_what_only_looks_is_good_again() -> None:
    assert judged(SEAL.data(Key.RETRY, MARK, 0, WALL), used=1) == Bad("press_used")
    assert judged(SEAL.data(Key.RETRY, MARK, 1, WALL), used=1) == Good(Key.RETRY, 7)
    assert judged(SEAL.data(Key.LOG, MARK, 0, WALL), used=1) == Good(Key.LOG, 7)


def test_a_press_that_may_be_older_than_a_minute_does_nothing() -> None:
    data = SEAL.data(Key.YES, MARK, 0, WALL)
    assert judged(data, age=FRESH) == Good(Key.YES, 7)
    assert judged(data, age=FRESH + 0.1) == Bad("press_late")
    assert judged(data, age=age_of(None, 5.0)) == Bad("press_late"), "nobody knows since when"
    assert age_of(100.0, 103.0) == 3.0


def test_a_text_is_fresh_by_when_we_listened_or_by_its_date() -> None:
    assert is_fresh(30.0, WALL - 9999, WALL), "our clock may be wrong"
    assert is_fresh(float("inf"), WALL - 59, WALL)
    assert not is_fresh(61.0, WALL - 61, WALL)
    assert not is_fresh(float("inf"), WALL + 9999, WALL)


@pytest.mark.parametrize(
    ("user", "chat", "let_in"),
    [
        (4242, 4242, True),
        (4242, -100, True),
        (7, -100, False),  # a stranger in our group
        (4242, -200, False),  # one of us in a strange group
        (0, -100, False),  # who speaks for a channel
        (7, 7, False),
    ],
)
def test_person_and_chat_are_both_on_the_list(user: int, chat: int, let_in: bool) -> None:
    assert is_let_in(user, chat, ("4242", "-100")) is let_in


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("/status", Order("status")),
        ("/STATUS", Order("status")),
        ("/restart", Order("restart")),
        ("/restart bot", Order("restart", ("bot",))),
        ("/restart all", Order("restart")),
        ("/restart nobody", Wrong("order_no_child", "nobody")),
        ("/start", Order("help")),  # what Telegram's own button says
        ("/start bot", Order("start", ("bot",))),
        ("/start all", Order("start")),
        ("/mute", Order("mute")),
        ("/mute 8h", Order("mute", lasts=28800.0)),
        ("/mute 8h inc-017", Order("mute", what="INC-17", lasts=28800.0)),
        ("/mute bot 90m", Order("mute", what="bot", lasts=5400.0)),
        ("/mute 0s", Wrong("order_no_time", "0")),
        ("/unmute 17", Order("unmute", what="INC-17")),
        ("/pause 2h", Order("pause", lasts=7200.0)),
        ("/pause later", Wrong("order_no_time", "later")),
        ("/retry 17", Order("retry", ids=(17,))),
        ("/retry", Wrong("order_no_id", "retry")),
        ("/retry bot", Wrong("order_no_id", "retry")),
        ("/log", Order("log", ("bot",))),
        ("/log monitor", Order("log", ("monitor",))),
        ("/log ../../etc/passwd", Wrong("order_no_child", "../../etc/passwd")),
        ("/rm -rf", Wrong("order_unknown", "/rm")),
        ("hello /stop", None),
        ("", None),
    ],
)
def test_a_text_is_an_order_or_says_what_is_wrong(text: str, order: object) -> None:
    assert parsed(text, ["bot", "worker"]) == order


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    parsed(text, ["bot"])
    parsed(f"/{text}", [])
    for name in COMMANDS:
        parsed(f"/{name} {text}", ["bot"])


MESSAGE = {
    "message_id": 3,
    "date": 1_790_000_000,
    "from": {"id": 4242, "first_name": "Ana"},
    "chat": {"id": 4242, "type": "private"},
}


def test_an_update_that_nobody_understands_still_has_its_number() -> None:
    for odd in (
        {},
        {"message": None},
        {"message": {}},
        {"message": MESSAGE | {"from": None}},
        {"callback_query": {"id": "1", "from": {"id": 4242}}},  # of a message too old to be shown
        {"edited_message": MESSAGE},
    ):
        update = incoming({"update_id": 9, **odd})
        assert (update.update, update.user) == (9, 0)


def test_a_command_for_another_bot_is_not_for_us() -> None:
    def said(text: str) -> str:
        return incoming({"update_id": 1, "message": MESSAGE | {"text": text}}, "Vigia_bot").text

    assert said("/stop@vigia_bot kid") == "/stop kid"
    assert said("/stop@other_bot kid") == ""
    assert said("/stop kid@home") == "/stop kid@home"


def test_who_speaks_for_a_channel_is_nobody() -> None:
    spoken = MESSAGE | {"sender_chat": {"id": -100}, "text": "/stop"}
    assert incoming({"update_id": 1, "message": spoken}).user == 0


def test_the_secret_is_kept_for_us_alone_and_any_other_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "buttons.key"
    secret = secret_at(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert secret_at(file) == secret
    file.chmod(0o640)  # somebody may have read it
    other = secret_at(file)
    assert other != secret
    assert secret_at(file) == other
    file.write_bytes(b"short")
    assert len(secret_at(file)) == 32
    file.unlink()
    victim = tmp_path / "victim"
    victim.write_bytes(b"v" * 32)
    os.symlink(victim, file)
    assert secret_at(file) != b"v" * 32
    assert victim.read_bytes() == b"v" * 32
    file.unlink()
    file.mkdir()
    assert len(secret_at(file)) == 32, "one that cannot be kept is good for this run"
