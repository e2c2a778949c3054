"""`vigia log` and `vigia watch`: what a person sees in a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from monitor.follow.last import last_lines
from monitor.view.sparkline import sparkline
from monitor.view.standing import standing
from tests.monitor.vigia import Vigia, until, vigia

TOKEN = "123456789:" + "A" * 35
CHILD = f"""
import time
print("all is well", flush=True)
print("PermissionError: [Errno 13] Permission denied: '/srv/other/x.mp4'", flush=True)
print("a token \\x1b[31m {TOKEN}", flush=True)
time.sleep(1000)
"""


def running(v: Vigia, code: str = CHILD) -> Path:
    (v.home / "kid.py").write_text(code)
    v.start("--", sys.executable, str(v.home / "kid.py"))
    v.wait_state("running")
    return v.home / "logs" / "pipeline.log"


def test_a_log_is_shown_with_what_its_lines_mean_and_without_secrets(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        log = running(v)
        until(lambda: "token" in log.read_text())
        shown = v.run("log").stdout.splitlines()
        assert shown[0] == "all is well"
        assert shown[1].endswith("/srv/other/x.mp4'  ← permission (system.permission)")
        assert TOKEN not in shown[2]
        assert "\x1b" not in shown[2]
        assert v.run("log", "-n", "1").stdout.splitlines() == shown[2:]
        assert "started (pid" in v.run("log", "monitor").stdout
        assert v.run("log", "nobody").returncode == 1


def test_it_goes_on_across_a_rotation(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        log = running(v)
        command = v.command("log", "--home", str(tmp_path), "-f", "-n", "0")
        shown = tmp_path / "shown.txt"
        with shown.open("wb") as out, subprocess.Popen(command, stdout=out) as following:
            try:
                number = 0

                def seen(text: str) -> bool:
                    nonlocal number
                    number += 1
                    with log.open("a") as file:
                        file.write(f"{text} {number}\n")
                    return text in shown.read_text()

                until(lambda: seen("before"), 30)
                log.rename(tmp_path / "logs" / "pipeline.log.1")
                until(lambda: seen("after"), 30)
            finally:
                following.terminate()


def test_the_last_lines_of_a_file_of_any_shape(tmp_path: Path) -> None:
    file = tmp_path / "log"
    for content, count, wanted in [
        (b"", 3, []),
        (b"one", 3, [b"one"]),
        (b"one\ntwo\n", 1, [b"two"]),
        (b"one\ntwo", 2, [b"one", b"two"]),
        (b"x" * 200_000 + b"\nend\n", 2, [b"x" * 200_000, b"end"]),
        (b"a\n" * 100_000, 3, [b"a"] * 3),
        (b"a\n", 0, []),
    ]:
        file.write_bytes(content)
        assert last_lines(file, count) == wanted


def test_a_frame_shows_children_incidents_and_records(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        running(v)
        until(lambda: v.status().get("incidents"))
        done = v.run("watch", "--once")
        assert done.returncode == 0
        for word in ("pipeline", "running", "INC-1", "permission", "/srv/other/x.mp4"):
            assert word in done.stdout
        assert "\x1b" not in done.stdout


def test_without_a_monitor_it_says_so_and_shows_what_was_recorded(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        running(v)
        until(lambda: "INC-1" in v.run("events").stdout)
        v.end()
        done = v.run("watch", "--once")
        assert done.returncode == 1
        assert "INC-1" in done.stdout


def test_in_a_terminal_it_is_drawn_anew_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        running(v)
        master, slave = pty.openpty()
        command = v.command("watch", "--home", str(tmp_path), "--every", "0.2")
        environ = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
        with subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True
        ) as watching:
            os.close(slave)
            shown = b""
            while shown.count(b"pipeline") < 3:
                shown += os.read(master, 65536)
            watching.send_signal(2)
            while True:
                try:
                    if not os.read(master, 65536):
                        break
                except OSError:  # the other side is closed
                    break
            assert watching.wait(60) == 0
        os.close(master)
        assert b"\x1b[?1049h" in shown  # a screen of its own, given back at the end


def test_numbers_become_blocks() -> None:
    assert sparkline([]) == ""
    assert sparkline([None, None]) == ""
    assert sparkline([1, 1, 1]) == "▁▁▁"
    assert sparkline([0, None, 7]) == "▁ █"
    assert sparkline([100, 101], least_span=5) == "▁▁"


def test_that_nobody_is_told_or_not_yet_is_seen_at_a_glance() -> None:
    status = {"paused": None, "dry_run": False}
    quiet = {"to": ["telegram:7"], "waiting": 0, "oldest": None, "mutes": []}
    assert list(standing(status | {"alerts": quiet}, "en")) == []
    mutes = [{"what": "INC-1", "until": 0.0, "by": "ana\x1b[31m"}]
    trouble = {"to": [], "waiting": 3, "oldest": 720.0, "mutes": mutes}
    off, waiting, mute = standing(status | {"alerts": trouble}, "en")
    assert off.startswith("Alerts are off")
    assert waiting == "Alerts not sent yet: 3, the oldest for 12 min"
    assert "INC-1 (by ana\\x1b[31m)" in mute
