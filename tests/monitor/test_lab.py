"""The shapes that other supervisors get wrong, played under ours from outside."""

from __future__ import annotations

import contextlib
import gzip
import re
import signal
from collections import Counter
from pathlib import Path
from statistics import median

import psutil
import pytest

from monitor.app import THREADS
from monitor.ask import ask
from monitor.supervise.capture import rotated
from tests.monitor import programs
from tests.monitor.crib import lives
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, until, vigia

pytestmark = pytest.mark.slow

QUICK = "restart = {delay = 0.05, max_delay = 0.2}"


def test_what_exits_at_once_is_left_down_after_five(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(one(programs.sh("date >> starts; exit 1"), QUICK))
        v.start()
        failed = v.wait_state("failed", "kid")
        assert len((tmp_path / "starts").read_text().splitlines()) == 5
        assert 290 < failed["next_start"] <= 300, "a probe run comes, but not soon"
        assert v.diary().count("ended 5 times in 10 minutes") == 1
        assert v.run("status").returncode == 1


def test_good_runs_between_the_crashes_do_not_close_the_breaker(tmp_path: Path) -> None:
    """Long enough to count as running every time: elsewhere this is restarted without end."""
    with vigia(tmp_path) as v:
        v.configure(one(programs.sh("date >> starts; sleep 1.2; exit 1"), QUICK))
        v.start()
        v.wait_state("running", "kid")
        v.wait_state("failed", "kid")
        assert len((tmp_path / "starts").read_text().splitlines()) == 5


def test_a_stop_takes_the_grandchild_that_left_along(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.start("--", *programs.SPREADS)
        v.wait_state("running")
        until(lambda: len(v.descendants()) == 3)
        assert v.run("stop").returncode == 0
        assert v.descendants() == []


@pytest.mark.parametrize("times", [3])
def test_however_often_the_monitor_is_killed_one_copy_runs(tmp_path: Path, times: int) -> None:
    argv = programs.sh("echo up >> starts; exec sleep 1000")
    with vigia(tmp_path) as v:
        for count in range(1, times + 1):
            v.start("--", *argv)
            pid = v.wait_state("running")["pid"]
            assert v.descendants() == [pid]
            v.end(signal.SIGKILL)
            assert lives(pid), "nobody is taken along"
            assert (tmp_path / "starts").read_text() == "up\n" * count


def test_five_hundred_orphans_are_buried(tmp_path: Path) -> None:
    # B 33
    argv = programs.python(
        "import os, time\n"
        "for n in range(500):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0: time.sleep(0.3)\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
        "open('born', 'w').close()\n"
        "time.sleep(1000)\n"
    )
    with vigia(tmp_path) as v:
        v.start("--", *argv)
        until((tmp_path / "born").exists)
        us = psutil.Process(v.process.pid)
        until(lambda: len(us.children()) == 1, what="only the child is left, and no zombie")
        assert v.child()["starts"] == 1
        assert v.child()["pid"] == us.children()[0].pid


@pytest.mark.parametrize("times", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_a_hundred_reloads_leave_nothing_behind(tmp_path: Path, times: int) -> None:
    # B 27
    with vigia(tmp_path) as v:
        v.configure(one(programs.SLEEPS) + one(programs.SLEEPS, name="other"))
        v.start("--quiet")
        pids = [v.wait_state("running", name)["pid"] for name in ("kid", "other")]
        _reload(v, 10)
        base = _resources(v)
        _reload(v, times)
        _back_to(base, v)
        assert [v.child(name)["pid"] for name in ("kid", "other")] == pids


@pytest.mark.slow
def test_a_thousand_restarts_leave_nothing_behind(tmp_path: Path) -> None:
    # B 36
    with vigia(tmp_path) as v:
        v.configure(
            one(programs.sh("exit 1"), "restart = {delay = 0, max_delay = 0, limit = 99999}")
        )
        v.start("--quiet")
        until(lambda: v.child("kid").get("starts", 0) > 100, 60)
        base = _at_rest(v)
        v.run("start", "kid")
        until(lambda: v.child("kid").get("starts", 0) > 1100, 110)
        _at_rest(v)
        _back_to(base, v)


def _at_rest(v: Vigia) -> dict[str, int]:
    """A start that is under way holds descriptors of its own: what stays is seen when nothing is."""
    v.run("stop", "kid")
    v.wait_state("stopped", "kid")
    return _resources(v)


def _reload(v: Vigia, times: int) -> None:
    """Each changes one child, so that each has something to do."""
    for number in range(times):
        v.configure(
            one(programs.SLEEPS)
            + one(programs.SLEEPS, name="other")
            + one(programs.SLEEPS, f"autostart = false\nnice = {number % 2}", name="third")
        )
        ask(v.home, "reload", 10.0, lang="en")


def _resources(v: Vigia) -> dict[str, int]:
    process = psutil.Process(v.process.pid)
    memory = process.memory_info().rss >> 10
    return {"fds": process.num_fds(), "threads": process.num_threads(), "rss": memory}


def _back_to(base: dict[str, int], v: Vigia) -> None:
    """A start or a question of this moment holds a few descriptors; a leak would hold hundreds."""
    with contextlib.suppress(AssertionError):
        until(lambda: _is_back(base, _resources(v)))
    now = _resources(v)
    assert _is_back(base, now), (base, now)
    assert now["rss"] < base["rss"] * 1.1, (base, now)


def _is_back(base: dict[str, int], now: dict[str, int]) -> bool:
    """The few threads for what blocks on the disk stay once they were needed."""
    return now["fds"] <= base["fds"] + 4 and now["threads"] <= base["threads"] + THREADS


# --- rotation at full speed --------------------------------------------------------------------

MOST = 3_000_000  # lines of each writer, so that no disk is filled

# Two writers in two sessions, one file, no pause between the writes: `NAME NUMBER padding`.
FULL_SPEED = programs.python(
    "import os, signal\n"
    "name = 'p' if os.fork() else 'g'\n"
    "if name == 'g': os.setsid()\n"
    "n = 0\n"
    f"while n < {MOST} and not os.path.exists('enough'):\n"
    "    for n in range(n, n + 5000, 5):\n"
    "        lines = ''.join(f'{name} {k} {\"x\" * (k % 200)}\\n' for k in range(n, n + 5))\n"
    "        os.write(1, lines.encode())\n"
    "    n += 5\n"
    "open('new.' + name, 'w').write(str(n)); os.rename('new.' + name, name)\n"
    "signal.pause()\n"
)


def test_at_full_writing_speed_no_line_is_lost_or_doubled_by_rotation(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "kid.log"
    with vigia(tmp_path) as v:
        v.configure(one(FULL_SPEED, "log = {size = '1MB', keep = 1000, total = 0}"))
        v.start()
        until(lambda: v.diary().count("log rotated") >= 3, 60, v.diary)
        (tmp_path / "enough").touch()
        until(lambda: all((tmp_path / name).exists() for name in "pg"), 60)
        assert v.end() == 0
    written = {name: list(range(int((tmp_path / name).read_text()))) for name in "pg"}
    on_disk = b"".join([*(_bytes(path) for _, path in reversed(rotated(log))), log.read_bytes()])
    assert _numbers(on_disk.decode()) == written
    _check_shown(v.text(), sum(map(len, written.values())))
    pauses = [float(ms) for ms in re.findall(r"paused for ([\d.]+) ms", v.diary())]
    print(f"{len(pauses)} rotations; pauses: median {median(pauses)} ms, longest {max(pauses)} ms")


def _bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _numbers(text: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {"p": [], "g": []}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if name in found:
            number, _, padding = rest.partition(" ")
            assert padding == "x" * (int(number) % 200)
            found[name].append(int(number))
    return found


def _check_shown(text: str, written: int) -> None:
    """Nothing twice, nothing out of order, and all of it unless a flood was too much, which is said."""
    shown = _numbers(text)
    for numbers in shown.values():
        assert numbers == sorted(set(numbers)), Counter(numbers).most_common(3)
    assert "lines not shown here" in text or sum(map(len, shown.values())) == written
