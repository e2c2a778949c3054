"""Ended at a bad moment and started again: what older generations still hold is read first."""

from __future__ import annotations

import os

from .follow_story import Reader, write

BIG = [f"{n} {'x' * 90}" for n in range(60_000)]  # more than one turn reads


def text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def test_a_backlog_in_the_generation_before_the_log_is_not_forgotten_when_we_are_killed(tmp_path):
    log = tmp_path / "log"
    write(log, text("first"))
    seen = Reader(log, from_start=True)
    seen.until("first")
    write(log, text(*BIG))
    os.rename(log, tmp_path / "log.1")
    write(log, text("in the new one"))
    seen.record.add(seen.follower.poll(seen.now + 0.1, 0.0))  # one turn, and the end
    begun = seen.lines[1:]
    assert 0 < len(begun) < len(BIG)
    again = Reader(log, positions=seen.close())
    again.until(*BIG[len(begun) :], "in the new one")
    assert not again.gaps
    again.close()


def test_so_it_is_with_two_such_generations_and_one_more_rotation_meanwhile(tmp_path):
    log = tmp_path / "log"
    write(log, text("first"))
    seen = Reader(log, from_start=True)
    seen.until("first")
    write(log, text(*BIG))
    for name, line in (("log.1", "second"), ("log.2", "third")):
        if name == "log.2":
            os.rename(tmp_path / "log.1", tmp_path / "log.2")
        os.rename(log, tmp_path / "log.1")
        write(log, text(line))
    seen.record.add(seen.follower.poll(seen.now + 0.1, 0.0))
    begun = seen.lines[1:]
    positions = seen.close()
    for number in (2, 1):
        os.rename(tmp_path / f"log.{number}", tmp_path / f"log.{number + 1}")
    os.rename(log, tmp_path / "log.1")
    write(log, text("fourth"))
    again = Reader(log, positions=positions)
    again.until(*BIG[len(begun) :], "second", "third", "fourth")
    assert not again.gaps
    again.close()


def test_late_lines_of_the_old_writer_are_read_though_the_log_went_on(tmp_path):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    os.rename(log, tmp_path / "log.1")
    write(log, text("two"))
    seen.until("one", "two")
    positions = seen.close()
    write(tmp_path / "log.1", text("late"))
    write(log, text("three"))
    again = Reader(log, positions=positions)
    again.until("late", "three")
    again.close()


def test_an_older_generation_written_late_does_not_hide_the_one_after_it(tmp_path):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    os.rename(log, tmp_path / "log.2")
    write(tmp_path / "log.1", text("two"))
    write(log, text("three"))
    write(tmp_path / "log.2", text("late"))  # its mtime is now beyond that of log.1
    seen.wait(lambda: sorted(seen.lines) == ["late", "one", "three", "two"])
    seen.close()
