from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil

from monitor.supervise.family import Family
from tests.monitor.crib import until
from tests.monitor.programs import python

# Forks so many, which live until their stdin is closed, and goes before them.
LEAVES_ORPHANS = (
    "import os\n"
    "for _ in range({count}):\n"
    "    if os.fork() == 0:\n"
    "        os.read(0, 1)\n"
    "        os._exit(7)\n"
    "os._exit(42)\n"
)


def reaper() -> Family:
    """One that begins with nobody: the dead of an earlier test are gone, who lives is known."""
    family = Family()
    assert family.become_reaper()
    wait(lambda: (family.reap(), not any(map(is_dead, family.strangers())))[1])
    family.helpers.update(family.strangers())
    family.reaped = 0
    return family


def start(family: Family, *argv: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    family.add(process.pid)
    return process


def wait(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 45
    while not true():
        assert time.monotonic() < deadline, "did not come"
        time.sleep(0.005)


def zombies() -> list[psutil.Process]:
    ours = psutil.Process().children()
    return [child for child in ours if child.status() == psutil.STATUS_ZOMBIE]


def is_dead(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_500_orphans_that_die_at_once_leave_no_zombie() -> None:
    # B 33
    family = reaper()
    let_go, hold = os.pipe()
    parent = subprocess.Popen(python(LEAVES_ORPHANS.format(count=500)), stdin=let_go)
    try:
        os.close(let_go)
        family.add(parent.pid)
        wait(lambda: is_dead(parent.pid))
        wait(lambda: len(family.strangers()) == 500)
        family.reap()
        assert family.reaped == 0, "who lives is not waited for"
    finally:
        os.close(hold)  # they all die now
    wait(lambda: len(zombies()) == 501)
    before = time.monotonic()
    family.reap()
    assert family.reaped == 0, "who waits for one itself has a moment for it"
    family.reap()
    took = time.monotonic() - before
    assert family.reaped == 500, "all of them, as one SIGCHLD may stand for many"
    assert family.strangers() == ()
    assert [process.pid for process in zombies()] == [parent.pid]
    assert parent.wait() == 42, "who was started is left to its starter"
    print(f"500 orphans reaped in {took * 1000:.1f} ms")


def test_the_dead_are_reaped_as_the_signal_comes() -> None:
    # B 33
    async def story() -> None:
        family = reaper()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, family.child_died)
        parent = start(family, *python(LEAVES_ORPHANS.format(count=50)))
        await until(lambda: family.reaped == 50)
        assert family.strangers() == ()
        assert parent.wait() == 42

    asyncio.run(story())


def test_nobody_s_exit_code_is_stolen_while_strangers_are_reaped() -> None:
    # B 34
    async def story() -> None:
        family = reaper()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, family.child_died)
        started = []
        for number in range(100):
            started.append(start(family, "/bin/sh", "-c", f"(exit 3 &) ; exit {number}"))
            if number % 10 == 0:
                await asyncio.sleep(0)
        with ThreadPoolExecutor(8) as pool:
            waits = [asyncio.get_running_loop().run_in_executor(pool, p.wait) for p in started]
            assert await asyncio.gather(*waits) == list(range(100))
        await until(lambda: not family.strangers())

    asyncio.run(story())


def test_who_is_removed_is_a_stranger_from_then_on() -> None:
    family = reaper()
    process = start(family, "/bin/true")
    wait(lambda: is_dead(process.pid))
    family.reap()
    assert process.pid not in family.strangers()
    assert process.wait() == 0
    family.remove(process.pid)
    family.remove(process.pid)
    assert family.started == set()


def test_reaping_with_nobody_to_reap_is_nothing() -> None:
    family = reaper()
    family.reap()
    assert (family.strangers(), family.reaped) == ((), 0)


def test_a_child_of_another_thread_is_that_thread_s_affair_and_its_orphans_are_ours() -> None:
    family = reaper()
    leaves = ("/bin/sh", "-c", "sleep 100 & echo $!; read line")
    with ThreadPoolExecutor(1) as pool:
        process = pool.submit(
            subprocess.Popen, leaves, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ).result()
        orphan = int(process.stdout.readline())
        try:
            assert family.strangers() == ()
            process.stdin.close()
            process.wait()
            wait(lambda: family.strangers() == (orphan,))
        finally:
            os.kill(orphan, signal.SIGKILL)
            process.stdout.close()
    wait(lambda: is_dead(orphan))
    family.reap()
    family.reap()
    assert (family.strangers(), family.reaped) == ((), 1)


def test_a_child_that_outlives_its_thread_comes_to_us() -> None:
    family = reaper()
    with ThreadPoolExecutor(1) as pool:
        process = pool.submit(subprocess.Popen, ("/bin/sleep", "100")).result()
    try:
        wait(lambda: family.strangers() == (process.pid,))
    finally:
        process.kill()
        process.wait()
