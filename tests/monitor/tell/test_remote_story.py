"""A person on Telegram and the whole monitor: buttons, commands, strangers, kills."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.botapi import BotApi, Shown, bot_api
from tests.monitor import programs
from tests.monitor.test_heal import QUICK, records
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, until, vigia

SOON = "[alerts]\ngroup = 0\nedit_every = 0\ndigest = ''\n"
BROKEN = "bash: ffmpeg: command not found"


def says(*lines: str) -> str:
    said = "".join(f"echo '{line}'; " for line in lines)
    return one(programs.sh(f"echo $$ >> starts; {said}exec sleep 1000"))


@dataclass
class Story:
    """Ana is the admin; Eva is not."""

    api: BotApi
    v: Vigia
    ana: int
    eva: int

    def env(self, **more: str) -> None:
        known = {
            "MONITOR_TELEGRAM_TOKEN": self.api.token,
            "ADMIN_ID": str(self.ana),
            "USE_LOCAL_BOT_API": "1",
            "TELEGRAM_BOT_API_LOCAL_URL": self.api.url,
        }
        text = "".join(f"{name}={value}\n" for name, value in (known | more).items())
        (self.v.home / ".env").write_text(text)

    def begin(self, toml: str) -> None:
        self.v.configure(QUICK + SOON + toml)
        self.env()
        self.start()

    def start(self) -> None:
        self.v.start()
        self.v.wait_state("running", "kid")
        self.listening()

    def listening(self) -> None:
        """It waits in a long poll: what is pressed from now on is heard at once."""
        count = len(self.api.requests("getUpdates"))
        until(lambda: len(self.polls()) > count or self.polls_long(), 60, what=self.v.text)
        until(self.polls_long, 60, what=self.v.text)

    def polls(self) -> list[dict[str, Any]]:
        return self.api.requests("getUpdates")

    def polls_long(self) -> bool:
        return any(bot["polled"] for bot in self.api._get("state")["bots"])

    def alert(self, word: str = "INC-1") -> Shown:
        return self.api.wait_message(self.ana, lambda m: word in m.text and bool(m.buttons), 60)

    def now(self, message: Shown) -> Shown:
        [found] = [m for m in self.api.messages(message.chat) if m.id == message.id]
        return found

    def press(self, message: Shown, button: str = "", *, data: str = "") -> str:
        """What the toast said."""
        number = self.api.press(self.ana, message, button, data=data)
        until(lambda: self.toast(number) is not None, 30, what=self.v.text)
        return str(self.toast(number))

    def toast(self, number: str) -> str | None:
        [press] = [p for p in self.api.presses() if p["query"]["id"] == number]
        return None if press["answer"] is None else press["answer"]["text"]

    def data(self, message: Shown, button: str) -> str:
        rows = message.message["reply_markup"]["inline_keyboard"]
        [data] = [b["callback_data"] for row in rows for b in row if button in b["text"]]
        return str(data)

    def starts(self) -> int:
        file = self.v.home / "starts"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def said(self, words: str) -> Shown:
        until(lambda: self._fits(words), 60, what=lambda: (self.texts(), self.v.text()))
        return self._fits(words)[-1]

    def _fits(self, words: str) -> list[Shown]:
        return [m for m in self.api.said(self.ana) if words in m.text]

    def texts(self) -> list[str]:
        return [m.text for m in self.api.said(self.ana)]


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    home = tmp_path / "home"
    home.mkdir()
    with contextlib.ExitStack() as stack:
        api = stack.enter_context(bot_api(tmp_path))
        v = stack.enter_context(vigia(home))
        yield Story(api, v, api.user("Ana"), api.user("Eva"))


def test_ack_under_an_alert_is_recorded_and_shown_with_who_it_was(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    assert [name for name in alert.buttons if "Ack" in name]
    assert "INC-1" in story.press(alert, "✅ Ack")
    until(lambda: "Acknowledged by Ana" in story.now(alert).text, 30, what=story.v.text)
    until(lambda: any(r["context"]["acked_by"] for r in records(story.v)))
    [acked] = [r for r in records(story.v) if r["context"]["said"] == "ack"]
    assert acked["context"]["acked_by"] == f"Ana (Telegram {story.ana})"
    # told only, and seen: nobody needs to think of it, so there is nothing left to press
    until(lambda: story.now(alert).buttons == [], 30, what=story.v.text)


def test_an_ack_at_the_terminal_changes_the_message_too(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    assert story.v.run("incidents", "ack", "1").returncode == 0
    until(lambda: "Acknowledged by" in story.now(alert).text, 30, what=story.v.text)
    until(lambda: story.now(alert).buttons == [], 30)


def test_restart_asks_once_more_and_is_done_once(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    assert story.starts() == 1
    story.press(alert, "♻️ Restart")
    question = story.said("Restart kid?")
    assert story.starts() == 1, "nothing is done before the answer"
    yes = story.data(question, "Yes")
    story.press(question, "Yes, restart")
    story.said("(pid ")
    until(lambda: story.starts() == 2)
    until(lambda: "Ana" in story.now(question).text and not story.now(question).buttons, 30)
    until(lambda: "restart: Ana" in story.now(alert).text, 30, what=lambda: story.now(alert).text)
    refused = story.press(question, data=yes)
    assert "used" in refused or "no longer" in refused
    assert story.v.child("kid")["starts"] == 2
    assert story.starts() == 2
    assert f"By Telegram, Ana (Telegram {story.ana}): restart kid" in story.v.diary()


def test_a_question_that_is_answered_with_no_restarts_nobody(story: Story) -> None:
    story.begin(says())
    story.api.write(story.ana, "/restart kid")
    question = story.said("Restart kid?")
    story.press(question, "No")
    until(lambda: "is not restarted" in story.now(question).text, 30)
    assert story.starts() == 1


def test_forged_presses_do_nothing(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    good = story.data(alert, "Ack")
    before = records(story.v)
    mac = good.rsplit("|", 1)[1]
    swapped = "b" if mac[0] != "b" else "c"
    for forged in (
        good.replace(mac, swapped + mac[1:]),
        good.replace("|a|", "|r|"),
        "a1|a|1|0|zzzz|" + "A" * 16,
        "ack:1",
        "a1|" + "é" * 20,
    ):
        said = story.press(alert, data=forged)
        assert "none of mine" in said or "no longer know" in said, forged
    assert records(story.v) == before
    assert "Acknowledged" not in story.now(alert).text
    assert story.starts() == 1


def test_strangers_get_nothing_and_are_counted(story: Story) -> None:
    story.begin(says(BROKEN))
    before = records(story.v)
    for words in ("/status", "/stop kid", "/help", "hello"):
        story.api.write(story.eva, words)
    story.api.write(story.ana, "/status")
    shown = story.said("Vigía on")
    assert "kid" in shown.text
    assert "Strangers who wrote: 4" in shown.text
    assert story.api.said(story.eva) == []
    assert story.v.child("kid")["state"] == "running"
    assert records(story.v) == before
    assert story.v.diary().count("Strangers write") == 1
