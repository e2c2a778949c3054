"""A person on Telegram and the whole monitor: buttons, commands, strangers, kills."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.botapi import BotApi, Shown, bot_api
from monitor.records.record import is_move
from tests.monitor import programs
from tests.monitor.test_heal import QUICK, WORKS, wait_for
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

pytestmark = pytest.mark.slow

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

    def alert_any(self) -> Shown:
        return self._fits("INC-1")[0]

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
    until(lambda: any(r["context"]["acked_by"] for r in records(story.v.home)))
    [acked] = [r for r in records(story.v.home) if r["context"]["said"] == "ack"]
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


def moves(story: Story) -> list[dict[str, Any]]:
    """What the incidents did; that somebody was told comes when it comes."""
    return list(filter(is_move, records(story.v.home)))


def test_forged_presses_do_nothing(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    good = story.data(alert, "Ack")
    before = moves(story)
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
    assert moves(story) == before
    assert "Acknowledged" not in story.now(alert).text
    assert story.starts() == 1


def test_strangers_get_nothing_and_are_counted(story: Story) -> None:
    story.begin(says(BROKEN))
    before = moves(story)
    for words in ("/status", "/stop kid", "/help", "hello"):
        story.api.write(story.eva, words)
    story.api.write(story.ana, "/status")
    shown = story.said("Vigía on")
    assert "kid" in shown.text
    assert "Strangers who wrote: 4" in shown.text
    assert story.api.said(story.eva) == []
    assert story.v.child("kid")["state"] == "running"
    assert moves(story) == before
    assert story.v.diary().count("Strangers write") == 1


def group_of(story: Story) -> int:
    group = story.api.group("Guardia", status="administrator")
    story.env(ADMIN_ID=f"{story.ana},{group}")
    return group


def test_a_stranger_in_the_group_gets_no_answer_and_moves_nothing(story: Story) -> None:
    story.v.configure(QUICK + SOON + says(BROKEN))
    group = group_of(story)
    story.start()
    alert = story.api.wait_message(group, lambda m: "INC-1" in m.text and bool(m.buttons), 60)
    foreign = story.api.press(story.eva, alert, "✅ Ack")
    mine = story.api.press(story.ana, alert, "✅ Ack")
    until(lambda: story.toast(mine) is not None, 30, what=story.v.text)
    assert "acknowledged by Ana" in str(story.toast(mine))
    assert story.toast(foreign) is None
    acked = [
        r["context"]["acked_by"] for r in records(story.v.home) if r["context"]["said"] == "ack"
    ]
    assert acked == [f"Ana (Telegram {story.ana})"]
    # and what was good in one chat is nothing in another
    private = story.alert_any()
    data = story.data(alert, "Ack")
    assert "none of mine" in story.press(private, data=data)


def test_a_stop_is_final_also_for_the_next_monitor_and_is_not_done_twice(story: Story) -> None:
    story.begin(says(BROKEN))
    story.api.write(story.ana, "/stop kid")
    story.said("kid: stopped")
    story.v.process.send_signal(signal.SIGKILL)
    story.v.process.wait()
    story.v.start()
    story.v.wait_state("stopped", "kid")
    story.listening()
    assert story.starts() == 1
    story.api.write(story.ana, "/start")
    assert "/restart" in story.said("Orders").text
    assert story.v.child("kid")["state"] == "stopped", "Telegram's own button starts nobody"
    story.api.write(story.ana, "/start kid")
    story.v.wait_state("running", "kid")


SLOW = "[children.kid.stop]\ntimeout = 5\n"


def test_a_monitor_killed_in_the_middle_of_a_restart_does_not_begin_it_again(story: Story) -> None:
    story.begin(one(programs.sh("echo $$ >> starts; trap '' TERM; sleep 1000 & wait; wait")) + SLOW)
    story.api.write(story.ana, "/restart kid")
    question = story.said("Restart kid?")
    yes = story.data(question, "Yes")
    story.press(question, "Yes, restart")
    until(lambda: "restart kid" in story.v.diary(), 30)
    story.v.process.send_signal(signal.SIGKILL)
    story.v.process.wait()
    story.start()
    assert story.starts() == 2, "what was left of it is ended, and it is started once"
    refused = story.press(question, data=yes)
    assert "used" in refused or "no longer" in refused
    assert story.starts() == 2
    assert story.v.diary().count("By Telegram") == 1


def test_what_was_pressed_while_nobody_listened_is_refused(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    story.v.process.send_signal(signal.SIGKILL)
    story.v.process.wait()
    number = story.api.press(story.ana, alert, "✅ Ack")
    story.v.start()
    until(lambda: story.toast(number) is not None, 60, what=story.v.text)
    assert "not listening" in str(story.toast(number))
    assert not any(r["context"]["acked_by"] for r in records(story.v.home))
    story.listening()
    assert "acknowledged" in story.press(story.now(alert), "✅ Ack"), "pressed again it counts"


def test_a_log_is_sent_without_secrets(story: Story) -> None:
    other = "987654321:BBH-other-other-other-other-other-1"
    story.begin(
        says(BROKEN, f"GET /bot{other}/x", "password=hunter2canary", "key opaque-canary-77")
    )
    story.env(AI_API_KEY="opaque-canary-77")
    assert story.v.run("reload").returncode == 0
    story.listening()
    story.api.write(story.ana, "/log kid")
    shown = story.said("kid: last")
    assert "ffmpeg" in shown.text
    assert "[hidden]" in shown.text
    story.press(story.alert(), "📜 Log")
    until(lambda: len(story._fits("kid: last")) == 2, 30)
    everything = json.dumps(story.api.requests("sendMessage"))
    for secret in (other, "hunter2canary", "opaque-canary-77"):
        assert secret not in everything


def test_a_mute_by_button_is_one_of_the_monitor_and_shows_who(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    assert "INC-1" in story.press(alert, "🔕 8 h")
    until(lambda: "mute 8h: Ana" in story.now(alert).text, 30, what=lambda: story.now(alert).text)
    assert "INC-1" in story.v.run("unmute").stdout


def test_repairs_go_on_while_telegram_answers_nothing(story: Story) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:  # takes connections, and that is all
        story.v.configure(QUICK + SOON + one(programs.python(WORKS)))
        url = f"http://127.0.0.1:{hole.getsockname()[1]}"
        story.env(TELEGRAM_BOT_API_LOCAL_URL=url)
        story.v.start()
        wait_for(story.v, "resolved")
    assert story.api.requests() == []


@pytest.mark.parametrize(
    ("fault", "says_so"),
    [("conflict", "Another one listens"), ("unauthorized", "Telegram refuses MONITOR")],
)
def test_who_may_not_listen_says_so_once(story: Story, fault: str, says_so: str) -> None:
    method = "getUpdates" if fault == "conflict" else "*"
    story.api.fault(fault, method=method, times=1000)
    story.v.configure(QUICK + SOON + says())
    story.env()
    story.v.start()
    until(lambda: says_so in story.v.diary(), 60, what=story.v.text)
    count = len(story.polls())
    story.v.run("status")
    assert story.v.diary().count(says_so) == 1
    assert count <= 4, "and there is no storm"


def test_two_tokens_of_one_bot_leave_the_listening_to_the_child(story: Story) -> None:
    story.v.configure(QUICK + SOON + says(BROKEN))
    story.env(TELEGRAM_TOKEN=story.api.token)
    story.v.start()
    story.said("INC-1")
    assert "Remote control is off" in story.v.diary()
    assert story.polls() == []
    assert not any(m.buttons for m in story.api.said(story.ana))


def test_what_a_repair_moved_away_is_put_back_by_its_button(story: Story) -> None:
    film = story.v.home / "modelos" / "clip.mp4"
    film.parent.mkdir()
    film.write_bytes(b"half")
    line = f"ERROR video check failed: {film}: moov atom not found"
    story.begin("[ladders]\ncorrupt_file = [{do = 'quarantine'}]\n" + says(line))
    until(lambda: any("Put back" in b for m in story._fits("INC-1") for b in m.buttons), 60)
    assert not film.exists()
    alert = story._fits("INC-1")[0]
    put_back = story.data(alert, "Put back")
    story.press(alert, "↩️ Put back")
    story.said("Back where it was")
    assert film.read_bytes() == b"half"
    until(lambda: "put_back: Ana" in story.now(alert).text, 30, what=lambda: story.now(alert).text)
    assert not any("Put back" in b for b in story.now(alert).buttons)
    film.write_bytes(b"new")
    assert "used" in story.press(alert, data=put_back)
    assert film.read_bytes() == b"new"


def test_retry_is_the_terminals_retry_and_a_word_there_is_shown_here(story: Story) -> None:
    # nobody listens at that address: the ladder ends, and a person is needed
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    line = f"redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:{port}. Connection refused."
    once = "[ladders]\nserver_down = [{do = 'probe_server', attempts = 1}]\n"
    story.begin(once + says(line))
    wait_for(story.v, "failed")
    until(lambda: "🔁 Retry now" in story.alert().buttons, 30)
    alert = story.alert()
    assert "INC-1" in story.press(alert, "🔁 Retry now")
    until(lambda: "retry: Ana" in story.now(alert).text, 30, what=lambda: story.now(alert).text)
    tried = [r for r in records(story.v.home) if r["context"]["said"] == "retry"]
    assert [r["context"]["by"] for r in tried] == [f"Ana (Telegram {story.ana})"]


def test_each_command_answers_in_the_language_of_the_alerts(story: Story) -> None:
    story.v.configure("lang = 'es'\n" + QUICK + SOON + says(BROKEN))
    story.env()
    story.start()
    story.said("INC-1")
    for command, answer in (
        ("/status", "Vigía en"),
        ("/incidents", "INC-1 kid"),
        ("/events", "INC-1"),
        ("/log", "últimas"),
        ("/digest", "Resumen de"),
        ("/help", "Órdenes"),
        ("/mute 1h", "1 h 00 min"),
        ("/unmute", "*"),
        ("/pause 2h", "paus"),
        ("/resume", "Reparaciones"),
        ("/retry 99", "INC-99"),
        ("/ack 1", "INC-1"),
        ("/stop nobody", "No hay ningún hijo nobody"),
        ("/dance", "No conozco /dance"),
        ("hola", "Solo entiendo órdenes"),
    ):
        count = len(story.texts())
        story.api.write(story.ana, command)
        fits = lambda n=count, a=answer: any(a in t for t in story.texts()[n:])  # noqa: E731
        until(fits, 30, what=lambda c=command: (c, story.texts()[-1]))
    until(lambda: story.api.requests("setMyCommands"), 30)
    menu = story.api.requests("setMyCommands")[0]["params"]
    assert str(story.ana) in menu["scope"]
    assert "cómo va todo" in json.dumps(json.loads(menu["commands"]), ensure_ascii=False)


def test_the_process_that_listens_may_be_killed(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    command = f"/proc/{story.v.process.pid}/task/{story.v.process.pid}/children"
    for pid in map(int, Path(command).read_text().split()):
        if b"monitor.telegram" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    assert "acknowledged by Ana" in story.press(alert, "✅ Ack")


def test_a_question_may_be_answered_before_we_know_that_it_was_sent(story: Story) -> None:
    story.begin(says())
    story.said("is on watch")
    story.api.fault("wait", method="sendMessage", when="after", **{"for": 3})
    story.api.write(story.ana, "/restart kid")
    question = story.said("Restart kid?")
    story.press(question, "No")
    until(lambda: "is not restarted" in story.now(question).text, 30, what=story.texts)
    assert story.now(question).buttons == []
    assert story.starts() == 1


def test_an_outage_is_said_once_and_heard_again_after_it(story: Story) -> None:
    story.begin(says(BROKEN))
    alert = story.alert()
    story.api.stop()
    until(lambda: "Telegram is not heard" in story.v.diary(), 60, what=story.v.text)
    story.api.start()
    until(lambda: "Telegram is heard again" in story.v.diary(), 90, what=story.v.text)
    story.listening()
    assert "acknowledged by Ana" in story.press(story.now(alert), "✅ Ack")
    assert story.v.diary().count("Telegram is not heard") == 1
