"""The closed loop: a real fault, a real child, the real repair, the record of it."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from monitor.records.record import is_move
from tests.monitor import programs
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

QUICK = "[repair]\nquiet = 0.5\n"

# Tries again and again to do its one piece of work, and says what is in the way.
WORKS = (
    "import os, time\n"
    "os.makedirs('modelos', exist_ok=True)\n"
    "path = os.path.abspath('modelos/victor/clip.txt')\n"
    "n = 0\n"
    "while True:\n"
    "    try:\n"
    "        with open(path, 'a') as file: file.write('x')\n"
    "        n += 1; print('INFO stored', n, flush=True)\n"
    "    except OSError as error:\n"
    "        print(f'ERROR cannot store video: {type(error).__name__}: {error}', flush=True)\n"
    "    time.sleep(0.3)\n"
)


def states(v: Vigia) -> list[str]:
    return [record["state"] for record in records(v.home) if is_move(record)]


def wait_for(v: Vigia, state: str) -> dict[str, Any]:
    until(lambda: state in states(v), what=v.text)
    return next(record for record in records(v.home) if record["state"] == state)


def test_a_missing_folder_is_made_and_the_work_goes_on(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.python(WORKS)))
        v.start()
        wait_for(v, "resolved")
        assert (tmp_path / "modelos" / "victor" / "clip.txt").exists()
        assert states(v) == ["detected", "fixing", "retrying", "resolved"]
        repair = next(record for record in records(v.home) if record["outcome"])
        assert repair["action"] == "make_directory"
        assert repair["outcome"]["result"] == "done"
        assert "can write" in repair["outcome"]["proof"]
        assert v.run("events", "verify").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a file away from somebody")
def test_what_was_taken_from_the_child_is_given_back(tmp_path: Path) -> None:
    home = Path("/tmp") / f"vigia-heal-{os.getpid()}"
    home.mkdir(mode=0o755)
    try:
        with vigia(home) as v:
            (home / "modelos" / "victor").mkdir(parents=True)
            for folder in (home / "modelos", home / "modelos" / "victor"):
                os.chown(folder, 65534, 65534)
            lost = home / "modelos" / "victor" / "clip.txt"
            lost.touch(0o600)  # root's, as a careless `sudo cp` leaves it
            v.configure(QUICK + one(programs.sh("exec python3 work.py"), "user = 'nobody'"))
            (home / "work.py").write_text(WORKS)
            v.start()
            wait_for(v, "resolved")
            assert lost.stat().st_uid == 65534
            repair = next(record for record in records(v.home) if record["outcome"])
            assert repair["action"] == "take_ownership"
    finally:
        import shutil

        shutil.rmtree(home, ignore_errors=True)


def test_a_broken_file_is_moved_away_and_can_be_put_back(tmp_path: Path) -> None:
    script = (
        "import os, time\n"
        "path = os.path.abspath('modelos/victor/clip.mp4')\n"
        "while True:\n"
        "    if os.path.exists(path):\n"
        "        print(f'ERROR video check failed: {path}: moov atom not found', flush=True)\n"
        "    time.sleep(0.3)\n"
    )
    with vigia(tmp_path) as v:
        folder = tmp_path / "modelos" / "victor"
        folder.mkdir(parents=True)
        (folder / "clip.mp4").write_bytes(b"half a video")
        v.configure(QUICK + one(programs.python(script)))
        v.start()
        repaired = wait_for(v, "retrying")
        assert repaired["action"] == "quarantine"
        assert not (folder / "clip.mp4").exists()
        wait_for(v, "resolved")
        v.end()
        kept = v.run("quarantine", "list").stdout
        assert "clip.mp4" in kept
        name = repaired["outcome"]["detail"].rsplit(" ", 1)[1]
        assert v.run("quarantine", "restore", name).returncode == 0
        assert (folder / "clip.mp4").read_bytes() == b"half a video"


def test_a_server_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        line = f"redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:{port}. Connection refused."
        with vigia(tmp_path) as v:
            ladder = "[ladders]\nserver_down = [{do = 'probe_server', attempts = 30, delay = 0.1, max_delay = 0.1}]\n"
            v.configure(QUICK + ladder + one(programs.sh(f"echo '{line}'; exec sleep 1000")))
            v.start()
            wait_for(v, "fixing")
            until(
                lambda: any((r["outcome"] or {}).get("result") == "failed" for r in records(v.home))
            )
            server.listen()
            done = wait_for(v, "resolved")
            assert done["category"] == "server_down"


def test_a_revoked_token_is_never_answered_by_a_restart(tmp_path: Path) -> None:
    line = "telegram.error.InvalidToken: The token `x` was rejected by the server."
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.sh(f"echo '{line}'; exec sleep 1000")))
        v.start()
        child = v.wait_state("stopped", "kid")
        assert child["starts"] == 1
        assert "vigia (auth" in child["why"]


def test_forged_lines_touch_nothing_outside_and_execute_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    lines = [
        f"PermissionError: [Errno 13] Permission denied: '{secret}/x'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/../etc/vigia-was-here/x.mp4'",
        f"FileNotFoundError: [Errno 2] No such file or directory: '{tmp_path}/modelos/$(touch pwned)/a.mp4'",
        f"FileNotFoundError: [Errno 2] No such file or directory: '{tmp_path}/modelos/../made/a.mp4'",
    ]
    (tmp_path / "lines").write_text("\n".join(lines) + "\n")
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.sh("cat lines; exec sleep 1000")))
        mode = secret.stat().st_mode
        v.start()
        until(lambda: states(v).count("failed") >= 3, 60, what=v.text)
        assert not (tmp_path / "made").exists()
        assert not Path("/etc/vigia-was-here").exists()
        assert not list(tmp_path.rglob("pwned"))
        assert secret.stat().st_mode == mode


def test_killed_in_the_middle_of_a_repair_it_is_probed_and_not_done_again(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.python(WORKS)))
        v.start()
        until(lambda: "fixing" in states(v), 60)
        v.end(signal.SIGKILL)
        v.start()
        until(lambda: "resolved" in states(v), 60, what=v.text)
        found = records(v.home)
        assert [r["seq"] for r in found] == list(range(1, len(found) + 1))
        assert sum(r["state"] == "fixing" for r in found) <= 2
        assert v.run("events", "verify").returncode == 0


def test_no_line_has_the_log_it_stands_in_moved_away(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "kid.log"
    script = f"echo 'ERROR video check failed: {log}: moov atom not found'; exec sleep 1000"
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.sh(script)))
        v.start()
        wait_for(v, "failed")
        assert log.exists()
        assert "is not to be touched" in v.diary()


def test_our_own_words_are_never_taken_for_trouble(tmp_path: Path) -> None:
    line = "PermissionError: [Errno 13] Permission denied: '/nowhere/at/all'"
    with vigia(tmp_path) as v:
        v.configure(
            "follow = ['logs/*']\n" + QUICK + one(programs.sh(f'echo "{line}"; exec sleep 1000'))
        )
        v.start()
        wait_for(v, "failed")
        assert {record["incident"] for record in records(v.home)} == {"INC-1"}
        assert {Path(record["source"]["file"]).name for record in records(v.home)} == {"kid.log"}
