"""What is looked at without a log line: disks, the local Bot API server; real mounts, real sockets."""

from __future__ import annotations

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.heal.room import Room, Volume
from monitor.options import Disk
from monitor.safe.paths import Failed, Space, free_space
from tests.monitor import programs
from tests.monitor.faults import (
    QUICK,
    give_job,
    notes,
    of,
    settle_in,
    story,
    wait_for,
    worker,
)
from tests.monitor.test_run import one
from tests.monitor.vigia import records, until, vigia
from tests.monitor.volumes import fill, tmpfs

GB, MB = 1 << 30, 1 << 20
OFTEN = "[disk]\nevery = 0.2\n"


def volume(free: int, total: int, inodes: int | None = None, inodes_total: int = 0) -> Volume:
    return Volume("/home", Space(free, total, inodes, inodes_total), Disk())


@pytest.mark.parametrize(
    ("free", "total", "low", "full"),
    [
        (74 * GB, 252 * GB, False, False),
        (4 * GB, 252 * GB, True, False),
        (1 * GB, 252 * GB, True, True),
        (3 * GB, 40 * GB, True, False),
        (600 * MB, 1 * GB, False, False),  # a small disk is not for ever critical
        (200 * MB, 1 * GB, True, False),
        (50 * MB, 1 * GB, True, True),
        (700_000, 1 * MB, False, False),
    ],
)
def test_a_disk_is_judged_by_marks_that_fit_its_size(
    free: int, total: int, low: bool, full: bool
) -> None:
    assert (volume(free, total).is_low, volume(free, total).is_full) == (low, full)


def test_a_disk_may_be_full_of_files_and_one_that_counts_none_is_not() -> None:
    assert volume(74 * GB, 252 * GB, inodes=50, inodes_total=16_000_000).is_full
    assert volume(74 * GB, 252 * GB, inodes=5_000, inodes_total=16_000_000).is_low
    assert not volume(74 * GB, 252 * GB, inodes=50, inodes_total=64).is_low
    assert not volume(74 * GB, 252 * GB).is_low


def test_what_was_told_is_over_only_clearly_above_the_mark() -> None:
    just_above = volume(5 * GB + MB, 252 * GB)
    assert not just_above.is_low
    assert not just_above.is_calm
    assert volume(6 * GB, 252 * GB).is_calm
    assert not volume(2 * GB + MB, 252 * GB).has_room


def test_a_mark_of_nothing_is_never_reached() -> None:
    space = Space(0, 252 * GB, 0, 16_000_000)
    never = Volume("/home", space, Disk(warn=0, critical=0))
    assert (never.is_low, never.is_full, never.is_calm) == (False, False, True)


def test_a_disk_that_hangs_holds_one_thread_and_nobody_else(tmp_path: Path) -> None:
    dead = threading.Event()
    asked = []

    def measure(place: str) -> Space | Failed:
        if place == "/dead":
            asked.append(place)
            dead.wait()
        return free_space(place)

    async def story() -> None:
        room = Room(Disk(), [str(tmp_path), "/dead"], measure, patience=0.2)
        for _ in range(5):
            volumes, silent = await room.volumes()
            assert [each.path for each in volumes] == [str(tmp_path)]
            assert [each.at for each in silent] == ["/dead"]
        assert len(asked) == 1
        beats = 0
        looking = asyncio.ensure_future(room.volumes())
        while not looking.done():
            await asyncio.sleep(0.01)
            beats += 1
        assert beats > 5  # the loop went on meanwhile
        dead.set()
        while (await room.volumes())[1]:
            await asyncio.sleep(0.01)

    asyncio.run(story())


def test_places_on_one_disk_are_one_volume(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with tmpfs(tmp_path / "modelos") as other:
        room = Room(Disk(), [str(tmp_path), str(tmp_path / "data"), str(other), "/no/such/place"])

        async def look() -> None:
            volumes, silent = await room.volumes()
            assert [each.path for each in volumes] == [str(tmp_path), str(other)]
            assert silent == []
            named = await room.of("modelos/victor/x.mp4")
            assert named is not None
            assert named.path == str(other)

        asyncio.run(look())


def test_a_low_disk_is_told_once_and_resolved_when_there_is_room(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "modelos", "size=8m") as small, vigia(tmp_path) as v:
        fill(small / "user.bin", leave=3 * MB // 2)  # under a quarter, above a tenth
        v.configure(QUICK + OFTEN + one(programs.SLEEPS))
        v.start()
        told = wait_for(v, state="alert_only", subject=str(small))
        assert (told["rule"], told["severity"]) == ("vigia.disk_low", "warning")
        assert told["source"]["file"] == "check:disk"
        assert "1.5 MB of 8.0 MB are free" in told["source"]["line"]
        looks = time.monotonic() + 1.0
        until(lambda: time.monotonic() > looks)
        assert len(of(tmp_path, subject=str(small))) == 1
        (small / "user.bin").unlink()
        over = wait_for(v, state="resolved", subject=str(small))
        assert "8.0 MB of 8.0 MB are free" in over["message"]
        assert (small / "user.bin").exists() is False


def test_a_full_disk_holds_the_intake_until_a_person_makes_room(tmp_path: Path) -> None:
    """Nothing of ours is there to be freed: work waits, and goes on by itself afterwards."""
    settle_in(tmp_path)
    ladder = "[ladders]\ndisk_full = [{do = 'free_disk', attempts = 2, delay = 0.1}]\n"
    with tmpfs(tmp_path / "modelos", "size=8m") as small, vigia(tmp_path) as v:
        (small / "victor").mkdir()
        v.configure(QUICK + OFTEN + ladder + worker())
        v.start()
        v.wait_state("running", "kid")
        fill(small / "user.bin")
        failed = wait_for(v, state="failed", rule="vigia.disk_full")
        assert notes(tmp_path)[-1] == "pause"
        v.run("restart", "kid")  # a new run knows nothing of it and is told again
        until(lambda: notes(tmp_path) == ["started", "pause"] * 2, what=v.text)
        give_job(tmp_path, "j1", "store")
        (small / "user.bin").unlink()
        over = wait_for(v, state="resolved", incident=failed["incident"])
        assert "are free" in over["message"]
        until((small / "victor" / "j1.mp4").exists, what=v.text)
        assert notes(tmp_path)[-1] == "resume"


class Bot(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()
        self.wfile.write(b'{"ok":false,"error_code":404,"description":"Not Found"}')

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def bot_api(port: int = 0) -> Iterator[int]:
    """What a Bot API server says to somebody who asks for nothing."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Bot) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_the_local_bot_api_server_is_missed_without_a_line_and_welcomed_back(
    tmp_path: Path,
) -> None:
    settle_in(tmp_path)
    with vigia(tmp_path) as v:
        with bot_api() as port:
            url = f"http://127.0.0.1:{port}"
            (tmp_path / ".env").write_text(
                f"USE_LOCAL_BOT_API=true\nTELEGRAM_BOT_API_LOCAL_URL={url}\n"
            )
            ladder = "[ladders]\nserver_down = [{do = 'probe_server', attempts = 2, delay = 0.1}]\n"
            never = "[disk]\nevery = 0.2\nwarn = 0\ncritical = 0\n"
            v.configure(QUICK + ladder + never + worker())
            v.start()
            v.wait_state("running", "kid")
            until(lambda: "INFO ready" in v.text())
            assert records(tmp_path) == []
        failed = wait_for(v, state="failed")
        assert (failed["rule"], failed["subject"]) == ("vigia.bot_api_down", url)
        assert failed["source"]["file"] == "check:bot_api"
        assert "Connection refused" in failed["source"]["line"]
        assert notes(tmp_path)[-1] == "pause"
        with bot_api(port):
            wait_for(v, state="resolved", incident=failed["incident"])
            until(lambda: notes(tmp_path)[-1] == "resume", what=v.text)
        assert story(tmp_path, failed["incident"])[0] == "detected"


def test_without_the_setting_no_server_is_asked_for(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        (tmp_path / ".env").write_text("TELEGRAM_BOT_API_LOCAL_URL=http://127.0.0.1:1\n")
        v.configure(QUICK + "[disk]\nevery = 0.1\nwarn = 0\ncritical = 0\n" + one(programs.SLEEPS))
        v.start()
        v.wait_state("running", "kid")
        looks = time.monotonic() + 3.0
        until(lambda: time.monotonic() > looks)
        assert records(tmp_path) == []
