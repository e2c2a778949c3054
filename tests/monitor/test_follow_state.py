"""Section A4 of the cases: restarts, backlogs, floods, and systems that do not help."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest

from monitor.follow.tail import Tail
from monitor.follow.turn import Turn
from monitor.model import FileId, Position
from monitor.state import State

from .follow_story import MODES, Reader, id_of, reader, write


# A 51
@pytest.mark.parametrize("mode", MODES)
def test_a_restart_goes_on_where_the_last_run_ended(tmp_path, mode):
    log = tmp_path / "a"
    write(log, "old\n")
    seen = reader(log, mode=mode)
    seen.poll()
    write(log, "".join(f"{n}\n" for n in range(100)))
    seen.until(*map(str, range(100)))
    positions = seen.close()
    write(log, "".join(f"{n}\n" for n in range(100, 200)))
    again = reader(log, mode=mode, positions=positions)
    again.until(*map(str, range(100, 200)))
    assert not any(chunk.old for chunk in again.record.chunks)
    again.close()


# A 51
def test_a_position_is_known_again_on_another_device_number(tmp_path):
    log = tmp_path / "a"
    write(log, "one\n" * 100)
    first = Reader(log, from_start=True)
    first.poll()
    (known,) = first.close()
    write(log, "two\n")
    moved = Position(
        known.path,
        FileId(known.id.device + 1, known.id.inode),
        known.offset,
        known.head,
        known.marker,
    )
    second = Reader(log, positions=[moved])
    second.until("two")
    second.close()


# A 53
@pytest.mark.parametrize("offset", [-5, 3, 10**15])
def test_a_position_that_makes_no_sense_does_not_stop_us(tmp_path, offset):
    log = tmp_path / "a"
    write(log, "one\ntwo\n")
    nonsense = Position(str(log), id_of(log), offset, b"no", b"sense")
    seen = Reader(log, positions=[nonsense])
    seen.until("one", "two")
    assert "rewritten" in seen.gaps[0].why
    seen.close()


# A 54
def test_following_needs_no_state_at_all(tmp_path):
    with State.in_memory() as state:
        write(tmp_path / "a", "")
        seen = Reader(tmp_path / "a", positions=state.positions())
        seen.poll()
        write(tmp_path / "a", "one\n")
        seen.until("one")
        with state.transaction():
            state.save_positions(seen.close(), 1.0)


# A 55
def test_ten_thousand_rotated_names_leave_a_small_state(tmp_path):
    path = str(tmp_path / "state.db")
    with State.open(path, at=0.0, warn=pytest.fail) as state:
        for day in range(100):
            names = [
                Position(
                    f"/var/log/app-{day}-{n}.log", FileId(1, day * 100 + n), 5, b"h" * 16, b"m" * 16
                )
                for n in range(100)
            ]
            with state.transaction():
                state.save_positions(names, day * 3600.0)
                state.forget_gone()
        assert state.positions() != []
        with state.transaction():
            state.save_positions(names[:1], 8 * 86400 + 99 * 3600.0)
            state.forget_gone()
        assert len(state.positions()) == 1
    assert os.path.getsize(path) < 2_000_000


def test_places_of_files_no_longer_open_are_remembered_but_not_without_end(tmp_path):
    log = tmp_path / "a"
    write(log, "")
    seen = Reader(log)
    seen.poll()
    for n in range(400):
        os.rename(log, tmp_path / f"a.{n}")
        write(log, f"{n}\n")
        seen.poll(6.0)
    assert len(seen.lines) == 400
    assert len(seen.close()) < 270


# A 56
def test_two_gigabytes_of_old_lines_are_passed_over_at_once(tmp_path):
    log = tmp_path / "a"
    write(log, "ERROR old\n" * 1000)
    os.truncate(log, 2 * 1024**3)
    write(log, "ERROR old\n")
    start = time.monotonic()
    seen = Reader(log)
    seen.poll()
    assert time.monotonic() - start < 2
    write(log, "ERROR new\n")
    seen.until("ERROR new")
    seen.close()


# A 56
def test_old_lines_that_are_asked_for_are_marked_and_new_ones_are_not(tmp_path):
    log = tmp_path / "a"
    write(log, "old\n" * 200_000 + "half")
    seen = Reader(log, from_start=True)
    first = seen.follower.poll(1.0, 1.0)
    seen.record.add(first)
    write(log, " old\nnew\n")
    seen.wait(lambda: seen.lines[-1] == "new")
    old = b"".join(c.data for c in seen.record.chunks if c.old)
    new = b"".join(c.data for c in seen.record.chunks if not c.old)
    assert (old, new) == (b"old\n" * 200_000 + b"half old\n", b"new\n")
    seen.close()


# A 56
def test_old_and_new_lines_do_not_come_in_one_chunk(tmp_path):
    log = tmp_path / "a"
    write(log, "old\n")

    fd = os.open(log, os.O_RDONLY)
    tail = Tail(fd, str(log), id_of(log), 0, now=0.0, old_until=4)
    write(log, "new\n")
    turn = Turn(0.0, 0.0)
    tail.read(10**6, turn, 2.0)
    assert [(c.data, c.old) for c in turn.out] == [
        (b"old\n", True),
        (b"new\n", False),
    ]
    os.close(fd)


# A 57
def test_a_backlog_after_a_long_stop_is_work_and_is_not_old(tmp_path):
    log = tmp_path / "a"
    write(log, "")
    first = Reader(log)
    first.poll()
    positions = first.close()
    write(log, "ERROR\n" * 500)
    write(tmp_path / "a.1", "")
    second = Reader(log, positions=positions)
    second.until(*["ERROR"] * 500)
    assert not any(chunk.old for chunk in second.record.chunks)
    second.close()


# A 57
def test_a_file_that_appeared_under_a_followed_glob_while_we_were_down_is_read(tmp_path):
    pattern = f"{tmp_path}/*.log"
    write(tmp_path / "a.log", "old\n")
    first = Reader(pattern)
    first.poll()
    positions = first.close()
    write(tmp_path / "b.log", "born meanwhile\n")
    second = Reader(pattern, positions=positions)
    second.until("born meanwhile")
    second.close()


# A 58
def test_a_flood_does_not_starve_a_quiet_log(tmp_path):
    flood, quiet = tmp_path / "a", tmp_path / "b"
    write(flood, "")
    write(quiet, "")
    seen = Reader(flood, quiet)
    seen.poll()
    write(flood, ("x" * 99 + "\n") * 500_000)
    write(quiet, "ERROR\n")
    turn = seen.follower.poll(1.0, 1.0)
    assert [c.data for c in turn if c.path == str(quiet)] == [b"ERROR\n"]
    assert sum(len(c.data) for c in turn) < 2_500_000


# A 58
def test_many_floods_all_get_their_turn(tmp_path):
    for n in range(20):
        write(tmp_path / f"{n}.log", "")
    seen = Reader(f"{tmp_path}/*.log")
    seen.poll()
    for n in range(20):
        write(tmp_path / f"{n}.log", ("x" * 99 + "\n") * 25_000)
    heard = set()
    for _ in range(6):
        turn = seen.follower.poll(1.0, 1.0)
        assert sum(len(c.data) for c in turn) < 6_000_000
        heard |= {c.path for c in turn}
    assert len(heard) == 20
    seen.close()


@pytest.mark.parametrize("mode", ["inotify", "polling"])
def test_a_flood_is_followed_to_its_last_line(tmp_path, mode):
    log = tmp_path / "a"
    write(log, "")
    seen = reader(log, mode=mode)
    seen.poll()
    story = (
        "import os, sys\nfd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)\n"
        "for n in range(100_000): os.write(fd, b'%d\\n' % n)"
    )
    writer = subprocess.Popen([sys.executable, "-c", story, log])
    assert writer.wait(60) == 0
    seen.wait(lambda: b"".join(c.data for c in seen.record.chunks).count(b"\n") == 100_000)
    assert seen.lines == [str(n) for n in range(100_000)]
    seen.close()


# A 59
def test_without_watches_all_lines_come_by_polling(tmp_path):
    story = """
import asyncio, sys, time
from monitor.follow.follower import Follower
from monitor.follow.live import follow
log = sys.argv[1]
open(log, "w").close()
lines, late = [], []
def deliver(turn):
    for item in turn:
        for text in item.data.split():
            lines.append(text)
            late.append(time.monotonic() - float(text))
async def main():
    task = asyncio.create_task(follow(Follower([log]), deliver))
    await asyncio.sleep(0.2)
    for n in range(5):
        with open(log, "a") as file:
            file.write(f"{time.monotonic()}\\n")
        await asyncio.sleep(0.3)
    await asyncio.sleep(1.5 if len(lines) < 5 else 0)
    task.cancel()
asyncio.run(main())
assert len(lines) == 5, lines
assert max(late) <= 1.5, late
"""
    unshare = shutil.which("unshare")
    if not unshare:
        pytest.skip("needs unshare")
    shell = 'echo 0 > /proc/sys/user/max_inotify_watches || exit 77; exec "$0" -c "$1" "$2"'
    done = subprocess.run(
        [unshare, "-Ur", "sh", "-c", shell, sys.executable, story, tmp_path / "a"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"needs a user namespace: {done.stderr}")
    assert done.returncode == 0, done.stderr


# A 60
def test_events_that_the_kernel_dropped_are_not_missed(tmp_path):
    """M11: two files written by turns while nobody reads the queue, and a rotation at the end."""
    one, two = tmp_path / "a", tmp_path / "b"
    write(one, "")
    write(two, "")
    seen = reader(one, two, mode="inotify")
    with seen.stopped():
        with open(one, "ab", buffering=0) as first, open(two, "ab", buffering=0) as second:
            for n in range(20_000):
                first.write(b"a%d\n" % n)
                second.write(b"b%d\n" % n)
        os.rename(one, tmp_path / "a.1")
        write(one, "new\n")
    seen.wait(lambda: len(seen.lines) == 40_001)
    assert len(set(seen.lines)) == 40_001
    seen.close()


# A 62
def test_a_clock_that_jumps_and_mtimes_of_the_future_neither_stall_nor_repeat(tmp_path):
    log = tmp_path / "a"
    write(log, "")
    seen = Reader(log)
    wall = 1e9
    seen.record.add(seen.follower.poll(1.0, wall))
    for n, (jump, mtime) in enumerate([(-3600, 2**33), (86400, 0), (-1e9, 1), (1e9, 2**32)]):
        write(log, f"{n}\n")
        os.utime(log, (mtime, mtime))
        seen.record.add(seen.follower.poll(2.0 + n, wall + jump))
        os.utime(log, (0, 0))
        seen.record.add(seen.follower.poll(2.5 + n, wall - jump))
    assert seen.lines == ["0", "1", "2", "3"]
    assert seen.gaps == []
    seen.close()


def test_what_happens_between_the_first_look_and_the_watch_is_seen(tmp_path):
    log = tmp_path / "a"
    write(log, "")
    seen = reader(log, mode="inotify")
    for n in range(30):
        write(log, f"{n}\n")
        if n % 3 == 0:
            os.rename(log, tmp_path / f"a.{n}")
            write(log, f"new {n}\n")
    seen.wait(lambda: len(seen.lines) == 40)
    seen.close()


def test_positions_cover_what_was_read_and_not_what_stands_in_its_place_since(tmp_path):
    log = tmp_path / "a"
    write(log, "one\ntwo\n")
    seen = Reader(log, from_start=True)
    seen.poll()
    write(log, "something else and more\n", new=True)
    positions = seen.follower.positions({id_of(log): 4})
    seen.close()
    assert [one.offset for one in positions] == [4]
    again = Reader(log, positions=positions)
    again.until("something else and more")
    again.close()
    assert sqlite3.sqlite_version_info >= (3, 37)  # the state's tables are STRICT


# Covered elsewhere:
# A 52 (a crash between decision and checkpoint): test_follow_kill.py.
# A 53 (fifty broken state files), A 54 (a full or read-only disk): test_state.py.
# A 57 (an age limit, one summary): the incidents; the follower only says what is `old`.
# A 59 (limits), A 61 (no inotify, remote file systems): also test_wake.py.


def test_a_read_that_fails_amid_a_file_loses_nothing_and_is_tried_again(tmp_path, monkeypatch):
    log, lines = tmp_path / "a", [f"line {number}" for number in range(60_000)]
    real, calls = os.preadv, itertools.count()

    def failing(fd, buffers, offset):
        if next(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", failing)
    write(log, "".join(f"{line}\n" for line in lines))
    seen = reader(log, mode="core", from_start=True)
    seen.until(*lines)
    assert [gap.why for gap in seen.gaps] == ["cannot be read: Input/output error"]
    seen.close()
