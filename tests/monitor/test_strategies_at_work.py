"""Each strategy that the six faults do not need, with real processes through the whole monitor."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

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
from tests.monitor.test_run import one, toml
from tests.monitor.test_six_faults import serving, sleepy
from tests.monitor.vigia import Vigia, records, until, vigia

pytestmark = pytest.mark.slow

TIMEOUT = "[ladders]\ntimeout = [{do = 'resume_job', attempts = 3, delay = 0.1}, {do = 'restart_child'}]\n"


def at(record: dict[str, Any]) -> float:
    return datetime.fromisoformat(record["timestamp"]).timestamp()


def our_line(error: str, job: str) -> str:
    """A shell command that writes one of our own lines, of this moment."""
    at = "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)"
    return f'echo "{at} ERROR pipeline.post event=post.failed job={job} error=\\"{error}\\"";'


def outcomes(v: Vigia, incident: str) -> list[tuple[str, str]]:
    """Which strategy ended how, in order."""
    return [
        (record["action"], record["outcome"]["result"])
        for record in of(v.home, incident=incident)
        if record["outcome"]
    ]


# --- resume_job, then restart_child ---


@contextmanager
def fetching(home: Path, asked_before_it_wakes: int) -> Iterator[Vigia]:
    """A worker that has just been given a job which times out that often."""
    settle_in(home)
    with serving(sleepy(asked_before_it_wakes)) as port, vigia(home) as v:
        work = f"fetch http://127.0.0.1:{port}/x"
        (home / "lost").write_text(work)  # it knows its jobs again after a restart
        v.configure(QUICK + TIMEOUT + worker("restart = {delay = 0}"))
        v.start()
        v.wait_state("running", "kid")
        until(lambda: "INFO ready" in v.text())
        give_job(home, "j1", work)
        yield v


def test_a_job_that_fails_three_times_is_done_after_one_restart(tmp_path: Path) -> None:
    with fetching(tmp_path, asked_before_it_wakes=4) as v:
        over = wait_for(v, state="resolved", category="timeout")
        assert outcomes(v, over["incident"]) == [
            ("resume_job", "failed"),
            ("resume_job", "failed"),
            ("resume_job", "failed"),
            ("restart_child", "done"),
        ]
        repair = of(tmp_path, incident=over["incident"], action="restart_child")[-1]
        assert "job j1 succeeded" in repair["outcome"]["proof"]
        assert v.child("kid")["starts"] == 2
        assert (tmp_path / "modelos" / "victor" / "j1.mp4").read_bytes() == b"a video"


def test_a_job_that_fails_for_ever_costs_one_restart_and_then_a_person_is_told(
    tmp_path: Path,
) -> None:
    with fetching(tmp_path, asked_before_it_wakes=1000) as v:
        failed = wait_for(v, state="failed", category="timeout")
        assert outcomes(v, failed["incident"])[-1] == ("restart_child", "failed")
        assert failed["severity"] == "critical"
        assert "job j1 failed again" in failed["message"]
        assert v.child("kid")["starts"] == 2
        assert notes(tmp_path).count("retry j1") == 4


def test_a_job_is_done_again_by_the_configured_command(tmp_path: Path) -> None:
    """The second time it works; a name that is none is never passed on."""
    retry = 'echo "$1" >> done_again; test $(wc -l < done_again) -ge 2'
    (tmp_path / "retry.sh").write_text(retry)
    said = our_line("TimedOut: Timed out", "j-7") + our_line("TimedOut: Timed out", "--help")
    script = f"{said} exec sleep 1000"
    with vigia(tmp_path) as v:
        v.configure(
            QUICK + TIMEOUT + one(programs.sh(script), "retry = ['sh', 'retry.sh', '{job}']")
        )
        v.start()
        over = wait_for(v, state="resolved", category="timeout")
        assert outcomes(v, over["incident"]) == [("resume_job", "failed"), ("resume_job", "done")]
        assert set((tmp_path / "done_again").read_text().split()) == {"j-7"}


# --- the others ---


def test_a_second_copy_of_ours_is_ended_and_no_other_program(tmp_path: Path) -> None:
    elsewhere = tmp_path / "other-bot"
    elsewhere.mkdir()
    code = (
        "import os, time\n"
        "while not os.path.exists('say'): time.sleep(0.05)\n"
        "print('telegram.error.Conflict: terminated by other getUpdates request;"
        " make sure that only one bot instance is running', flush=True)\n"
        "time.sleep(1000)\n"
    )
    argv = programs.python(code)
    with (
        subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL) as stray,
        subprocess.Popen(argv, cwd=elsewhere, stdout=subprocess.DEVNULL) as another,
    ):
        try:
            with vigia(tmp_path) as v:
                v.configure(QUICK + one(argv))
                v.start()
                child = v.wait_state("running", "kid")["pid"]
                (tmp_path / "say").touch()
                over = wait_for(v, state="resolved", category="conflict")
                assert outcomes(v, over["incident"]) == [("end_stray_poller", "done")]
                until(lambda: stray.poll() is not None)
                assert another.poll() is None
                assert v.child("kid")["pid"] == child
                repair = of(tmp_path, action="end_stray_poller", state="retrying")[0]
                assert str(stray.pid) in repair["outcome"]["detail"]
        finally:
            stray.kill()
            another.kill()


def test_a_child_with_too_few_descriptors_gets_more_while_it_runs(tmp_path: Path) -> None:
    code = (
        "import resource, time\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (24, hard))\n"
        "held = []\n"
        "while len(held) < 40:\n"
        "    try:\n"
        "        held.append(open('/dev/null'))\n"
        "    except OSError as error:\n"
        "        print(f'ERROR worker: {type(error).__name__}: {error}', flush=True)\n"
        "        time.sleep(0.5)\n"
        "print('INFO all open', flush=True)\n"
        "time.sleep(1000)\n"
    )
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.python(code)))
        v.start()
        child = v.wait_state("running", "kid")["pid"]
        over = wait_for(v, state="resolved", category="too_many_files")
        assert ("raise_limits", "done") in outcomes(v, over["incident"])
        until(lambda: "INFO all open" in v.text())
        assert v.child("kid")["pid"] == child


def test_a_rate_limit_is_waited_out_before_the_job_is_done_again(tmp_path: Path) -> None:
    settle_in(tmp_path)
    (tmp_path / "lost").write_text("store")
    said = our_line("RetryAfter: Flood control exceeded. Retry in 2 seconds", "j1")
    (tmp_path / "say.sh").write_text(said)
    script = 'sh say.sh; exec "$0" -I -S worker.py'
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(("/bin/sh", "-c", script, sys.executable)))
        v.start()
        over = wait_for(v, state="resolved", category="rate_limit")
        steps = outcomes(v, over["incident"])
        assert steps == [("wait_out", "failed"), ("wait_out", "done")]
        told = [r for r in of(tmp_path, incident=over["incident"]) if r["outcome"]]
        assert at(told[1]) - at(told[0]) >= 2.0
        assert "job j1 succeeded" in told[1]["outcome"]["detail"]


def test_a_child_out_of_memory_is_started_anew_once(tmp_path: Path) -> None:
    script = (
        "test -e been || { touch been; echo 'ERROR worker died: MemoryError'; }; exec sleep 1000"
    )
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.sh(script), "restart = {delay = 0}"))
        v.start()
        over = wait_for(v, state="resolved", category="out_of_memory")
        assert outcomes(v, over["incident"]) == [("restart_child", "done")]
        assert v.wait_state("running", "kid")["starts"] == 2


def test_a_child_without_rights_to_go_on_is_stopped_and_stays_down(tmp_path: Path) -> None:
    line = "telegram.error.InvalidToken: The token `x` was rejected by the server."
    with vigia(tmp_path) as v:
        v.configure(QUICK + one(programs.sh(f"echo '{line}'; exec sleep 1000")))
        v.start()
        over = wait_for(v, category="auth", state="resolved")
        assert outcomes(v, over["incident"]) == [("stop_child", "done")]
        assert v.child("kid")["state"] == "stopped"
        v.end()
        v.start()
        assert v.wait_state("stopped", "kid")["starts"] == 0


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


SERVER = (
    "import http.server, os, sys\n"
    "if os.fork(): os._exit(0)\n"  # as a service's start command leaves it behind
    "os.setsid()\n"
    "open('server.pid', 'w').write(str(os.getpid()))\n"
    "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)"
    ".serve_forever()\n"
)


@pytest.mark.parametrize("found_by", ["line", "check"])
def test_a_server_that_stays_down_is_started_by_its_command(tmp_path: Path, found_by: str) -> None:
    port = free_port()
    (tmp_path / "server.py").write_text(SERVER)
    command = toml((sys.executable, "-I", "-S", "server.py", str(port)))
    ladder = (
        "[ladders]\nserver_down = [{do = 'probe_server', attempts = 2, delay = 0.1},"
        " {do = 'restart_server'}]\n"
    )
    disk = "[disk]\nevery = 0.3\nwarn = 0\ncritical = 0\n"
    server = f'[servers."127.0.0.1:{port}"]\nrestart = {command}\n'
    line = f"redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:{port}. Connection refused."
    script = f"echo '{line}'; exec sleep 1000" if found_by == "line" else "exec sleep 1000"
    if found_by == "check":
        url = f"http://127.0.0.1:{port}"
        (tmp_path / ".env").write_text(f"USE_LOCAL_BOT_API=1\nTELEGRAM_BOT_API_LOCAL_URL={url}\n")
    try:
        with vigia(tmp_path) as v:
            v.configure(QUICK + ladder + disk + server + one(programs.sh(script)))
            v.start()
            over = wait_for(v, state="resolved", category="server_down")
            assert outcomes(v, over["incident"]) == [
                ("probe_server", "failed"),
                ("probe_server", "failed"),
                ("restart_server", "done"),
            ]
            repair = of(tmp_path, action="restart_server", state="retrying")[0]
            assert f"127.0.0.1:{port} answers" in repair["outcome"]["proof"]
            assert len({record["incident"] for record in records(tmp_path)}) == 1
    finally:
        pid = int((tmp_path / "server.pid").read_text())
        subprocess.run(["kill", "-9", str(pid)], check=False)


def test_a_server_without_a_command_is_left_to_a_person(tmp_path: Path) -> None:
    port = free_port()
    line = f"redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:{port}. Connection refused."
    ladder = (
        "[ladders]\nserver_down = [{do = 'probe_server', attempts = 1}, {do = 'restart_server'}]\n"
    )
    other = '[servers."127.0.0.1:1"]\nrestart = ["touch", "wrong"]\n'
    with vigia(tmp_path) as v:
        v.configure(QUICK + ladder + other + one(programs.sh(f"echo '{line}'; exec sleep 1000")))
        v.start()
        failed = wait_for(v, state="failed", category="server_down")
        assert f"no command is configured that starts 127.0.0.1:{port} again" in failed["message"]
        assert not (tmp_path / "wrong").exists()
        assert story(tmp_path, failed["incident"])[-1] == "failed"
