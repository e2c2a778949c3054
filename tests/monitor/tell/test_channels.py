"""Chats that are gone, move or are full, and the other channels: the real process, a real server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import jsonschema
import pytest

from monitor.demo.botapi import bot_api
from monitor.model import Severity, Told
from monitor.tell.channels import Channels
from tests.monitor.tell.botapi import ADMIN, BotApi, Call, Handler, Server
from tests.monitor.tell.rig import Rig, telegram, until

OTHER = 5151
WELL = Told("child_started", "c01", facts=(("pid", "7"),))


def play(folder: Path, channels: Channels, story: Callable[[Rig], Awaitable[None]]) -> Rig:
    async def run() -> Rig:
        rig = Rig(folder, channels, patience=8.0)
        async with rig.running():
            await until(lambda: not rig.teller.board.letters, what=lambda: rig.diary)
            await story(rig)
            return rig

    return asyncio.run(run())


def to(api: BotApi, chat: int, word: str) -> list[Call]:
    sent = api.done("sendMessage")
    return [c for c in sent if c.fields["chat_id"] == str(chat) and word in c.text]


def refuses(chat: int, status: int, why: str, **parameters: Any) -> Callable[..., bool]:
    def fault(handler: Handler, call: Call) -> bool:
        if call.fields.get("chat_id") != str(chat):
            return False
        handler.refuse(status, why, **parameters)
        return True

    return fault


async def settled(rig: Rig) -> None:
    await until(
        lambda: not rig.teller.board.letters, what=lambda: (rig.diary, rig.teller.board.letters)
    )


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: user is deactivated"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (400, "Bad Request: chat not found"),
    ],
)
def test_a_chat_that_is_gone_is_left_alone_and_named_and_the_others_hear_all(
    tmp_path: Path, status: int, why: str
) -> None:
    with Server() as api:

        async def story(rig: Rig) -> None:
            api.fault = refuses(OTHER, status, why)
            rig.trouble("c01")
            await until(lambda: to(api, ADMIN, "c01"), what=lambda: rig.diary)
            await until(lambda: "The chat 5151 gets no alerts" in rig.diary, what=lambda: rig.diary)
            tried = len(api.calls)
            rig.trouble("c02")
            await until(lambda: to(api, ADMIN, "c02"))
            assert [c for c in api.calls[tried:] if c.fields.get("chat_id") == str(OTHER)] == []
            assert "vigia reload" in rig.diary
            api.fault = None
            rig.reload()
            rig.trouble("c03")
            await until(lambda: to(api, OTHER, "c03"))

        play(tmp_path, telegram(api.url, ADMIN, OTHER), story)


def test_a_group_that_became_a_supergroup_is_followed_also_by_the_next_monitor(
    tmp_path: Path,
) -> None:
    old, new = -55, -100777
    why = "Bad Request: group chat was upgraded to a supergroup chat"
    with Server() as api:

        async def story(rig: Rig) -> None:
            api.fault = refuses(old, 400, why, migrate_to_chat_id=new)
            rig.trouble("c01")
            await until(lambda: to(api, new, "c01"), what=lambda: rig.diary)
            assert len(to(api, new, "c01")) == 1
            assert "The chat -55 is -100777 now" in rig.diary
            rig.teller.heard(WELL)
            await until(lambda: to(api, new, "c01 resolved"))
            assert api.done("editMessageText")[-1].fields["chat_id"] == str(new)

        play(tmp_path, telegram(api.url, old), story)
        before = len(api.calls)

        async def later(rig: Rig) -> None:
            rig.trouble("c02")
            await until(lambda: to(api, new, "c02"))
            assert {c.fields["chat_id"] for c in api.calls[before:] if c.fields} == {str(new)}

        play(tmp_path, telegram(api.url, old), later)


def test_a_wait_that_telegram_asks_for_holds_for_every_chat_and_the_next_monitor(
    tmp_path: Path,
) -> None:
    with Server() as api:
        why = "Too Many Requests: retry after 120"

        async def story(rig: Rig) -> None:
            api.fault = refuses(ADMIN, 429, why, retry_after=120)
            rig.trouble("c01")
            await until(lambda: "asks to wait 120 s" in rig.diary, what=lambda: rig.diary)
            await until(lambda: not any(c.busy for c in rig.teller.delivery.channels.values()))
            tried = len(api.calls)
            rig.trouble("c02")
            await until(lambda: rig.teller.board.threads["child/c02"].post)
            assert rig.teller.delivery.may_go_within(100) is False
            assert len(api.calls) == tried

        play(tmp_path, telegram(api.url, ADMIN, OTHER), story)
        api.fault = None
        tried = len(api.calls)

        async def later() -> None:
            rig = Rig(tmp_path, telegram(api.url, ADMIN, OTHER))
            async with rig.running():
                assert rig.teller.delivery.may_go_within(100) is False
                assert rig.teller.delivery.may_go_within(121) is True

        asyncio.run(later())
        assert len(api.calls) == tried


def test_a_message_that_somebody_deleted_is_sent_anew(tmp_path: Path) -> None:
    with Server() as api:

        async def story(rig: Rig) -> None:
            rig.trouble("c01")
            await until(lambda: to(api, ADMIN, "c01"))
            await settled(rig)
            api.texts.clear()
            rig.teller.heard(WELL)
            await until(lambda: len(to(api, ADMIN, "RESOLVED · c01")) == 1, what=lambda: rig.diary)

        play(tmp_path, telegram(api.url), story)


def test_what_is_refused_for_good_is_not_tried_again_and_said(tmp_path: Path) -> None:
    with Server() as api:

        async def story(rig: Rig) -> None:
            api.fault = refuses(ADMIN, 400, "Bad Request: message text is empty")
            tried = len(api.calls)
            rig.trouble("c01")
            await until(lambda: "was not delivered" in rig.diary)
            assert len(api.calls) == tried + 1
            assert rig.teller.board.letters == {}

        play(tmp_path, telegram(api.url), story)


def test_a_hostile_line_is_text_and_nothing_else(tmp_path: Path) -> None:
    with Server() as api:

        async def story(rig: Rig) -> None:
            evil = '</b><a href="tg://x">& <pre> \u202e {why} %s \x1b[31m' + "<" * 5000
            facts = (("why", evil), ("path", "/x"))
            rig.heard(Told("gap", severity=Severity.WARNING, facts=facts))
            await until(lambda: to(api, ADMIN, "&lt;/b&gt;&lt;a href="), what=lambda: rig.diary)
            assert "\x1b" not in api.sent()[-1]
            assert "\u202e" not in api.sent()[-1]

        play(tmp_path, telegram(api.url), story)


# --- the other channels ------------------------------------------------------------------------


class Hook:
    """Takes JSON; answers as it is told to."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.answers: list[int] = []
        hook = self

        class Taker(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = hook.answers.pop(0) if hook.answers else 200
                if status == 200:
                    hook.got.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("Retry-After", "1")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


# What Alertmanager's documentation says its webhooks are sent.
ALERT = {
    "type": "object",
    "required": ["status", "labels", "annotations", "startsAt", "endsAt", "fingerprint"],
    "properties": {
        "status": {"enum": ["firing", "resolved"]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "startsAt": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT.*Z$"},
        "endsAt": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT.*Z$"},
    },
}
WEBHOOK = {
    "type": "object",
    "required": [
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels"),
        *("commonLabels", "commonAnnotations", "externalURL", "alerts"),
    ],
    "properties": {
        "version": {"const": "4"},
        "status": {"enum": ["firing", "resolved"]},
        "alerts": {"type": "array", "minItems": 1, "items": ALERT},
    },
}


def test_a_webhook_gets_what_alertmanager_would_send_and_is_tried_until_it_takes_it(
    tmp_path: Path,
) -> None:
    with Hook() as hook:

        async def story(rig: Rig) -> None:
            hook.answers = [500, 503, 429]
            hook.got.clear()
            rig.trouble("c01")
            await until(lambda: hook.got, what=lambda: rig.diary, seconds=60)
            rig.teller.heard(WELL)
            await until(lambda: len(hook.got) == 2, what=lambda: rig.diary)
            await settled(rig)

        rig = play(tmp_path, Channels(webhook=f"http://127.0.0.1:{hook.port}/x"), story)
        for body in hook.got:
            jsonschema.validate(body, WEBHOOK)
        firing, resolved = (body["alerts"][0] for body in hook.got)
        assert (firing["status"], resolved["status"]) == ("firing", "resolved")
        assert firing["fingerprint"] == resolved["fingerprint"]
        assert firing["labels"]["severity"] == "critical"
        assert firing["endsAt"].startswith("0001")
        assert "c01: given up" in firing["annotations"]["summary"]
        assert rig.teller.board.letters == {}


def test_apprise_gets_the_text_and_the_words_under_it(tmp_path: Path) -> None:
    with Hook() as hook:

        async def story(rig: Rig) -> None:
            hook.got.clear()
            rig.trouble("c01")
            await until(lambda: hook.got, what=lambda: rig.diary, seconds=60)
            rig.teller.heard(WELL)
            await until(lambda: len(hook.got) == 2, what=lambda: rig.diary, seconds=60)

        play(tmp_path, Channels(apprise=(f"json://127.0.0.1:{hook.port}/x",)), story)
        assert "CRITICAL · c01: given up" in hook.got[0]["title"]
        assert "c01 is broken" in hook.got[0]["message"]
        assert "c01 resolved after" in hook.got[1]["message"]


def test_a_channel_that_is_down_holds_up_no_other(tmp_path: Path) -> None:
    with Server() as api, Hook() as hook:
        channels = telegram(api.url)
        both = Channels(channels.token, api.url, channels.chats, "http://127.0.0.1:9/x")

        async def story(rig: Rig) -> None:
            rig.trouble("c01")
            await until(lambda: to(api, ADMIN, "c01"))
            await until(lambda: "webhook cannot be reached" in rig.diary)

        async def run() -> None:
            rig = Rig(tmp_path, both, patience=8.0)
            async with rig.running():
                await story(rig)

        asyncio.run(run())
        assert hook.got == []


# --- a Telegram that somebody else built -------------------------------------------------------


def test_a_person_sees_one_message_change_and_a_word_under_it(tmp_path: Path) -> None:
    with bot_api(tmp_path / "telegram") as api:
        ana = api.user("Ana")
        base = api.base_url.removesuffix("/bot")
        channels = Channels(api.token, base, (str(ana),))

        async def story(rig: Rig) -> None:
            rig.trouble("c01")
            await until(lambda: len(api.messages(ana)) == 2, what=lambda: rig.diary)
            await settled(rig)
            rig.teller.heard(WELL)
            await until(lambda: len(api.messages(ana)) == 3, what=lambda: rig.diary)
            await settled(rig)

        play(tmp_path, channels, story)
        _, told, word = sorted(api.messages(ana), key=lambda one: one.id)
        assert told.text.startswith("🟢 RESOLVED · c01")
        assert word.text.startswith("🟢 c01 resolved")
