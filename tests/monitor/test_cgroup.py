from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.supervise import cgroup
from monitor.supervise.cgroup import Group
from tests.monitor.programs import SPREADS


def wait(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 45
    while not true():
        assert time.monotonic() < deadline, "did not come"
        time.sleep(0.005)


@pytest.fixture
def group() -> Iterator[Group]:
    made = cgroup.make(f"test-{os.getpid()}-cgroup")
    if made is None:
        pytest.skip("no control group may be made here: only root may, or by Delegate=yes")
    try:
        yield made
    finally:
        made.freeze(frozen=False)
        for pid in made.pids():  # one by one, for the day when the one word does not work
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait(lambda: not made.pids())
        made.remove()
        assert not made.path.exists()


def test_one_word_ends_all_in_it_wherever_they_went(group: Group, tmp_path: Path) -> None:
    # B 2, B 3
    with subprocess.Popen(
        ("/bin/sh", "-c", 'read go; exec "$@"', "sh", *SPREADS), cwd=tmp_path, stdin=subprocess.PIPE
    ) as program:
        assert program.stdin
        assert group.add(program.pid)
        program.stdin.write(b"go\n")
        program.stdin.close()
        wait(lambda: len(group.pids()) == 3 and (tmp_path / "daemon.pid").exists())
        assert program.pid in group.pids()
        group.kill()
        assert program.wait() == -9
        wait(lambda: group.pids() == ())


def test_it_is_frozen_and_thawed_without_a_signal(group: Group) -> None:
    program = subprocess.Popen(
        ("/bin/sh", "-c", "trap 'echo signalled' CONT; while read x; do echo $x; done"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert program.stdin
    assert program.stdout
    try:
        assert group.add(program.pid)
        assert group.freeze(frozen=True)
        wait(group.is_frozen)
        program.stdin.write(b"held\n")
        program.stdin.flush()
        os.set_blocking(program.stdout.fileno(), False)
        assert program.stdout.read() is None
        assert group.freeze(frozen=False)
        wait(lambda: not group.is_frozen())
        os.set_blocking(program.stdout.fileno(), True)
        assert program.stdout.readline() == b"held\n"
    finally:
        program.stdin.close()
        assert program.stdout.read() == b""
        program.stdout.close()
        program.wait()


def test_one_that_is_there_already_is_used_and_found_by_the_next_monitor(group: Group) -> None:
    first = cgroup.make("/a home:kid")
    assert first is not None
    try:
        assert cgroup.make("/a home:kid") == first == cgroup.find("/a home:kid")
        assert cgroup.find("/another home:kid") != first
    finally:
        first.remove()


def test_one_with_somebody_in_it_is_not_removed(group: Group) -> None:
    with subprocess.Popen(("/bin/sleep", "1000")) as program:
        assert group.add(program.pid)
        group.remove()
        assert group.pids() == (program.pid,)
        program.kill()


def test_who_is_gone_cannot_be_put_into_it(group: Group) -> None:
    program = subprocess.Popen(("/bin/true",))
    program.wait()
    assert not group.add(program.pid)


def test_a_group_that_is_gone_says_no_and_raises_nothing(tmp_path: Path) -> None:
    gone = Group(tmp_path / "gone")
    assert not gone.add(1)
    assert gone.pids() == ()
    assert not gone.freeze(frozen=True)
    assert not gone.is_frozen()
    gone.kill()
    gone.remove()
