"""Section A1 of the cases: a log is rotated in every way, and each line is still read once."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import subprocess
import time

import pytest

from monitor.model import Chunk
from monitor.supervise.capture import rotate
from monitor.supervise.tree import Tree

from .follow_story import DEADLINE, MODES, Reader, append, id_of, reader, write


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def begin(mode):
    """Starts readers in the mode of the test, and ends them."""
    started: list[Reader] = []

    def start(*patterns, **settings):
        started.append(reader(*patterns, mode=mode, **settings))
        started[-1].poll()
        return started[-1]

    yield start
    for one in started:
        one.close()


def open_log(path):
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


# A 1
def test_a_writer_that_keeps_the_renamed_file_and_one_that_writes_the_new_one_are_both_read(
    tmp_path, begin
):
    log = tmp_path / "a"
    first = open_log(log)
    seen = begin(log)
    append(first, "before\n")
    seen.until("before")
    os.rename(log, tmp_path / "a.1")
    append(first, "old\n")
    second = open_log(log)
    append(second, "new\n")
    seen.until("before", "old", "new")
    os.close(first)
    os.close(second)


# A 2
def test_the_unread_end_of_a_rotated_file_is_read_before_the_new_file(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "")
    seen = begin(log)
    with seen.stopped():
        write(log, "".join(f"old {n}\n" for n in range(1000)))
        os.rename(log, tmp_path / "a.1")
        write(log, "".join(f"new {n}\n" for n in range(10)))
    seen.until(*[f"old {n}" for n in range(1000)], *[f"new {n}" for n in range(10)])


# A 2
def test_a_big_unread_end_is_read_to_its_end_before_the_new_file(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "")
    seen = begin(log)
    with seen.stopped():
        write(log, "".join(f"old {n:01000}\n" for n in range(9000)))
        os.rename(log, tmp_path / "a.1")
        write(log, "new\n")
    seen.wait(lambda: seen.lines[-1:] == ["new"])
    assert len(seen.lines) == 9001


# A 3
def test_three_rotations_while_nobody_looks_are_read_in_the_order_of_writing(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = begin(log, from_start=True)
    seen.until("one")
    with seen.stopped():
        write(log, "two\n")
        for number, text in enumerate(("three\n", "four\n", "five\n")):
            for n in range(number, -1, -1):
                os.rename(tmp_path / (f"a.{n}" if n else "a"), tmp_path / f"a.{n + 1}")
            write(log, text)
    seen.until("one", "two", "three", "four", "five")
    assert seen.gaps == []


# A 3
def test_a_generation_that_was_deleted_unread_is_said_to_be_lost(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = begin(log, from_start=True)
    seen.until("one")
    with seen.stopped():
        for text in ("two\n", "three\n", "four\n"):
            os.replace(log, tmp_path / "a.1")
            write(log, text)
    seen.until("one", "three", "four")
    assert [gap for gap in seen.gaps if "lost" in gap.why]


# A 4
def test_a_rotated_file_is_let_go_when_it_has_rested(tmp_path, begin, mode):
    log = tmp_path / "a"
    writer = open_log(log)
    seen = begin(log)
    os.rename(log, tmp_path / "a.1")
    write(log, "new\n")
    append(writer, "soon\n")
    seen.wait(lambda: sorted(seen.lines) == ["new", "soon"])
    seen.rest(10 if mode == "core" else 1.2)
    old = id_of(tmp_path / "a.1")
    seen.wait(lambda: old not in seen.follower.tails)
    append(writer, "too late\n")
    seen.rest(2 if mode == "core" else 1.2)
    assert sorted(seen.lines) == ["new", "soon"]
    os.close(writer)


# A 4
def test_what_came_too_late_in_a_rotated_file_is_found_at_the_next_rotation(tmp_path, begin, mode):
    log = tmp_path / "a"
    writer = open_log(log)
    append(writer, "x" * 40 + "\n")
    seen = begin(log)
    append(writer, "one\n")
    os.rename(log, tmp_path / "a.1")
    write(log, "new\n")
    seen.until("one", "new")
    seen.rest(10 if mode == "core" else 1.5)
    assert list(seen.follower.tails) == [id_of(log)]
    append(writer, "too late\n")
    os.close(writer)
    restarted = Reader(log, positions=seen.close())
    restarted.poll()
    os.rename(tmp_path / "a.1", tmp_path / "a.2")
    os.rename(log, tmp_path / "a.1")
    write(log, "next\n")
    restarted.until("too late", "next")
    restarted.close()


def test_a_file_that_our_own_child_still_writes_is_kept_however_long_it_rests(tmp_path):
    log = tmp_path / "a"
    writer = open_log(log)
    old = id_of(log)
    seen = Reader(log, held=lambda which: which == old)
    seen.poll()
    os.rename(log, tmp_path / "a.1")
    write(log, "")
    seen.rest(30)
    append(writer, "late\n")
    seen.until("late")
    os.close(writer)
    seen.close()


# A 5
def test_a_rename_without_a_new_file_is_followed_and_makes_no_noise(tmp_path, begin, mode):
    log = tmp_path / "a"
    writer = open_log(log)
    seen = begin(log)
    os.rename(log, tmp_path / "a.1")
    append(writer, "old\n")
    seen.until("old")
    seen.rest(30 if mode == "core" else 1.5)
    append(writer, "still there\n")
    seen.until("old", "still there")
    write(log, "new\n")
    seen.until("old", "still there", "new")
    assert seen.gaps == []
    os.close(writer)


# A 6
def test_a_file_moved_away_truncated_and_moved_back_is_read_from_its_start_once(tmp_path, begin):
    log, other = tmp_path / "a", tmp_path / "b"
    write(log, "one\ntwo\n")
    seen = begin(log, from_start=True)
    seen.until("one", "two")
    with seen.stopped():
        os.rename(log, other)
        os.truncate(other, 0)
        os.rename(other, log)
        write(log, "three\n")
    seen.until("one", "two", "three")


# A 7
def test_a_new_file_moved_over_the_log_is_read_from_its_start_and_then_followed(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "old 1\nold 2\n")
    seen = begin(log)
    write(log, "last\n")
    write(tmp_path / "a.new", "new 1\nnew 2\n")
    os.replace(tmp_path / "a.new", log)
    seen.until("last", "new 1", "new 2")
    write(log, "appended\n")
    seen.until("last", "new 1", "new 2", "appended")


# A 8
@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_file_saved_again_with_one_more_line_gives_that_line_only(tmp_path, begin, count):
    log = tmp_path / "a"
    write(log, "".join(f"line {n}\n" for n in range(count)))
    seen = begin(log)
    write(log, "known\n")
    seen.until("known")
    for n in range(5):
        shutil.copy(log, tmp_path / "tmp")
        write(tmp_path / "tmp", f"added {n}\n")
        os.replace(tmp_path / "tmp", log)
        seen.until("known", *[f"added {k}" for k in range(n + 1)])
    write(log, "appended\n")
    seen.wait(lambda: seen.lines[-1] == "appended")


# A 9
def test_after_copytruncate_the_new_lines_are_read(tmp_path, begin):
    log = tmp_path / "a"
    writer = open_log(log)
    seen = begin(log)
    append(writer, "one\ntwo\n")
    seen.until("one", "two")
    shutil.copy(log, tmp_path / "a.1")
    os.truncate(log, 0)
    append(writer, "three\n")
    seen.until("one", "two", "three")
    assert not any(b"\0" in chunk.data for chunk in seen.record.chunks)
    os.close(writer)


# A 10
def test_what_was_seen_but_not_read_when_it_was_truncated_is_counted(tmp_path):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = Reader(log, from_start=True)
    seen.until("one")
    write(log, "x" * 500)
    seen.poll()
    os.truncate(log, 0)
    seen.poll()
    assert [gap.bytes for gap in seen.gaps] == [500]
    assert "truncated" in seen.gaps[0].why
    seen.close()


# A 10
def test_the_unread_end_of_a_truncated_file_is_read_from_its_copy(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = begin(log, from_start=True)
    seen.until("one")
    with seen.stopped():
        write(log, "two\n")
        shutil.copy(log, tmp_path / "a.1")
        os.truncate(log, 0)
        write(log, "three\n")
    seen.wait(lambda: sorted(seen.lines) == ["one", "three", "two"])
    assert [gap.bytes for gap in seen.gaps] == [0]


def test_a_truncation_of_our_own_is_no_loss(tmp_path):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = Reader(log, from_start=True)
    seen.until("one")
    os.truncate(log, 0)
    seen.follower.begin_anew(id_of(log))
    write(log, "two and more\n")
    seen.until("one", "two and more")
    assert seen.gaps == []
    seen.close()


def test_a_log_that_grows_back_to_its_old_length_after_a_truncation_of_our_own_is_not_read_again(
    tmp_path,
):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = Reader(log, from_start=True)
    seen.until("one")
    seen.follower.positions()
    os.truncate(log, 0)
    seen.follower.begin_anew(id_of(log))
    write(log, "two\n")
    seen.until("one", "two")
    again = Reader(log, positions=seen.close())
    write(log, "three\n")
    again.until("three")
    assert again.gaps == []
    again.close()


# A 11
def test_a_file_truncated_and_grown_beyond_the_old_place_is_read_from_its_start(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "one\ntwo\n")
    seen = begin(log, from_start=True)
    seen.until("one", "two")
    with seen.stopped():
        write(log, "three and longer\nfour and longer\n", new=True)
    seen.until("one", "two", "three and longer", "four and longer")
    assert len(seen.gaps) == 1


# A 12
def test_a_file_rewritten_to_the_same_size_is_read_again_once(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "one\ntwo\n")
    seen = begin(log, from_start=True)
    seen.until("one", "two")
    with seen.stopped():
        write(log, "eno\nowt\n", new=True)
    seen.until("one", "two", "eno", "owt")


# A 12
def test_a_touched_file_gives_nothing_again(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = begin(log, from_start=True)
    seen.until("one")
    os.utime(log)
    write(log, "two\n")
    seen.until("one", "two")
    assert seen.gaps == []


# A 13
def test_a_truncation_while_we_were_down_gives_the_new_line_once_in_all_starts(tmp_path):
    log = tmp_path / "a"
    write(log, "one\ntwo\nthree\n")
    first = Reader(log, from_start=True)
    first.until("one", "two", "three")
    positions = first.close()
    os.truncate(log, 0)
    write(log, "new\n")
    second = Reader(log, positions=positions)
    second.until("new")
    third = Reader(log, positions=second.close())
    third.rest(3)
    assert third.lines == []
    third.close()


# A 13
def test_a_rewrite_beyond_the_old_place_while_we_were_down_is_read_and_said(tmp_path):
    log = tmp_path / "a"
    write(log, "one\n")
    first = Reader(log, from_start=True)
    first.until("one")
    positions = first.close()
    write(log, "something else\nand longer\n", new=True)
    second = Reader(log, positions=positions)
    second.until("something else", "and longer")
    assert "rewritten" in second.gaps[0].why
    second.close()


# A 14
def test_a_rotation_while_we_were_down_is_finished_from_the_old_place(tmp_path):
    log = tmp_path / "a"
    write(log, "known\n")
    first = Reader(log, from_start=True)
    first.until("known")
    positions = first.close()
    write(log, "1\n2\n3\n")
    os.rename(log, tmp_path / "a.1")
    write(log, "4\n5\n")
    second = Reader(log, positions=positions)
    second.until("1", "2", "3", "4", "5")
    assert second.gaps == []
    second.close()


# A 14
def test_several_rotations_while_we_were_down_give_what_is_newer_and_not_what_is_older(tmp_path):
    log = tmp_path / "a"
    write(tmp_path / "a.1", "ancient\n")
    os.utime(tmp_path / "a.1", (1, 1))
    write(log, "known\n")
    first = Reader(log, from_start=True)
    first.until("known")
    positions = first.close()
    write(log, "1\n")
    for n, text in enumerate(("2\n", "3\n")):
        for k in range(n + 1, -1, -1):
            os.rename(tmp_path / (f"a.{k}" if k else "a"), tmp_path / f"a.{k + 1}")
        write(log, text)
    second = Reader(log, positions=positions)
    second.until("1", "2", "3")
    second.close()


# A 14
def test_a_read_file_that_is_gone_after_we_were_down_is_said(tmp_path):
    log = tmp_path / "a"
    write(log, "known\n")
    keep = os.open(log, os.O_RDONLY)  # so that its inode is not used again
    first = Reader(log, from_start=True)
    first.until("known")
    positions = first.close()
    os.unlink(log)
    write(log, "new\n")
    second = Reader(log, positions=positions)
    second.until("new")
    assert "gone" in second.gaps[0].why
    second.close()
    os.close(keep)


# A 14
def test_a_truncation_with_a_copy_while_we_were_down_loses_nothing(tmp_path):
    log = tmp_path / "a"
    write(log, "known\n")
    first = Reader(log, from_start=True)
    first.until("known")
    positions = first.close()
    write(log, "1\n2\n")
    shutil.copy(log, tmp_path / "a.1")
    write(log, "3\n", new=True)
    second = Reader(log, positions=positions)
    second.until("1", "2", "3")
    assert second.gaps == []
    second.close()


# A 15
def test_a_file_that_is_compressed_at_once_is_read_to_its_end(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "one\n")
    seen = begin(f"{tmp_path}/a*", from_start=True)
    seen.until("one")
    with seen.stopped():
        write(log, "two\n")
        compress(log, tmp_path / "a.1.gz")
        write(log, "three\n")
    seen.until("one", "two", "three")


# A 15
def test_an_unread_end_that_is_only_in_the_gz_is_read_from_there(tmp_path):
    log = tmp_path / "a"
    write(log, "known\n")
    first = Reader(log, from_start=True)
    first.until("known")
    positions = first.close()
    write(log, "1\n2\n")
    compress(log, tmp_path / "a.1.gz")
    write(log, "3\n")
    second = Reader(log, positions=positions)
    second.until("1", "2", "3")
    assert second.gaps == []
    second.rest(20)
    assert list(second.follower.tails) == [id_of(log)]
    second.close()


# A 15
def test_a_gz_that_is_broken_is_a_loss_that_is_said(tmp_path):
    log = tmp_path / "a"
    write(log, "known\n")
    keep = os.open(log, os.O_RDONLY)
    first = Reader(log, from_start=True)
    first.until("known")
    positions = first.close()
    os.unlink(log)
    write(tmp_path / "a.1.gz", b"\x1f\x8b\x08 not a gz \xff\xfe")
    write(log, "3\n")
    second = Reader(log, positions=positions)
    second.until("3")
    assert "lost" in second.gaps[0].why
    second.close()
    os.close(keep)


def compress(source, target):
    with open(source, "rb") as plain, gzip.open(target, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    found = os.stat(source)
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.unlink(source)


# A 16
def test_a_numbered_chain_under_a_glob_is_not_read_twice(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "0\n")
    seen = begin(f"{tmp_path}/a*", from_start=True)
    expected = ["0"]
    seen.until(*expected)
    for n in range(1, 4):
        for k in range(n - 1, -1, -1):
            os.rename(tmp_path / (f"a.{k}" if k else "a"), tmp_path / f"a.{k + 1}")
        write(log, f"{n}\n")
        expected.append(f"{n}")
        seen.until(*expected)


# A 16
def test_copies_that_match_the_glob_are_not_read_again_but_their_unread_end_is(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "0\n1\n")
    seen = begin(f"{tmp_path}/a*", from_start=True)
    seen.until("0", "1")
    with seen.stopped():
        write(log, "2\n")
        shutil.copy(log, tmp_path / "a.1")
        write(log, "3\n", new=True)
    seen.wait(lambda: sorted(seen.lines) == ["0", "1", "2", "3"])
    shutil.copy(log, tmp_path / "a.2")
    write(log, "4\n")
    seen.wait(lambda: sorted(seen.lines) == ["0", "1", "2", "3", "4"])


# A 17
def test_a_file_of_the_next_day_is_found_and_the_old_one_finished(tmp_path, begin):
    today, tomorrow = tmp_path / "app-2026-11-20.log", tmp_path / "app-2026-11-21.log"
    write(today, "")
    seen = begin(f"{tmp_path}/app-*.log")
    write(today, "old 1\n")
    write(tomorrow, "new 1\n")
    write(today, "old 2\n")
    write(tomorrow, "new 2\n")
    seen.wait(lambda: sorted(seen.lines) == ["new 1", "new 2", "old 1", "old 2"])
    assert {c.path for c in seen.record.chunks} == {str(today), str(tomorrow)}


# A 18
@pytest.mark.parametrize("times", [3])
def test_a_whole_folder_is_rotated_and_what_ghosts_write_is_not_taken_for_new(
    tmp_path, begin, times
):
    folder = tmp_path / "logs"
    folder.mkdir()
    log = folder / "a"
    write(log, "")
    seen = begin(log)
    for n in range(times):
        write(log, f"{n}\n")
        seen.until(*[f"{k}" for k in range(n + 1)])
        os.rename(folder, tmp_path / f"logs.{n}")
        write(tmp_path / f"logs.{n}" / "other", "ghost\n")
        folder.mkdir()
        write(log, "")
    write(log, "end\n")
    seen.until(*[f"{k}" for k in range(times)], "end")


# A 19
@pytest.mark.parametrize("in_place", [True, False])
def test_a_ring_that_is_rewritten_for_every_line_gives_each_line_once(
    tmp_path, begin, mode, in_place
):
    log = tmp_path / "a"
    rounds = 8 if mode == "polling" else 50

    def rewrite(first):
        text = "".join(f"line number {n} of a ring\n" for n in range(first, first + 100))
        if in_place:
            write(log, text, new=True)
        else:
            write(tmp_path / "tmp", text, new=True)
            os.replace(tmp_path / "tmp", log)

    rewrite(0)
    seen = begin(log, from_start=True)
    for first in range(rounds):
        with seen.stopped():
            rewrite(first)
        seen.wait(lambda first=first: len(seen.lines) == 100 + first)
    assert seen.lines == [f"line number {n} of a ring" for n in range(99 + rounds)]
    assert len(seen.gaps) <= 2


def test_every_chunk_stands_in_its_file_where_it_says(tmp_path):
    log = tmp_path / "a"
    write(log, "")
    seen = Reader(log)
    seen.poll()
    for n in range(100):
        write(log, f"{'x' * n} {n}\n" * 3)
        seen.poll()
    content = log.read_bytes()
    for chunk in seen.record.chunks:
        assert isinstance(chunk, Chunk)
        assert content[chunk.start : chunk.end] == chunk.data
    seen.close()


def test_the_writer_goes_on_before_anyone_waits_for_the_disk(tmp_path):
    log = tmp_path / "kid.log"
    write(log, "one\n")
    command = ["/bin/sh", "-c", 'while :; do echo more; done >> "$0"', str(log)]
    written = []

    def emptied(_):
        deadline = time.monotonic() + DEADLINE
        while not log.stat().st_size and time.monotonic() < deadline:
            time.sleep(0.001)  # between two looks at a condition that has a deadline
        written.append(log.stat().st_size)

    with subprocess.Popen(command) as writer:
        try:
            tree = Tree([writer.pid], "")
            assert asyncio.run(rotate(log, tree, lambda: None, emptied))
        finally:
            writer.kill()
    assert written[0] > 0
