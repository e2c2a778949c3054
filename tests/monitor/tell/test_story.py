"""A fault, and what the admin sees of it: the whole monitor, its real process that sends."""

from __future__ import annotations

import socket
from pathlib import Path

from monitor.records.record import is_move
from tests.monitor import programs
from tests.monitor.tell.botapi import ADMIN, TOKEN, BotApi, Call, Handler, Server
from tests.monitor.test_heal import QUICK, wait_for
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

SOON = "[alerts]\ngroup = 0\nedit_every = 0\ndigest = ''\n"


def env(api: BotApi, **more: str) -> str:
    given = {
        "TELEGRAM_TOKEN": TOKEN,
        "ADMIN_ID": str(ADMIN),
        "USE_LOCAL_BOT_API": "1",
        "TELEGRAM_BOT_API_LOCAL_URL": api.url,
    }
    return "".join(f"{name}={value}\n" for name, value in (given | more).items())


def configure(v: Vigia, api: BotApi, toml: str, **more: str) -> None:
    v.configure(toml)
    (v.home / ".env").write_text(env(api, **more))


def about(api: BotApi, word: str) -> list[str]:
    return [text for text in api.sent() if word in text]


# A server that is asked again and again until the test lets it answer.
PROBES = "per_target = 1000\nactions = 1000\n[ladders]\nserver_down = [{do = 'probe_server', attempts = 1000, delay = 0.5, max_delay = 0.5}]\n"


def says(line: str) -> str:
    return one(programs.sh(f"echo '{line}'; exec sleep 1000"))


def refused(port: int) -> str:
    return f"redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:{port}. Connection refused."


def test_a_fault_is_one_message_edited_until_it_is_resolved_and_a_silent_reply(
    tmp_path: Path,
) -> None:
    with Server() as api, vigia(tmp_path) as v, socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        configure(v, api, QUICK + PROBES + SOON + says(refused(server.getsockname()[1])))
        v.start()
        until(lambda: about(api, "INC-1"), 60, what=v.text)
        [message] = [call for call in api.done("sendMessage") if "INC-1" in call.text]
        first = message.text.splitlines()[0]
        assert "CRITICAL" in first
        assert "INC-1" in first
        assert message.fields["disable_notification"] in ("false", "False")
        server.listen()
        wait_for(v, "resolved")
        until(lambda: len(about(api, "INC-1")) == 2, 60, what=lambda: (api.calls, v.text()))
        reply = api.done("sendMessage")[-1]
        assert reply.fields["disable_notification"] in ("true", "True")
        assert f'"message_id": {message.message}' in reply.fields["reply_parameters"]
        assert "answers" in reply.text
        until(lambda: "🟢" in api.texts[message.message].splitlines()[0])
        assert "also open: 0" in api.texts[message.message]
        assert v.end() == 0
        assert "stops" in api.sent()[-1]
        assert TOKEN not in v.diary() + v.text()
        to = f"telegram:{ADMIN}"
        assert telling(v) == [("told", to, f"told to {to}"), ("told", to, f"told to {to}")]
        assert v.run("explain", "INC-1").stdout.count(f"told to {to}") == 2


def telling(v: Vigia) -> list[tuple[str, str, str]]:
    """What the records say of who was told, or could not be, and why."""
    found = [record for record in records(v.home) if not is_move(record)]
    return [(one["context"]["said"], one["context"]["by"], one["message"]) for one in found]


def test_the_records_say_whom_an_alert_did_not_reach_and_why(tmp_path: Path) -> None:
    def gone(handler: Handler, call: Call) -> bool:
        if call.fields.get("chat_id") != "77":
            return False
        handler.refuse(403, "Forbidden: bot was blocked by the user")
        return True

    with Server() as api, vigia(tmp_path) as v:
        api.fault = gone
        configure(
            v, api, QUICK + SOON + says("bash: ffmpeg: command not found"), ADMIN_ID=f"{ADMIN},77"
        )
        v.start()
        until(lambda: len(telling(v)) == 2, 60, what=v.text)
        assert v.end() == 0
        assert sorted(telling(v)) == [
            (
                "not_told",
                "telegram:77",
                "could not be told to telegram:77: Forbidden: Forbidden: bot was blocked by the user",
            ),
            ("told", f"telegram:{ADMIN}", f"told to telegram:{ADMIN}"),
        ]
