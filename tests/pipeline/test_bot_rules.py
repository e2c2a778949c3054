"""What belongs together, what a poll came to, what a time means: decisions, told as stories."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.bot.letter import read_letter
from pipeline.bot.moment import read_moment
from pipeline.bot.trouble import Came, Failed, Kind, Trouble, after
from pipeline.bot.turn import Thing, Turn, question_for, wording
from pipeline.bot.window import Item, Rules, Window, joined, opened, over, takes
from pipeline.bot.wording import SAYS, fitting
from pipeline.config import read_settings
from pipeline.model import JobState, JobView, SettingsError

RULES = Rules()


def written(times: list[float], rules: Rules = RULES, albums: str = "") -> list[int]:
    """How many messages each batch holds when they come at these times."""
    sizes: list[int] = []
    window: Window | None = None
    for number, now in enumerate(times):
        item = Item(album=albums[number].strip() if albums else "")
        if window is not None and takes(window, item, now, rules):
            window = joined(window, item, now, rules)
            sizes[-1] += 1
        else:
            window = opened(item, now, rules)
            sizes.append(1)
    return sizes


def test_each_message_begins_the_wait_anew() -> None:
    assert written([0, 12, 24, 36]) == [4]


def test_after_twelve_and_a_half_quiet_seconds_the_next_one_is_another_batch() -> None:
    assert written([0, 12.4, 24.9, 25]) == [2, 2]


def test_after_sixty_seconds_it_is_closed_whatever_comes() -> None:
    assert written([float(n * 8) for n in range(9)]) == [8, 1]


def test_the_tenth_message_closes_it_at_once() -> None:
    window = opened(Item(), 0, RULES)
    for now in range(1, 10):
        window = joined(window, Item(), now, RULES)
    assert over(window, 9, RULES)
    assert written([float(n) for n in range(12)]) == [10, 2]


def test_an_album_is_never_torn_apart() -> None:
    assert written([n * 0.1 for n in range(13)], albums="     aaaaaaaa") == [13]
    assert written([n * 0.1 for n in range(15)], albums="     aaaaaaaabb") == [13, 2]


def test_what_is_said_in_another_chat_is_another_batch() -> None:
    assert not takes(opened(Item(chat=1), 0, RULES), Item(chat=2), 1, RULES)


def test_a_clock_that_was_set_back_leaves_no_batch_open_for_hours() -> None:
    assert over(opened(Item(), 7200, RULES), 0, RULES)
    assert not over(opened(Item(), 7200, RULES), 7199, RULES)


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60))
def test_whatever_comes_nothing_is_lost_and_no_batch_is_too_long(gaps: list[float]) -> None:
    times = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    sizes = written(times)
    assert sum(sizes) == len(times)
    assert max(sizes) <= RULES.most
    first = 0
    for size in sizes:
        assert times[first + size - 1] - times[first] <= RULES.longest
        first += size


def story(outcomes: list[Came | Failed], step: float = 5.0) -> tuple[list[str], list[float]]:
    trouble, lines, waits = Trouble(), list[str](), list[float]()
    for number, outcome in enumerate(outcomes):
        told = after(trouble, outcome, number * step)
        trouble = told.trouble
        waits.append(told.wait)
        lines += [f"{line.level} {line.event}" for line in told.lines]
    return lines, waits


def test_an_outage_is_one_line_when_it_begins_and_one_when_it_ends() -> None:
    away = Failed(Kind.AWAY, "ConnectError")
    lines, waits = story([Came(), *[away] * 12, Came(), Came()])
    assert lines == ["warning poll.waiting", "info poll.back"]
    assert waits[1] == 1.0
    assert waits == [*sorted(waits[:13]), 0.0, 0.0]
    assert max(waits) == 30.0


def test_a_revoked_token_is_said_again_every_five_minutes() -> None:
    lines, _ = story([Failed(Kind.UNAUTHORIZED, "no")] * 130)
    assert lines == ["error poll.failed"] * 3


def test_two_pollers_that_take_turns_are_one_conflict_until_it_is_calm() -> None:
    turns = [Failed(Kind.CONFLICT, "other"), Came()] * 6
    lines, waits = story([*turns, *[Came()] * 12])
    assert lines == ["error poll.failed", "info poll.back"]
    assert waits[10] > waits[0]


def test_a_flood_waits_what_telegram_says() -> None:
    assert story([Failed(Kind.FLOOD, "429", 245.0)])[1] == [245.0]


def test_another_trouble_in_the_middle_of_one_is_said() -> None:
    lines, _ = story([Failed(Kind.AWAY, "x"), Failed(Kind.UNAUTHORIZED, "y"), Came()])
    assert lines == ["warning poll.waiting", "error poll.failed", "info poll.back"]


MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=MADRID).timestamp()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("now", NOON),
        ("+2h", NOON + 7200),
        ("+30m", NOON + 1800),
        ("18:30", NOON + 6.5 * 3600),
        ("11:00", NOON + 23 * 3600),
        ("2026-11-21 12:00", NOON + 86400),
        ("2026-11-19 12:00", None),
        ("25:00", None),
        ("mañana", None),
        ("+99999d", NOON + 99999 * 86400.0),
        ("", None),
    ],
)
def test_a_time_as_people_write_it(text: str, at: float | None) -> None:
    assert read_moment(text, NOON, MADRID) == at


def test_files_without_a_word_are_asked_about_once_and_in_the_words_of_the_modelo() -> None:
    silent = [Thing("photo", job="a"), Thing("photo", job="b")]
    assert question_for(silent, ["¿Dónde es?"], "es") == "¿Dónde es?"
    assert question_for(silent, [], "en").startswith("What is it about?")
    assert question_for([*silent, Thing("text", "la playa")], ["¿Dónde es?"], "es") == ""
    assert question_for([Thing("text", "hola")], ["¿Dónde es?"], "es") == ""


def test_the_answer_counts_what_came_and_tells_each_file() -> None:
    things = (Thing("photo", job="a"), Thing("text", "x"), Thing("video", job="b", name="c.mp4"))
    views = {
        "a": JobView("a", JobState.SUCCEEDED, 100, "", "terminado"),
        "b": JobView("b", JobState.FAILED, 10, "", "[Errno 28] No space left on device"),
    }
    text = wording(Turn(things, "es"), views)
    assert text.splitlines() == [
        "He recibido un texto, una foto y un vídeo.",
        "1. foto · 100 % · terminado",
        "2. vídeo c.mp4 · parado; se está reparando",
    ]


@given(st.text(max_size=9000))
def test_no_answer_is_longer_than_telegram_takes(text: str) -> None:
    assert len(fitting(text).encode("utf-16-le", "replace")) // 2 <= 4096


def test_everything_is_said_in_both_languages_with_the_same_blanks() -> None:
    for word, (spanish, english) in SAYS.items():
        blanks = [
            sorted(part.split("}")[0] for part in s.split("{")[1:]) for s in (spanish, english)
        ]
        assert blanks[0] == blanks[1], word


def message(**more: object) -> dict[str, object]:
    person = {"id": 5, "is_bot": False, "first_name": "Ana"}
    base = {"message_id": 9, "date": 1, "from": person, "chat": {"id": 5, "type": "private"}}
    return {"update_id": 1, "message": base | more}


def test_a_command_is_a_word_behind_a_slash_and_nothing_else() -> None:
    def command(text: str) -> tuple[str, str]:
        letter = read_letter(message(text=text))
        assert letter is not None
        return letter.command, letter.words

    assert command("/forget@vigia_bot  7 ") == ("forget", "7")
    assert command("/ hola") == ("", "hola")
    assert command("/../etc") == ("", "")
    assert command("/START")[0] == "start"


def test_what_no_database_can_hold_is_left_out_of_a_text() -> None:
    letter = read_letter(message(text="a\0b\ud83dc"))
    assert letter is not None
    assert letter.text == "ab?c"


def test_places_and_stickers_are_kept_as_what_they_are_and_joins_are_not() -> None:
    place = read_letter(message(location={"latitude": 36.5, "longitude": -6.2}))
    assert place is not None
    assert (place.shape, place.text) == ("location", "36.5 -6.2")
    assert read_letter(message(new_chat_members=[{"id": 6}])) is None
    assert read_letter({"update_id": 2, "channel_post": {"message_id": 1}}) is None


def test_a_token_that_is_none_is_a_wrong_configuration_and_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(tmp_path, {"TELEGRAM_TOKEN": "secret-canary"})
    assert "TELEGRAM_TOKEN" in str(raised.value)
    assert "canary" not in str(raised.value)
