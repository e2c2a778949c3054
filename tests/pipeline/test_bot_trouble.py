"""Telegram refuses, floods, hangs and goes away: said once, waited out, nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
from pathlib import Path

import pytest

from monitor.demo.botapi import bot_api
from pipeline.bot.poll import Poll
from pipeline.bot.trouble import Came, Failed, Kind
from pipeline.config import Settings
from pipeline.store.tables import Inbox, Memory, Reply
from tests.pipeline.chats import Chat, chat
from tests.pipeline.telegram import lines

pytestmark = pytest.mark.slow


def intake(c: Chat) -> str:
    return str(c.home.ask("GET", "/health")[1]["intake"]["state"])


def test_a_revoked_token_is_an_error_and_mends_by_itself(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.wait(lambda: intake(c) == "ok")
        c.api.revoke()
        c.wait(lambda: lines(c.home, "poll.failed"))
        (line,) = lines(c.home, "poll.failed")
        assert ' ERROR pipeline.poll event=poll.failed error="Unauthorized: ' in line
        assert intake(c) == "unauthorized"
        assert c.home.ask("GET", "/health")[1]["age"] < 30
        assert c.api.token not in c.home.text()
        c.api.write(c.ana, "hola")
        c.api.revoke(revoked=False)
        c.wait_said("un texto")
        assert len(lines(c.home, "poll.back")) == 1
        assert c.home.process is not None
        assert c.home.process.poll() is None


def test_a_401_that_getme_does_not_confirm_is_only_an_outage(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.wait(lambda: intake(c) == "ok")
        c.api.fault("unauthorized", method="getUpdates")
        c.api.write(c.ana, "hola")
        c.wait_said("un texto")
        c.api.write(c.ana, "otra vez")
        c.wait(lambda: lines(c.home, "poll.back"))
        assert not lines(c.home, "poll.failed")
        assert len(lines(c.home, "poll.waiting")) == 1


def test_an_outage_is_two_lines_and_loses_nothing(tmp_path: Path) -> None:
    with chat(tmp_path, process=True) as c:
        c.home.ready()
        c.api.write(c.ana, "hola")
        c.wait(lambda: intake(c) == "ok")
        c.api.kill()
        c.wait(lambda: intake(c) == "away")
        c.wait(lambda: lines(c.home, "poll.waiting"))
        c.api.start()
        c.api.write(c.ana, "ya estoy")
        c.wait(lambda: len(c.rows(Memory)) == 2)
        c.wait(lambda: intake(c) == "ok")
        assert len(lines(c.home, "poll.waiting")) == len(lines(c.home, "poll.back")) == 1
        assert f"url={c.api.url}" in lines(c.home, "poll.waiting")[0]


def test_a_poll_that_hangs_is_given_up_and_the_next_one_is_good(tmp_path: Path) -> None:
    async def story(poll: Poll) -> list[object]:
        outcomes = [await poll.once(None, 0) for _ in range(2)]
        await poll.close()
        return list(outcomes)

    with bot_api(tmp_path) as api:
        api.fault("hang", method="getUpdates")
        settings = Settings(home=tmp_path, token=api.token, api=api.url)
        hung, good = asyncio.run(story(Poll(settings, within=0.5)))
        assert isinstance(hung, Failed)
        assert hung.kind is Kind.AWAY
        assert good == Came()


def test_a_second_poller_is_named_and_outlived(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.wait(lambda: intake(c) == "ok")
        c.api.wait_polled()
        _poll_once(c)
        c.wait(lambda: lines(c.home, "poll.failed"))
        assert "Conflict: terminated by other getUpdates request" in c.home.text()
        c.api.write(c.ana, "hola")
        c.wait_said("un texto")


def _poll_once(c: Chat) -> None:
    """As another copy of the bot would, for a moment."""

    def poll() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", c.api.port, timeout=10)
            connection.request("GET", f"/bot{c.api.token}/getUpdates?timeout=1")
            connection.getresponse().read()
            connection.close()

    thread = threading.Thread(target=poll)
    thread.start()
    thread.join()


def test_a_flood_holds_back_replies_and_loses_none(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.api.fault("flood", method="sendMessage", retry_after=2, times=1)
        c.home.ready()
        c.api.write(c.ana, "/help")
        c.wait_said("/memories")
        first, second = c.api.requests("sendMessage")
        assert (first["status"], second["status"]) == (429, 200)
        assert second["at"] - first["at"] >= 2


def test_a_reply_whose_answer_was_lost_is_not_sent_again(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.api.fault("drop", method="sendMessage", when="after")
        c.home.ready()
        c.api.write(c.ana, "/start")
        c.wait(lambda: [one.state for one in c.rows(Reply)] == ["unknown"])
        c.api.write(c.ana, "/help")
        c.wait_said("/memories")
        assert sum("Hola, Ana" in text for text in c.said()) == 1


def test_somebody_who_blocked_the_bot_holds_up_nobody(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        eva = c.api.user("Eva")
        c.home.modelo("eva", telegram_user_id=eva)
        c.home.ready()
        c.api.write(eva, "hola")
        c.api.block(eva)
        c.wait(lambda: [one.state for one in c.rows(Reply)] == ["failed"])
        c.api.write(c.ana, "hola")
        c.wait_said("un texto")
        assert len(c.rows(Memory)) == 2


def test_updates_that_make_no_sense_are_kept_and_hold_up_nobody(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        odd = {"from": {"id": c.ana}, "chat": {"id": "nobody"}, "message_id": 1, "text": "x"}
        body = {"user_id": c.ana, "updates": [{"update_id": 1, "message": odd}]}
        assert c.home.ask("POST", "/webhook/batch", body)[0] == 202
        c.api.write(c.ana, "\U0001f600 <b>'; drop table memory; --</b> %s {x} \\n")
        c.wait_said("un texto")
        assert c.rows(Memory)[0].text.startswith("\U0001f600 <b>'; drop table")
        assert sorted(one.state for one in c.rows(Inbox)) == ["done", "failed"]
        assert len(lines(c.home, "update.failed")) == 1


def test_a_telegram_that_swallows_what_is_said_holds_up_neither_intake_nor_files(
    tmp_path: Path,
) -> None:
    with chat(tmp_path) as c:
        people = [c.api.user(f"U{n}") for n in range(12)]
        for number, user in enumerate(people):
            c.home.modelo(f"u{number}", telegram_user_id=user)
        c.api.fault("hang", method="sendMessage", times=100)
        c.home.ready()
        for user in people:
            c.api.write(user, "hola")
        c.wait(lambda: sum(one.state == "sending" for one in c.rows(Reply)) >= 8)
        c.home.drop("a.bin", b"dropped")
        c.wait(c.home.kept)
        c.api.write(c.ana, "sigo")
        c.wait(lambda: len(c.rows(Memory)) == 13)
        assert c.home.ask("GET", "/health")[1]["age"] < 10


def test_while_telegram_wants_silence_nothing_is_edited_either(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.api.fault("flood", method="sendMessage", retry_after=3, skip=1)
        c.api.fault("pace", method="download", pace=100_000)
        c.api.send(c.ana, "document", data=bytes(range(250)) * 2400, name="a.bin", caption="c")
        c.wait_said("un documento")
        c.api.write(c.ana, "/help")
        c.wait(lambda: [r for r in c.api.requests("sendMessage") if r["status"] == 429])
        c.wait_said("/memories")
        (flooded,) = [r for r in c.api.requests("sendMessage") if r["status"] == 429]
        edits = [r["at"] - flooded["at"] for r in c.api.requests("editMessageText")]
        assert not [late for late in edits if 1.0 < late < 3.0], edits
        c.wait_said("terminado", seconds=90)
