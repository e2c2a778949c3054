"""Six faults, each real: noticed from the child's own words, repaired, proved, the job gone through.

With `-s` a table says how long each took, from the child's line on.
"""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

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
from tests.monitor.vigia import Vigia, until, vigia
from tests.monitor.volumes import fill, tmpfs

pytestmark = pytest.mark.slow

NOBODY = 65534
FAST = "[ladders]\nserver_down = [{do = 'probe_server', attempts = 30, delay = 0.2, max_delay = 0.2}]\n"
TABLE: list[tuple[str, float, float, float]] = []


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that every user may enter, as tmp_path is not."""
    top = Path(tempfile.mkdtemp(prefix="vigia-six-"))
    top.chmod(0o755)
    yield top
    shutil.rmtree(top, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    print(f"\n{'fault':<14}{'noticed after':>15}{'repaired after':>16}{'proved after':>14}")
    for fault, *times in TABLE:
        print(f"{fault:<14}" + "".join(f"{time:>13.2f} s" for time in times))


@contextmanager
def at_work(home: Path, settings: str = "", child: str = "") -> Iterator[Vigia]:
    settle_in(home)
    (home / "notes.txt").touch(0o666)
    (home / "notes.txt").chmod(0o666)
    (home / "inbox").chmod(0o777)
    with vigia(home) as v:
        v.configure(QUICK + settings + worker(child))
        v.start()
        v.wait_state("running", "kid")
        until(lambda: "INFO ready" in v.text())
        yield v


def went_through(v: Vigia, fault: str, category: str, job: str) -> dict[str, Any]:
    """The records tell the whole story, and the job's file is there; the repair's record."""
    over = wait_for(v, 40, state="resolved", category=category)
    told = of(v.home, incident=over["incident"])
    assert told[0]["state"] == "detected"
    assert story(v.home, over["incident"])[-2:] == ["retrying", "resolved"]
    repair = next(record for record in told if record["state"] == "retrying")
    assert repair["outcome"]["result"] == "done"
    assert f"job {job} succeeded" in repair["outcome"]["proof"] + repair["outcome"]["detail"]
    assert repair["context"]["job"] == job
    assert f"job={job}" in repair["source"]["line"]
    assert (v.home / "modelos" / "victor" / f"{job}.mp4").stat().st_size > 0
    assert v.run("events", "verify").returncode == 0
    TABLE.append((fault, *_times(v, told, repair, over)))
    return repair


def _times(
    v: Vigia, told: list[dict[str, Any]], repair: dict[str, Any], over: dict[str, Any]
) -> tuple[float, float, float]:
    """From the moment the worker wrote its line; it says milliseconds."""
    line = told[0]["source"]["line"]
    said = _at(line.split(" ", 1)[0])
    return tuple(_at(each["timestamp"]) - said for each in (told[0], repair, over))  # type: ignore[return-value]


def _at(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def sleepy(asked_before_it_wakes: int) -> type[http.server.BaseHTTPRequestHandler]:
    """A server that says nothing until it was asked so often."""

    class Sleepy(http.server.BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self) -> None:
            Sleepy.asked += 1
            if Sleepy.asked <= asked_before_it_wakes:
                self.rfile.read(1)  # until the other side has given up
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a video")

        def log_message(self, *_: object) -> None:
            pass

    return Sleepy


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler], port: int = 0) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_timeout(home: Path) -> None:
    with serving(sleepy(2)) as port, at_work(home) as v:
        give_job(home, "j1", f"fetch http://127.0.0.1:{port}/x")
        repair = went_through(v, "timeout", "timeout", "j1")
        assert (repair["action"], repair["attempt"]) == ("resume_job", 2)
        failed = of(home, incident=repair["incident"], action="resume_job", attempt=1)
        assert any((r["outcome"] or {}).get("result") == "failed" for r in failed)
        assert notes(home) == ["started", "retry j1", "retry j1"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a folder from somebody")
def test_permission(home: Path) -> None:
    with at_work(home, child="user = 'nobody'") as v:
        folder = home / "modelos" / "victor"
        assert folder.stat().st_uid == 0  # a careless `sudo mkdir`: the child may not write there
        give_job(home, "j1", "store")
        repair = went_through(v, "permission", "permission", "j1")
        assert repair["action"] == "take_ownership"
        assert f"uid {NOBODY} can write" in repair["outcome"]["proof"]
        assert folder.stat().st_uid == NOBODY


def test_missing_path(home: Path) -> None:
    with at_work(home) as v:
        (home / "modelos" / "victor").rmdir()
        give_job(home, "j1", "store")
        repair = went_through(v, "missing path", "missing_path", "j1")
        assert repair["action"] == "make_directory"
        assert "can write" in repair["outcome"]["proof"]


def test_corrupt_file(home: Path) -> None:
    with at_work(home) as v:
        broken = home / "modelos" / "victor" / "j1.mp4"
        broken.write_bytes(b"half")
        (home / "origin" / "j1.mp4").write_bytes(b"ftyp whole")
        give_job(home, "j1", "verify")
        repair = went_through(v, "corrupt file", "corrupt_file", "j1")
        assert repair["action"] == "quarantine"
        assert broken.read_bytes() == b"ftyp whole"
        assert "j1.mp4" in v.run("quarantine", "list").stdout


def test_disk_full(home: Path) -> None:
    never = "[disk]\nevery = '1h'\n"  # the line alone says it
    with (
        tmpfs(home / "modelos", "size=8m") as small,
        at_work(home, never, "env = {JOB_SIZE = '600000'}") as v,
    ):
        left = small / "victor" / "left.part"
        left.write_bytes(b"o" * (4 << 20))
        os.utime(left, (0, 0))
        fill(small / "user.bin", leave=100_000)
        give_job(home, "j1", "store")
        repair = went_through(v, "disk full", "disk_full", "j1")
        assert repair["action"] == "free_disk"
        assert "are free" in repair["outcome"]["proof"]
        assert notes(home) == ["started", "pause", "resume", "retry j1"]


def test_server_down(home: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody else gets the port; nobody listens on it
        port = held.getsockname()[1]
        with at_work(home, FAST) as v:
            give_job(home, "j1", f"fetch http://127.0.0.1:{port}/x")
            until(lambda: notes(home)[-1] == "pause", what=v.text)
            give_job(home, "j2", "store")  # waits: nothing new runs into it
            until(lambda: of(home, state="detected", category="server_down")[1:], what=v.text)
            assert (home / "inbox" / "j2").exists()
            held.close()
            with serving(sleepy(0), port):
                repair = went_through(v, "server down", "server_down", "j1")
                until((home / "modelos" / "victor" / "j2.mp4").exists, what=v.text)
            assert repair["action"] == "probe_server"
            assert f"127.0.0.1:{port} answers" in (
                repair["outcome"]["proof"] + repair["outcome"]["detail"]
            )
            assert notes(home) == ["started", "pause", "resume", "retry j1"]
