"""The bell rings for writes, leaks nothing, and says where it cannot hear."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import threading
import time

import pytest

from monitor.follow import pace
from monitor.follow.follower import Follower
from monitor.follow.live import follow
from monitor.follow.mounts import is_mounted_alone, is_remote
from monitor.follow.pace import Listen, Pace, Read
from monitor.follow.wake import DOUBTS, Bell

from .follow_story import write


def play(story):
    async def main():
        bell = Bell()
        try:
            await story(bell)
        finally:
            bell.close()

    before = threading.active_count()
    asyncio.run(main())
    assert threading.active_count() == before


def test_it_rings_when_a_file_in_a_watched_folder_is_written(tmp_path):
    async def story(bell):
        assert bell.arm([str(tmp_path)])
        assert not bell.arm([str(tmp_path)])
        write(tmp_path / "a", "x")
        assert await bell.wait(5.0)

    play(story)


def test_it_keeps_silent_when_it_is_taken_off_and_rings_again_when_it_is_hung_again(tmp_path):
    async def story(bell):
        bell.arm([str(tmp_path)])
        bell.disarm()
        write(tmp_path / "a", "x")
        assert not await bell.wait(0.1)
        assert bell.arm([str(tmp_path)])
        write(tmp_path / "a", "x")
        assert await bell.wait(5.0)

    play(story)


# A 24, A 18
@pytest.mark.parametrize("how", ["deleted", "renamed"])
def test_a_folder_that_was_made_again_needs_a_new_watch_and_gets_it(tmp_path, how):
    folder = tmp_path / "logs"

    async def story(bell):
        for n in range(5):
            folder.mkdir()
            assert bell.arm([str(folder)])
            write(folder / "a", "x")
            assert await bell.wait(5.0)
            if how == "deleted":
                shutil.rmtree(folder)
            else:
                os.rename(folder, tmp_path / f"old{n}")
            bell.arm([])

    play(story)


def test_a_thousand_times_on_and_off_leave_no_descriptor_and_no_thread(tmp_path):
    async def story(bell):
        bell.arm([str(tmp_path)])
        bell.disarm()
        fds, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        for n in range(1000):
            bell.arm([str(tmp_path)])
            if n % 10 == 0:
                write(tmp_path / "a", "x")
            bell.disarm()
        assert len(os.listdir("/proc/self/fd")) <= fds
        assert threading.active_count() <= threads

    play(story)


# A 59
def test_without_descriptors_it_says_that_it_is_deaf(tmp_path):
    async def story(bell):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = max(int(fd) for fd in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
        taken = []
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            assert not bell.arm([str(tmp_path)])
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for fd in taken:
                os.close(fd)
        assert "instance limit" in bell.deaf[str(tmp_path)]

    play(story)


def test_a_missing_folder_and_a_remote_one_are_deaf(tmp_path):
    async def story(bell):
        assert not bell.arm([str(tmp_path / "no"), "/proc"])
        assert "No such file" in bell.deaf[str(tmp_path / "no")]
        assert "local" in bell.deaf["/proc"]
        assert bell.arm([str(tmp_path)])
        assert bell.deaf == {}

    play(story)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes nobody, which only root can")
def test_a_folder_that_may_not_be_read_is_deaf_though_watchdog_says_nothing(tmp_path):
    async def story(bell):
        tmp_path.chmod(0o700)
        os.seteuid(65534)
        try:
            assert not bell.arm([str(tmp_path)])
        finally:
            os.seteuid(0)
        assert bell.deaf

    play(story)


def test_a_bell_that_keeps_silent_when_there_is_something_is_given_up(tmp_path):
    async def story(bell):
        for _ in range(DOUBTS):
            assert not bell.deaf
            assert bell.arm([str(tmp_path)])
            bell.heard(rang=False)
        assert bell.deaf
        assert not bell.arm([str(tmp_path)])

    play(story)


def test_a_ring_after_the_loop_has_ended_hurts_nobody(tmp_path):
    rings = []

    async def story(bell):
        rings.append(bell._ring)

    play(story)
    rings[0].on_any_event(None)


def test_where_a_folder_lies_is_known():
    assert is_remote("/proc")
    assert not is_remote("/")
    assert not is_remote("/no/such/folder")
    assert not is_mounted_alone("/proc/version")


# --- the pace -----------------------------------------------------------------------------------


def turns(*brought, rang=False, gap=0.001, start=10.0):
    state = Pace()
    now = start
    for new in brought:
        now += gap
        state = pace.after(state, now, new=new, rang=rang, all=True)
    return state, now


def test_a_single_line_does_not_take_the_bell_down():
    state, now = turns(True)
    assert pace.plan(state, now, behind=False, deaf=False) == Listen(pace.RECONCILE)


def test_line_upon_line_is_read_in_steps_until_it_is_quiet():
    state, now = turns(True, True, True)
    assert pace.plan(state, now, behind=False, deaf=False) == Read(pace.STEP, all=False)
    later = pace.after(state, now + 2 * pace.QUIET, new=False, rang=False, all=False)
    assert isinstance(pace.plan(later, now + 2 * pace.QUIET, behind=False, deaf=False), Listen)


def test_what_is_behind_is_read_at_once_and_all_is_looked_at_now_and_then():
    state, now = turns(True)
    assert pace.plan(state, now, behind=True, deaf=False) == Read(0.0, all=False)
    assert pace.plan(state, now + 2 * pace.GLANCE, behind=True, deaf=False) == Read(0.0, all=True)


def test_without_a_bell_it_is_asked_more_often():
    assert pace.plan(Pace(), 0.0, behind=False, deaf=True) == Listen(pace.POLL)


def test_a_folder_in_which_others_write_all_the_time_does_not_keep_us_awake():
    state, now = turns(*[False] * pace.FALSE, rang=True)
    assert pace.plan(state, now, behind=False, deaf=False) == Read(pace.STORM, all=True)
    assert isinstance(pace.plan(state, now + 2, behind=False, deaf=False), Listen)


# --- all together -------------------------------------------------------------------------------


def test_while_nothing_happens_nothing_wakes_up_but_the_reconcile(tmp_path):
    write(tmp_path / "a", "")
    times = []

    def now():
        times.append(time.monotonic())
        return times[-1]

    async def main():
        task = asyncio.create_task(follow(Follower([str(tmp_path / "a")]), print, monotonic=now))
        await asyncio.sleep(2.5)  # idleness has a duration
        task.cancel()

    asyncio.run(main())
    assert len(times) / 2 <= 6


def test_what_deliver_raises_ends_the_following_and_frees_everything(tmp_path):
    write(tmp_path / "a", "")
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))

    def deliver(turn):
        raise ZeroDivisionError

    async def main():
        follower = Follower([str(tmp_path / "a")], from_start=True)
        write(tmp_path / "a", "x\n")
        try:
            with pytest.raises(ZeroDivisionError):
                await follow(follower, deliver)
        finally:
            follower.close()

    asyncio.run(main())
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_the_bell_makes_it_quick(tmp_path):
    """Not a benchmark: only that nobody waits for the reconcile."""
    log = tmp_path / "a"
    write(log, "")
    late = []

    def deliver(turn):
        late.extend(time.monotonic() - float(one.data) for one in turn)

    async def main():
        task = asyncio.create_task(follow(Follower([str(log)]), deliver))
        for _ in range(10):
            await asyncio.sleep(0.05)
            write(log, f"{time.monotonic()}\n")
        while len(late) < 10:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(main(), 20))
    assert sorted(late)[5] < 0.2
