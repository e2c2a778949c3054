from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.model import ChildState
from monitor.options import Health, Restart, Stop
from monitor.supervise.budget import Memory
from tests.monitor import programs
from tests.monitor.crib import QUICK, Play, lives, pid_in, spec, until


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    async def story() -> None:
        play = Play(tmp_path, programs.SLEEPS)
        async with play.on() as minder:
            await until(lambda: minder.child)
            first = minder.view().pid
            assert first
            os.kill(first, signal.SIGKILL)
            await until(lambda: minder.view().starts == 2 and minder.child)
            assert minder.view().pid != first
            assert play.fact("child_ended", "why") == "was killed by SIGKILL"

    asyncio.run(story())


def test_a_child_that_keeps_dying_is_left_down_after_five_and_told_once(tmp_path: Path) -> None:
    # B 18
    async def story() -> None:
        play = Play(tmp_path, programs.DIES_AT_ONCE, restart=Restart(delay=0.01, probe_delay=60))
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.FAILED)
            assert minder.view().starts == 5
            assert play.kinds().count("breaker_opened") == 1
            assert "ended 5 times in 10 minutes" in minder.view().why
            assert 50 < (minder.view().next_start or 0) <= 60

    asyncio.run(story())


def test_an_open_breaker_tries_once_and_rests_longer_each_time(tmp_path: Path) -> None:
    async def story() -> None:
        play = Play(tmp_path, programs.DIES_AT_ONCE, restart=Restart(delay=0.01, probe_delay=0.1))
        async with play.on() as minder:
            await until(lambda: play.kinds().count("breaker_opened") == 4)
            assert minder.view().starts == 8
            delays = [dict(t.facts)["delay"] for t in play.told if t.kind == "breaker_opened"]
            assert delays == ["0.1 s", "0.2 s", "0.4 s", "0.8 s"]

    asyncio.run(story())


def test_a_probe_run_that_stays_up_closes_the_breaker(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "broken").touch()
        argv = programs.sh("test ! -e broken && exec sleep 1000")
        restart = Restart(delay=0.01, probe_delay=0.1, stable=1.3)
        play = Play(tmp_path, argv, restart=restart)
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.FAILED)
            (tmp_path / "broken").unlink()
            await until(lambda: "breaker_closed" in play.kinds())
            assert minder.view().state is ChildState.RUNNING
            assert play.memory.past.opened == 0

    asyncio.run(story())


def test_a_stop_by_a_person_is_not_undone_by_the_back_off(tmp_path: Path) -> None:
    # B 21
    async def story() -> None:
        play = Play(tmp_path, programs.DIES_AT_ONCE, restart=Restart(delay=0.2, max_delay=0.2))
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.BACKOFF)
            minder.stop("ana")
            await until(minder.down.is_set)
            starts = minder.view().starts
            await asyncio.sleep(0.5)  # longer than the back-off: nothing may come
            assert minder.view().starts == starts
            assert minder.view().state is ChildState.STOPPED
            assert play.memory.stopped_by == "ana"
            assert minder.view().why == "stopped by ana"

    asyncio.run(story())


def test_a_stop_is_remembered_by_the_next_monitor(tmp_path: Path) -> None:
    async def story() -> None:
        play = Play(tmp_path, programs.SLEEPS)
        play.memory = Memory(stopped_by="ana")
        async with play.on() as minder:
            await until(minder.down.is_set)
            assert minder.view().starts == 0
            minder.start("ana")
            await until(lambda: minder.child)
            assert play.memory.stopped_by == ""

    asyncio.run(story())


def test_a_restart_by_a_person_is_no_failure(tmp_path: Path) -> None:
    async def story() -> None:
        play = Play(tmp_path, programs.SLEEPS, restart=Restart(delay=50))
        async with play.on() as minder:
            for count in range(1, 8):
                await until(lambda count=count: minder.view().starts == count and minder.child)
                minder.restart("ana")
            await until(lambda: minder.view().starts == 8 and minder.child)
            assert play.memory.past.ends == ()

    asyncio.run(story())


def test_a_cure_is_counted_like_a_crash_so_that_repairs_cannot_loop(tmp_path: Path) -> None:
    async def story() -> None:
        from monitor.model import Cause

        play = Play(tmp_path, programs.SLEEPS)
        async with play.on() as minder:
            for count in range(1, 6):
                await until(lambda count=count: minder.view().starts == count and minder.child)
                minder.cure(Cause.REPAIR, "asked by a strategy")
                minder.cure(Cause.REPAIR, "asked twice is asked once")
            await until(lambda: minder.view().state is ChildState.FAILED)
            assert minder.view().starts == 5
            minder.cure(Cause.REPAIR, "nothing runs")
            await asyncio.sleep(0.05)
            assert minder.view().state is ChildState.FAILED

    asyncio.run(story())


@pytest.mark.parametrize(("code", "state"), [(78, "given_up"), (75, "backoff"), (1, "backoff")])
def test_exit_codes_are_answered_differently(tmp_path: Path, code: int, state: str) -> None:
    # B 20
    async def story() -> None:
        play = Play(tmp_path, programs.sh(f"exit {code}"), restart=Restart(delay=30, max_delay=30))
        async with play.on() as minder:
            await until(lambda: minder.view().state == state)
            assert minder.view().starts == 1

    asyncio.run(story())


def test_a_world_that_fails_for_long_never_opens_the_breaker(tmp_path: Path) -> None:
    async def story() -> None:
        play = Play(tmp_path, programs.sh("exit 75"), restart=replace(QUICK, limit=2))
        async with play.on() as minder:
            await until(lambda: minder.view().starts > 3)
            assert "breaker_opened" not in play.kinds()

    asyncio.run(story())


def test_what_cannot_be_executed_is_told_once_and_not_tried_again(tmp_path: Path) -> None:
    # B 16
    async def story() -> None:
        (tmp_path / "no-shebang").write_text("#!/nonexistent/interpreter\n")
        (tmp_path / "no-shebang").chmod(0o755)
        (tmp_path / "plain").write_text("no program")
        (tmp_path / "empty").touch(0o755)
        for argv, why in (
            (("/nope",), "No such file or directory"),
            ((str(tmp_path / "plain"),), "Permission denied"),
            ((str(tmp_path / "no-shebang"),), "No such file or directory"),
            ((str(tmp_path / "empty"),), "Exec format error"),
            ((str(tmp_path),), "Permission denied"),
        ):
            play = Play(tmp_path, argv)
            async with play.on() as minder:
                await until(lambda m=minder: m.view().state is ChildState.GIVEN_UP)
                assert minder.view().starts == 0
                assert why in minder.view().why
                assert play.kinds() == ["child_given_up"]

    asyncio.run(story())


def test_without_its_directory_or_its_user_it_is_not_started(tmp_path: Path) -> None:
    # B 17
    from monitor.supervise.child import Child, NotStartedError
    from monitor.supervise.family import Family

    async def story() -> None:
        for more, why in (
            ({"directory": tmp_path / "gone"}, "does not exist"),
            ({"user": "nosuchuser"}, "there is no user 'nosuchuser'"),
            ({"group": "nosuchgroup"}, "there is no group 'nosuchgroup'"),
        ):
            with pytest.raises(NotStartedError, match=why):
                Child.start(spec(tmp_path, programs.sh("touch ran"), **more), Family())
        assert not (tmp_path / "ran").exists()

    asyncio.run(story())


def test_stop_ends_grandchildren_that_left_the_session(tmp_path: Path) -> None:
    # B 2, B 3
    async def story() -> None:
        play = Play(tmp_path, programs.SPREADS)
        async with play.on() as minder:
            files = [tmp_path / "setsid.pid", tmp_path / "daemon.pid"]
            await until(lambda: all(pid_in(f)() for f in files))
            pids = [int(f.read_text()) for f in files]
            assert all(map(lives, pids))
            minder.stop("ana")
            await until(minder.down.is_set)
            assert not any(map(lives, pids))

    asyncio.run(story())


def test_stop_ends_a_daemon_without_descriptors_and_environment(tmp_path: Path) -> None:
    async def story() -> None:
        play = Play(tmp_path, programs.HIDES)
        async with play.on() as minder:
            await until(pid_in(tmp_path / "daemon.pid"))
            pid = int((tmp_path / "daemon.pid").read_text())
            assert lives(pid)
            minder.stop("ana")
            await until(minder.down.is_set)
            await until(lambda: not lives(pid), what="the hidden daemon ends")

    asyncio.run(story())


def test_a_crash_takes_its_orphans_along_before_the_next_start(tmp_path: Path) -> None:
    async def story() -> None:
        argv = programs.sh("setsid sleep 1000 & echo $! > orphan.pid; sleep 0.1; exit 3")
        play = Play(tmp_path, argv, restart=Restart(delay=30, max_delay=30))
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.BACKOFF)
            assert not lives(int((tmp_path / "orphan.pid").read_text()))
            assert play.fact("child_swept", "count") == "1"

    asyncio.run(story())


def test_a_child_that_ignores_term_is_killed_after_its_time(tmp_path: Path) -> None:
    # B 8
    async def story() -> None:
        play = Play(tmp_path, programs.IGNORES_TERM, stop=Stop(timeout=0.3))
        async with play.on() as minder:
            await until(lambda: "ready" in _log(tmp_path))
            asked = time.monotonic()
            minder.stop("ana")
            await until(minder.down.is_set)
            assert 0.3 <= time.monotonic() - asked < 3
            assert play.kinds().count("child_slow_to_stop") == 1

    asyncio.run(story())


def test_a_second_wish_to_end_hurries(tmp_path: Path) -> None:
    # B 24
    async def story() -> None:
        play = Play(tmp_path, programs.IGNORES_TERM, stop=Stop(timeout=60))
        async with play.on() as minder:
            await until(lambda: "ready" in _log(tmp_path))
            minder.stop("ana")
            await until(lambda: minder.view().state is ChildState.STOPPING)
            minder.hurry.set()
            await until(minder.down.is_set)

    asyncio.run(story())


def test_a_stopped_process_is_woken_to_end_by_itself(tmp_path: Path) -> None:
    # B 9
    async def story() -> None:
        argv = programs.sh("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
        play = Play(tmp_path, argv, stop=Stop(timeout=10))
        async with play.on() as minder:
            await until(lambda: "ready" in _log(tmp_path))
            assert minder.child
            os.kill(minder.child.pid, signal.SIGSTOP)
            minder.stop("ana")
            await until(minder.down.is_set)
            assert "bye" in _log(tmp_path)
            assert "child_slow_to_stop" not in play.kinds()

    asyncio.run(story())


def test_a_child_in_the_background_is_told_once_and_ended_at_stop(tmp_path: Path) -> None:
    # B 1
    async def story() -> None:
        play = Play(tmp_path, programs.DAEMONISES)
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.DAEMONISED)
            pid = int((tmp_path / "daemon.pid").read_text())
            await asyncio.sleep(0.3)
            assert lives(pid)
            assert minder.view().starts == 1
            assert play.kinds().count("child_daemonised") == 1
            minder.stop("ana")
            await until(minder.down.is_set)
            assert not lives(pid)

    asyncio.run(story())


def test_an_early_copy_that_a_killed_monitor_left_is_ended_first(tmp_path: Path) -> None:
    # B 5
    async def story() -> None:
        left = await asyncio.create_subprocess_exec(
            *("flock", "-n", str(tmp_path / "data" / "kid.lock"), "sleep", "1000"),
            start_new_session=True,
        )
        play = Play(tmp_path, programs.SLEEPS)
        (tmp_path / "data").mkdir(exist_ok=True)
        with contextlib.suppress(ProcessLookupError):
            await until(lambda: not _is_free(tmp_path))
        async with play.on() as minder:
            await until(lambda: minder.child)
            assert left.returncode is not None or await left.wait()
            assert "orphans_ended" in play.kinds()
            assert str(left.pid) in play.fact("orphans_ended", "pids")
            assert minder.view().starts == 1

    (tmp_path / "data").mkdir()
    asyncio.run(story())


def test_by_policy_an_earlier_copy_is_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        left = await asyncio.create_subprocess_exec(
            *("flock", "-n", str(tmp_path / "data" / "kid.lock"), "sleep", "1000")
        )
        await until(lambda: not _is_free(tmp_path))
        play = Play(tmp_path, programs.SLEEPS, stop=Stop(timeout=1.0, orphans="wait"))
        async with play.on() as minder:
            await until(lambda: "orphans_awaited" in play.kinds())
            assert minder.view().state is ChildState.WAITING
            assert lives(left.pid)
            assert minder.view().starts == 0
            for pid in _flock_and_sleep(left.pid):
                os.kill(pid, signal.SIGKILL)
            await left.wait()
            await until(lambda: minder.child)
            assert play.kinds().count("orphans_awaited") == 1

    (tmp_path / "data").mkdir()
    asyncio.run(story())


def test_a_child_waits_for_the_one_it_comes_after(tmp_path: Path) -> None:
    async def story() -> None:
        first = asyncio.Event()
        play = Play(tmp_path, programs.SLEEPS)
        async with play.on(lambda: None if first.is_set() else first) as minder:
            await until(lambda: minder.view().state is ChildState.WAITING)
            assert minder.view().starts == 0
            first.set()
            await until(lambda: minder.child)

    asyncio.run(story())


def test_an_exit_in_the_first_second_never_counts_as_running(tmp_path: Path) -> None:
    # B 15
    async def story() -> None:
        play = Play(tmp_path, programs.sh("sleep 0.2; exit 1"), restart=QUICK)
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.FAILED)
            assert not minder.running.is_set()

    asyncio.run(story())


def test_memory_of_the_whole_tree_is_limited_with_a_rest(tmp_path: Path) -> None:
    # B 23
    async def story() -> None:
        argv = programs.python(
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    hold = bytearray(80 << 20)\n"
            "    time.sleep(1000)\n"
            "time.sleep(1000)\n"
        )
        health = Health(every=0.05, memory=60 << 20, memory_rest=600)
        play = Play(tmp_path, argv, health=health)
        async with play.on() as minder:
            await until(lambda: minder.view().starts == 2)
            assert "more than 60.0 MB" in play.fact("child_sick", "why")
            await until(lambda: (minder.view().vitals.memory or 0) > 60 << 20)
            await asyncio.sleep(0.3)
            assert minder.view().starts == 2, "the second time it must rest"

    asyncio.run(story())


def test_silence_in_the_log_is_a_hang_when_it_is_asked_for(tmp_path: Path) -> None:
    # B 10
    async def story() -> None:
        argv = programs.sh("echo hello; exec sleep 1000")
        play = Play(tmp_path, argv, health=Health(every=0.05, silence=0.4))
        async with play.on() as minder:
            await until(lambda: minder.view().starts == 2)
            assert "has written nothing for" in play.fact("child_sick", "why")

    asyncio.run(story())


def test_a_heartbeat_file_that_stands_still_is_a_hang(tmp_path: Path) -> None:
    async def story() -> None:
        argv = programs.sh("touch beat; exec sleep 1000")
        play = Play(tmp_path, argv, health=Health(every=0.05, hang_after=0.4, heartbeat="beat"))
        async with play.on() as minder:
            await until(lambda: minder.view().starts == 2)
            assert "has finished nothing for" in play.fact("child_sick", "why")

    asyncio.run(story())


def test_closing_stdout_is_no_death_and_costs_nothing(tmp_path: Path) -> None:
    # B 11, B 13
    async def story() -> None:
        play = Play(tmp_path, programs.sh("exec >&- 2>&-; exec sleep 1000"))
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.RUNNING)
            before = time.process_time()
            await asyncio.sleep(0.3)
            assert time.process_time() - before < 0.1
            assert minder.view().starts == 1

    asyncio.run(story())


def _log(home: Path) -> str:
    log = home / "logs" / "kid.log"
    return log.read_text() if log.exists() else ""


def _is_free(home: Path) -> bool:
    from monitor.supervise import lock

    return lock.is_free(home / "data" / "kid.lock")


def _flock_and_sleep(pid: int) -> list[int]:
    import psutil

    return [pid, *(child.pid for child in psutil.Process(pid).children())]


def test_a_child_that_a_person_started_is_told_as_stable_for_its_trouble_was_told(
    tmp_path: Path,
) -> None:
    """A person's start forgets the ledger; the alert about the open breaker must end all the same."""

    async def story() -> None:
        (tmp_path / "broken").touch()
        argv = programs.sh("test ! -e broken && exec sleep 1000")
        restart = Restart(delay=0.01, probe_delay=60, stable=0.5)
        play = Play(tmp_path, argv, restart=restart)
        async with play.on() as minder:
            await until(lambda: minder.view().state is ChildState.FAILED)
            (tmp_path / "broken").unlink()
            minder.start("ana")
            await until(lambda: "child_stable" in play.kinds())
            assert minder.view().state is ChildState.RUNNING

    asyncio.run(story())
