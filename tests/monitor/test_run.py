"""The monitor from outside: a process with a home, signals, exit codes and a socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.app import THREADS
from tests.monitor import programs
from tests.monitor.crib import lives
from tests.monitor.vigia import until, vigia

pytestmark = pytest.mark.slow


def toml(argv: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"'''{word}'''" for word in argv) + "]"


def one(argv: tuple[str, ...], more: str = "", name: str = "kid") -> str:
    return f"[children.{name}]\ncommand = {toml(argv)}\n{more}\n"


def test_without_any_file_the_pipeline_runs_and_ends_as_asked(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.start()
        v.wait_state("running")
        until(lambda: "event=pipeline.ready" in v.text())
        assert v.end() == 0
        assert v.descendants() == []
        assert "event=pipeline.stopped" in (tmp_path / "logs" / "pipeline.log").read_text()
        assert "event=pipeline.stopped" in v.text(), "the last words are shown as well"


def test_a_program_on_the_command_line_is_watched_instead(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.start("--", "/bin/sh", "-c", "echo I run; exec sleep 1000")
        v.wait_state("running")
        until(lambda: "I run" in v.text())


def test_a_second_monitor_in_the_same_home_is_sent_away_by_name(tmp_path: Path) -> None:
    # B 46
    with vigia(tmp_path) as v:
        v.start("--", *programs.SLEEPS)
        v.wait_state("running")
        second = v.run("run")
        assert second.returncode == 100
        assert f"pid {v.process.pid}" in second.stderr
        assert v.child()["state"] == "running"


def test_all_that_is_wrong_in_the_configuration_is_told_at_once(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure("[children.bot]\ncomand = 'x'\n[children.bot.restart]\ndelay = 'soon'\n")
        answer = v.run("run")
        assert answer.returncode == 2
        assert "vigia.toml:2: 'comand'" in answer.stderr
        assert "did you mean command?" in answer.stderr
        assert "vigia.toml:4: children.bot.restart.delay" in answer.stderr
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(("script", "code"), [("exit 78", 3), ("exit 0", 0)])
def test_when_no_child_is_left_to_run_the_monitor_ends(
    tmp_path: Path, script: str, code: int
) -> None:
    # B 48
    with vigia(tmp_path) as v:
        v.configure(one(programs.sh(script), "restart.policy = 'on-failure'"))
        v.start()
        assert v.process.wait(60) == code
        assert "no child is left to run" in v.diary()


def test_an_open_breaker_can_mean_the_end_for_those_who_let_systemd_decide(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(one(programs.DIES_AT_ONCE, "restart = {delay = 0.01, give_up = 'exit'}"))
        v.start()
        assert v.process.wait(60) == 3


def test_a_command_that_does_not_exist_is_one_clear_line(tmp_path: Path) -> None:
    # B 16
    with vigia(tmp_path) as v:
        v.start("--", "/no/such/program")
        assert v.process.wait(60) == 3
        assert "cannot execute /no/such/program: No such file or directory" in v.text()
        assert "Traceback" not in v.text()


def test_stop_start_restart_by_a_person(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.start("--", *programs.SLEEPS)
        first = v.wait_state("running")["pid"]
        stopped = v.run("stop")
        assert (stopped.returncode, stopped.stdout) == (0, "pipeline: stopped: stopped by root\n")
        assert not lives(first)
        started = v.run("start", "pipeline")
        assert started.stdout.startswith("pipeline: starting (pid ")
        second = v.wait_state("running")["pid"]
        assert v.run("restart").returncode == 0
        assert not lives(second)
        assert v.wait_state("running")["pid"] != second
        wrong = v.run("stop", "nobody")
        assert (wrong.returncode, wrong.stderr) == (1, "vigia: there is no child 'nobody'\n")


def test_a_stop_outlives_the_monitor_even_a_killed_one(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.start("--", *programs.SLEEPS)
        v.wait_state("running")
        v.run("stop")
        v.end(signal.SIGKILL)
        v.start("--", *programs.SLEEPS)
        assert v.wait_state("stopped")["starts"] == 0


def test_after_kill_minus_nine_no_second_copy_runs_beside_the_first(tmp_path: Path) -> None:
    # B 5
    with vigia(tmp_path) as v:
        v.start("--", *programs.SPREADS)
        first = v.wait_state("running")["pid"]
        until(lambda: len(v.descendants()) == 3)
        v.end(signal.SIGKILL)
        assert lives(first), "a killed monitor takes nobody along"
        v.start("--", *programs.SLEEPS)
        second = v.wait_state("running")["pid"]
        assert v.descendants() == [second]
        assert f"ended an earlier copy that was still running (pid {first}" in v.diary()


def test_no_line_of_the_child_is_lost_while_the_monitor_is_away(tmp_path: Path) -> None:
    # B 12
    argv = programs.python(
        "import time\ni = 0\nwhile True:\n    print(i, flush=True); i += 1; time.sleep(0.001)\n"
    )
    with vigia(tmp_path) as v:
        v.start("--", *argv)
        v.wait_state("running")
        v.process.send_signal(signal.SIGSTOP)
        log = tmp_path / "logs" / "pipeline.log"
        at_pause = log.stat().st_size
        until(lambda: log.stat().st_size > at_pause + 1000, what="the child goes on writing")
        v.process.send_signal(signal.SIGCONT)
        v.end()
        shown = [int(line) for line in v.text().splitlines() if line.isdigit()]
        assert shown == list(range(len(shown)))
        assert len(shown) == len(log.read_text().splitlines())


def test_ctrl_c_reaches_only_the_monitor_and_twice_it_hurries(tmp_path: Path) -> None:
    # B 4, B 24
    with vigia(tmp_path) as v:
        v.configure(one(programs.IGNORES_TERM, "stop = {timeout = 60}"))
        v.start()
        v.wait_state("running", "kid")
        os.killpg(v.process.pid, signal.SIGINT)
        until(lambda: "Vigía stops: SIGINT" in v.diary())
        assert v.process.poll() is None
        for _ in range(50):
            os.killpg(v.process.pid, signal.SIGINT)
        assert v.process.wait(60) == 0
        assert v.descendants() == []


def test_sighup_changes_what_changed_and_nothing_else(tmp_path: Path) -> None:
    # B 26, B 27
    with vigia(tmp_path) as v:
        v.configure(one(programs.SLEEPS) + one(programs.SLEEPS, name="other"))
        v.start()
        kid, other = v.wait_state("running", "kid")["pid"], v.wait_state("running", "other")["pid"]
        v.configure("this is = not TOML")
        v.process.send_signal(signal.SIGHUP)
        until(lambda: "is wrong, the old one stays" in v.diary())
        assert v.child("kid")["pid"] == kid
        v.configure(
            one(programs.SLEEPS)
            + one(programs.SLEEPS, "nice = 1", name="other")
            + one(programs.SLEEPS, name="third")
        )
        answer = v.run("reload")
        assert answer.stdout == "Configuration read again: other, third\n"
        v.wait_state("running", "third")
        assert v.wait_state("running", "other")["pid"] != other
        assert v.child("kid")["pid"] == kid
        descriptors = len(os.listdir(f"/proc/{v.process.pid}/fd"))
        for _ in range(100):
            v.process.send_signal(signal.SIGHUP)
        v.run("reload")
        assert len(os.listdir(f"/proc/{v.process.pid}/fd")) <= descriptors + 1
        assert v.child("kid")["pid"] == kid


def test_the_children_come_up_in_order_and_go_down_in_reverse(tmp_path: Path) -> None:
    script = "trap 'echo down $0 >> order; exit 0' TERM; echo up $0 >> order; while :; do sleep .02; done"
    with vigia(tmp_path) as v:
        v.configure(
            one(("/bin/sh", "-c", script, "web"), "after = ['db']", name="web")
            + one(("/bin/sh", "-c", script, "db"), name="db")
        )
        v.start()
        v.wait_state("running", "web")
        assert v.end() == 0
        assert (tmp_path / "order").read_text().split("\n")[:4] == [
            "up db",
            "up web",
            "down web",
            "down db",
        ]


def test_what_the_child_inherits_is_clean(tmp_path: Path) -> None:
    # B 25, B 32, B 35, B 37
    code = (
        "import os, json\n"
        "status = open('/proc/self/status').read()\n"
        "fds = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')"
        " if os.path.exists(f'/proc/self/fd/{n}')]\n"
        "json.dump([dict(os.environ), status, fds, os.getsid(0) == os.getpid()], open('seen', 'w'))\n"
    )
    starter = (
        "import os, signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); signal.signal(signal.SIGUSR2, signal.SIG_IGN)\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
    )
    import json

    with vigia(tmp_path) as v:
        v.configure(one((sys.executable, "-c", code), "restart.policy = 'never'"))
        v.command = lambda *words: [sys.executable, "-c", starter, "-m", "monitor", *words]  # type: ignore[method-assign]
        (tmp_path / ".env").write_text(
            "TELEGRAM_TOKEN=123456:canary\nMONITOR_TELEGRAM_TOKEN=7:canary2\n"
        )
        v.start(
            env={
                "NOTIFY_SOCKET": "/tmp/none",
                "WATCHDOG_USEC": "1",
                "TELEGRAM_TOKEN": "123456:canary",
            }
        )
        assert v.process.wait(60) == 0
        environ, status, fds, leads = json.loads((tmp_path / "seen").read_text())
        assert leads
        assert environ["PYTHONUNBUFFERED"] == "1"
        assert not {
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "TELEGRAM_TOKEN",
            "MONITOR_TELEGRAM_TOKEN",
        } & set(environ)
        assert "canary" not in json.dumps(environ)
        assert "SigBlk:\t0000000000000000" in status
        ignored = int(status.split("SigIgn:")[1].split()[0], 16)
        assert ignored & ~(1 << 12 | 1 << 24) == 0, "Python itself ignores PIPE and XFSZ"
        log, lock = (
            str(tmp_path / "logs" / "kid.log"),
            str(tmp_path / "data/monitor/children/kid.lock"),
        )
        assert sorted(fds) == sorted(["/dev/null", log, log, lock])
        assert "kid is not given TELEGRAM_TOKEN" in v.diary()


def test_systemd_is_told_the_truth_in_order(tmp_path: Path) -> None:
    # B 28, B 29, B 30, B 31
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, vigia(tmp_path) as v:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        v.configure(one(programs.SLEEPS))
        v.start(env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
        first = manager.recv(4096).decode()
        assert first.startswith("READY=1") or "WATCHDOG=1" in first
        said = [first]
        while not any("READY=1" in word for word in said):
            said.append(manager.recv(4096).decode())
        assert v.child("kid")["pid"], "ready is said when the child runs"
        while said.count("WATCHDOG=1") < 3:
            said.append(manager.recv(4096).decode())
        v.process.send_signal(signal.SIGHUP)
        while "RELOADING=1" not in said[-1]:
            said.append(manager.recv(4096).decode())
        assert "MONOTONIC_USEC=" in said[-1]
        while not said[-1].startswith("READY=1"):
            said.append(manager.recv(4096).decode())
        v.process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in said[-1]:
            said.append(manager.recv(4096).decode())
        assert "EXTEND_TIMEOUT_USEC=" in said[-1]
        assert v.process.wait(60) == 0


def test_another_user_is_not_heard(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    with vigia(tmp_path) as v:
        v.start("--", *programs.SLEEPS)
        v.wait_state("running")
        path = tmp_path / "data" / "monitor" / "control.sock"
        assert path.stat().st_mode & 0o777 == 0o600


def test_only_watching_starts_nothing(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        (tmp_path / "other.log").write_text("old\n")
        v.start("--no-child", "--follow", "other.log")
        until(lambda: v.status().get("pid") == v.process.pid)
        assert v.status()["children"] == []
        with (tmp_path / "other.log").open("a") as log:
            log.write("new line\n")
        until(lambda: "new line" in v.text())
        assert "old" not in v.text().replace("older", "")
        assert v.end() == 0


def test_quiet_shows_nothing_and_the_diary_has_it_all(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.start("--quiet", "--", *programs.SLEEPS)
        v.wait_state("running")
        assert v.text() == ""
        assert "pipeline started" in v.diary()


def test_out_of_descriptors_it_stays_alive_and_recovers(tmp_path: Path) -> None:
    # B 39
    with vigia(tmp_path) as v:
        v.configure(one(programs.SLEEPS, "restart = {delay = 0.2, max_delay = 0.2, limit = 1000}"))
        v.start()
        first = v.wait_state("running", "kid")["pid"]
        now = len(os.listdir(f"/proc/{v.process.pid}/fd"))
        subprocess.run(
            ["prlimit", f"--nofile={now - 8}:4096", "--pid", str(v.process.pid)], check=True
        )
        os.kill(first, signal.SIGKILL)
        until(lambda: "Too many open files" in v.diary(), what=v.diary)
        assert v.process.poll() is None
        subprocess.run(["prlimit", "--nofile=1024:4096", "--pid", str(v.process.pid)], check=True)
        until(lambda: v.child("kid")["state"] == "running")


def test_a_thousand_restarts_leave_nothing_open(tmp_path: Path) -> None:
    # B 36
    with vigia(tmp_path) as v:
        v.configure(
            one(programs.sh("exit 1"), "restart = {delay = 0, max_delay = 0, limit = 100000}")
        )
        v.start("--quiet")
        until(lambda: v.child("kid").get("starts", 0) > 20)
        v.run("stop")
        base = _resources(v.process.pid)
        v.run("start")
        until(lambda: v.child("kid").get("starts", 0) > 320, 60)
        v.run("stop")
        after = _resources(v.process.pid)
        assert abs(after[0] - base[0]) <= 2, "descriptors"
        assert after[1] <= base[1] + THREADS, "those for the disk stay once they were needed"
        assert after[2] < base[2] * 1.1, "memory"


def _resources(pid: int) -> tuple[int, int, int]:
    status = Path(f"/proc/{pid}/status").read_text()
    rss = int(status.split("VmRSS:")[1].split()[0])
    return len(os.listdir(f"/proc/{pid}/fd")), len(os.listdir(f"/proc/{pid}/task")), rss


def test_an_idle_monitor_costs_next_to_nothing(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.start("--quiet", "--", *programs.SLEEPS)
        v.wait_state("running")
        assert _resources(v.process.pid)[2] < 40 << 10
        assert time.monotonic()
