"""The whole monitor when things go wrong with the telling itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.monitor import programs
from tests.monitor.tell.botapi import ADMIN, TOKEN, BotApi, Call, Handler, Server
from tests.monitor.tell.test_story import SOON, about, configure, says
from tests.monitor.test_heal import QUICK, WORKS, states, wait_for
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

pytestmark = pytest.mark.slow


def sits(handler: Handler, call: Call) -> bool:
    """Takes the question and never answers."""
    handler.api.closing.wait(60)
    handler.close_connection = True
    return True


def headed(api: BotApi, word: str) -> list[str]:
    return [text for text in api.sent() if word in text.splitlines()[0]]


def test_no_repair_waits_for_who_is_told(tmp_path: Path) -> None:
    # by the order of events: all of the repair is done while the first message still hangs
    with Server() as api, vigia(tmp_path) as v:
        api.fault = sits
        # something is being told before the trouble begins
        configure(
            v,
            api,
            QUICK
            + SOON
            + one(programs.sh("while [ ! -e go ]; do sleep 0.05; done; exec python3 work.py")),
        )
        (tmp_path / "work.py").write_text(WORKS)
        v.start()
        until(lambda: api.calls, 60, what=v.text)
        (tmp_path / "go").touch()
        wait_for(v, "resolved")
        assert states(v) == ["detected", "fixing", "retrying", "resolved"]
        assert api.done() == [], "nobody has been told anything yet"
        api.fault = None
        api.closing.set()


def test_what_was_decided_is_told_once_by_the_next_monitor_after_a_kill(tmp_path: Path) -> None:
    server = Server()
    with server as api, vigia(tmp_path) as v:
        server.down()
        configure(v, api, QUICK + SOON + says("bash: ffmpeg: command not found"))
        v.start()
        until(lambda: records(v.home), 60, what=v.text)
        v.process.send_signal(signal.SIGKILL)
        v.process.wait()
        server.up()
        v.start()
        until(lambda: about(api, "INC-1"), 60, what=v.text)
        assert v.end() == 0
        assert len(headed(api, "INC-1")) == 1, api.sent()


def test_a_kill_in_the_middle_of_sending_makes_one_duplicate_at_most_and_it_says_so(
    tmp_path: Path,
) -> None:
    with Server() as api, vigia(tmp_path) as v:
        delivered = threading.Event()

        def loses(handler: Handler, call: Call) -> bool:
            if "INC-1" not in call.text or delivered.is_set():
                return False
            api.do(call)
            delivered.set()
            return sits(handler, call)

        api.fault = loses
        configure(v, api, QUICK + SOON + says("bash: ffmpeg: command not found"))
        v.start()
        until(delivered.is_set, 60, what=v.text)
        v.process.send_signal(signal.SIGKILL)
        v.process.wait()
        v.start()
        until(lambda: len(headed(api, "INC-1")) == 2, 60, what=v.text)
        assert v.end() == 0
        first, second = headed(api, "INC-1")
        assert "you may have this already" in second
        assert "you may have this already" not in first


def test_the_end_waits_for_the_last_word_only_for_a_while(tmp_path: Path) -> None:
    server = Server()
    with server as api, vigia(tmp_path) as v:
        configure(v, api, SOON + one(programs.SLEEPS))
        v.start()
        until(api.sent, 60, what=v.text)
        assert "is on watch" in api.sent()[0]
        api.fault = sits
        began = time.monotonic()
        assert v.end() == 0
        assert time.monotonic() - began < 19
        api.fault = None
        v.start()
        until(lambda: len(api.sent()) >= 2, 60, what=v.text)
        assert "Vigía stops" in api.sent()[1], "the next start says it"
        v.wait_state("running", "kid")
        assert v.end() == 0
        starts = [text for text in api.sent() if "is on watch" in text]
        assert len(starts) == 1, "a start is told once per version and configuration"


def everything_in(home: Path) -> bytes:
    """All that people read of it; the state and `.env` are the monitor's own."""
    files = [f for f in (home / "logs").rglob("*") if f.is_file()]
    mine = [f for f in files if f.name != "kid.log"]
    return b"".join(f.read_bytes() for f in [*mine, home / "output.txt"])


def test_a_token_that_a_child_prints_is_in_no_alert_no_record_and_no_diary(tmp_path: Path) -> None:
    other = "987654321:BBH-other-other-other-other-other-1"
    line = f"ERROR httpx.ConnectError: https://api.telegram.org/bot{TOKEN}/x?k={other}: Connection refused"
    with Server() as api, vigia(tmp_path) as v:
        toml = QUICK + SOON + one(programs.sh(f"echo '{line}'; exec sleep 1000"))
        configure(v, api, toml)
        v.start()
        until(lambda: about(api, "INC-1"), 60, what=v.text)
        v.run("reload")
        assert v.end() == 0
        for secret in (TOKEN, other):
            assert secret not in "".join(call.text for call in api.calls)
            assert secret.encode() not in everything_in(tmp_path)


@pytest.mark.parametrize(
    ("env", "says_so"),
    [
        ("", "Alerts are off: put TELEGRAM_TOKEN and ADMIN_ID into .env"),
        (f"TELEGRAM_TOKEN={TOKEN}\n", "Alerts are off: there is a token, but no ADMIN_ID"),
        (f"TELEGRAM_TOKEN=hello\nADMIN_ID={ADMIN}\n", "the token has not the form"),
    ],
)
def test_without_a_way_to_tell_one_line_says_how_to_make_one(
    tmp_path: Path, env: str, says_so: str
) -> None:
    with vigia(tmp_path) as v:
        v.configure(one(programs.SLEEPS))
        (tmp_path / ".env").write_text(env)
        v.start()
        v.wait_state("running", "kid")
        assert v.diary().count(says_so) == 1
        assert v.end() == 0


def test_an_admin_who_is_no_number_is_named_before_anything_starts(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure("[alerts]\nquiet = 'night'\nzone = 'Mars/Base'\n" + one(programs.SLEEPS))
        (tmp_path / ".env").write_text(f"TELEGRAM_TOKEN={TOKEN}\nADMIN_ID=@ana, 7\n")
        v.start()
        assert v.process.wait(60) == 2
        said = v.text()
        assert 'ADMIN_ID must be numeric Telegram ids separated by commas, not "@ana"' in said
        assert 'alerts.quiet: must be hours like "23:00-07:00", not "night"' in said
        assert 'alerts.zone: must be an IANA zone like "Europe/Madrid"' in said
        assert TOKEN not in said


def test_the_commands_of_alerts(tmp_path: Path) -> None:
    with Server() as api, vigia(tmp_path) as v:
        configure(v, api, QUICK + SOON + says("bash: ffmpeg: command not found"))
        tried = v.run("alert", "test")
        assert (tried.returncode, tried.stdout) == (0, f"telegram:{ADMIN}: sent\n"), tried.stderr
        assert "this is how alerts arrive" in api.sent()[0]
        v.start()
        until(lambda: records(v.home), 60, what=v.text)
        shown = v.run("alert", "preview", "INC-1")
        assert "INC-1" in shown.stdout.splitlines()[0]
        assert "<b>" in v.run("alert", "preview", "1", "--html").stdout
        assert v.run("alert", "preview", "INC-99").returncode == 1
        assert "muted for 8 h" in v.run("mute", "kid", "--for", "8h").stdout
        assert v.run("unmute").stdout == "heard again: kid\n"
        assert v.run("unmute", "kid").returncode == 1
        assert v.end() == 0
    (tmp_path / ".env").write_text("")
    assert v.run("alert", "test").returncode == 2


def helpers(v: Vigia) -> list[int]:
    found = Path(f"/proc/{v.process.pid}/task/{v.process.pid}/children").read_text().split()
    return [
        int(pid)
        for pid in found
        if b"monitor.telegram" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_killing_the_sending_process_at_its_work_loses_nothing_and_harms_nobody(
    tmp_path: Path,
) -> None:
    with Server() as api, vigia(tmp_path) as v:
        killed: list[int] = []

        def kills(handler: Handler, call: Call) -> bool:
            """Who asks is dead before it has its answer, three times."""
            if len(killed) >= 3:
                return False
            for pid in helpers(v):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            return True

        api.fault = kills
        configure(v, api, QUICK + SOON + says("bash: ffmpeg: command not found"))
        v.start()
        until(lambda: headed(api, "INC-1"), 60, what=v.text)
        assert len(set(killed)) >= 3
        assert v.child("kid")["starts"] == 1
        assert v.end() == 0
