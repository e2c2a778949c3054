"""Ended at a bad moment and started again: what older generations still hold is read first."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from monitor.model import FileId, Position

from .follow_story import Reader, id_of, write

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


@pytest.mark.parametrize("pattern", ["log", "log*"])
@pytest.mark.parametrize("started", [1, 2])
def test_what_was_read_is_not_read_from_its_copy_though_we_are_killed_before_we_see_it_truncated(
    tmp_path, pattern, started
):
    log, saved = tmp_path / "log", []
    write(log, text("one"))
    for _ in range(started):
        seen = Reader(tmp_path / pattern, positions=saved, from_start=not saved)
        seen.poll()
        saved = seen.close()
    seen = Reader(tmp_path / pattern, positions=saved)
    write(log, text("two", "three"))
    seen.until("two", "three")
    shutil.copy2(log, tmp_path / "log.1")
    write(tmp_path / "log.1", text("between"))  # written after the last look, before the copy
    os.truncate(log, 0)
    again = Reader(tmp_path / pattern, positions=seen.close())
    again.until("between")
    assert not again.gaps
    again.close()


def test_nor_is_what_was_decided_before_a_traceback_that_is_still_open(tmp_path):
    log = tmp_path / "log"
    write(log, "")
    seen = Reader(log, from_start=True)
    seen.poll()
    write(log, text("decided", "Traceback", "  more"))
    seen.until("decided", "Traceback", "  more")
    shutil.copy2(log, tmp_path / "log.1")
    os.truncate(log, 0)
    saved = seen.follower.positions({id_of(log): len("decided\n")})
    seen.close()
    again = Reader(log, positions=saved)
    again.until("Traceback", "  more")
    assert not again.gaps
    again.close()


@pytest.mark.parametrize("there", [False, True], ids=["no new log", "a new log"])
@pytest.mark.parametrize("lines", ["", "anew\n"])
def test_a_log_that_was_truncated_and_then_rotated_is_read_from_its_start(tmp_path, there, lines):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    positions = seen.close()
    write(log, lines, new=True)
    os.rename(log, tmp_path / "log.1")
    if there:
        write(log, text("new"))
    again = Reader(log, positions=positions)
    again.poll()
    write(tmp_path / "log.1", text("late"))
    again.wait(lambda: {*lines.split(), "late"} <= {*again.lines})
    assert sorted(again.lines) == sorted([*lines.split(), "late", *(["new"] if there else [])])
    assert len(again.gaps) == 1
    again.close()


def test_a_copy_of_what_was_read_is_not_read_after_a_restart_before_the_log_has_a_new_line(
    tmp_path,
):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    os.rename(log, tmp_path / "log.2")
    write(log, text("two"))
    seen.until("one", "two")
    shutil.copy2(log, tmp_path / "log.1")
    os.truncate(log, 0)
    seen.poll()
    again = Reader(log, positions=seen.close())
    write(log, text("three"))
    again.until("three")
    assert not again.gaps
    again.close()


def test_what_was_written_between_a_copy_of_the_log_and_its_end_is_told_to_be_lost(tmp_path):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    positions = seen.close()
    shutil.copy2(log, tmp_path / "log.1")
    write(log, text("lost"), new=True)
    write(tmp_path / "new", text("two"))
    os.replace(tmp_path / "new", log)
    again = Reader(log, positions=positions)
    again.until("two")
    assert len(again.gaps) == 1
    again.close()


def test_late_lines_of_a_generation_nobody_saw_are_read_before_there_is_a_new_log(tmp_path):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    positions = seen.close()
    os.rename(log, tmp_path / "log.2")
    write(tmp_path / "log.1", text("two"))
    again = Reader(log, positions=positions)
    again.until("two")
    write(tmp_path / "log.1", text("late"))
    again.until("two", "late")
    write(log, text("three"))
    again.until("two", "late", "three")
    assert not again.gaps
    again.close()


def test_the_log_itself_is_remembered_as_the_one_read_last(tmp_path):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(tmp_path / "log*", from_start=True)
    seen.until("one")
    positions = seen.close()
    write(log, text("late"))
    os.rename(log, tmp_path / "log.1")
    write(log, text("two"))
    again = Reader(tmp_path / "log*", positions=positions)
    again.until("late", "two")
    assert again.close()[-1].id == id_of(log)


def test_of_a_copy_all_is_known_that_was_read_under_any_number_of_its_original(tmp_path):
    log, saved, kept = tmp_path / "log", [], []
    for lines in (["one"], ["one", "two"]):  # saved anew by an editor
        write(tmp_path / "new", text(*lines))
        os.replace(tmp_path / "new", log)
        kept.append(os.open(log, os.O_RDONLY))  # so that no number is used again
        seen = Reader(tmp_path / "log*", positions=saved, from_start=not saved)
        seen.until(lines[-1])
        saved += seen.close()
    shutil.copy2(log, tmp_path / "log.1")
    write(tmp_path / "new", text("three"))
    os.replace(tmp_path / "new", log)
    again = Reader(tmp_path / "log*", positions=saved)
    again.until("three")
    again.close()
    for fd in kept:
        os.close(fd)


def test_a_copy_under_the_number_of_a_file_that_was_saved_over_is_known_as_far_as_that_was_read(
    tmp_path,
):
    log, saved = tmp_path / "log", []
    for lines in (["one"], ["one", "two"]):  # saved anew by an editor
        write(tmp_path / "new", text(*lines))
        os.replace(tmp_path / "new", log)
        seen = Reader(tmp_path / "log*", positions=saved, from_start=not saved)
        seen.until(lines[-1])
        saved += seen.close()
    shutil.copy2(log, tmp_path / "log.1")
    os.truncate(log, 0)
    saved = [replace(saved[0], id=id_of(tmp_path / "log.1")), *saved[1:]]
    again = Reader(tmp_path / "log*", positions=saved)
    write(log, text("three"))
    again.until("three")
    again.close()


def test_a_log_that_is_gone_is_told_though_another_has_its_number_now(tmp_path):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(tmp_path / "log*", from_start=True)
    seen.until("one")
    (known,) = seen.close()
    os.unlink(log)
    write(tmp_path / "log.other", text("two"))
    again = Reader(tmp_path / "log*", positions=[replace(known, id=id_of(tmp_path / "log.other"))])
    again.until("two")
    assert [(gap.path, "is gone" in gap.why) for gap in again.gaps] == [(str(log), True)]
    again.close()


def test_a_copy_made_while_we_were_away_of_all_that_was_read_is_not_read_after_another_restart(
    tmp_path,
):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    os.rename(log, tmp_path / "log.2")
    write(log, text("two"))
    seen.until("one", "two")
    saved = seen.close()
    shutil.copy2(log, tmp_path / "log.1")
    os.truncate(log, 0)
    for _ in range(2):
        again = Reader(log, positions=saved)
        again.poll()
        assert again.lines == []
        kept = {one.id: one for one in (*saved, *again.close())}
        saved = list(kept.values())


def test_a_copy_under_the_number_of_a_file_that_was_saved_over_is_known_while_we_run(tmp_path):
    log = tmp_path / "log"
    write(log, text("one"))
    seen = Reader(tmp_path / "log*", from_start=True)
    seen.until("one")
    (saved,) = seen.close()
    copy = tmp_path / "copy"
    copy.touch()
    gone = FileId(saved.id.device, 10**12)
    earlier = [replace(saved, id=id) for id in (gone, id_of(copy))]  # saved over by an editor
    again = Reader(tmp_path / "log*", positions=[*earlier, saved])
    write(log, text("two"))
    again.until("two")
    shutil.copyfile(log, copy)
    os.rename(copy, tmp_path / "log.1")
    os.truncate(log, 0)
    again.poll()
    assert again.lines == ["two"]
    again.close()


def test_a_copy_is_known_though_an_earlier_one_had_its_name_and_its_number(tmp_path):
    log, copy = tmp_path / "log", tmp_path / "log.1"
    write(log, text("one"))
    seen = Reader(log, from_start=True)
    seen.until("one")
    saved = seen.close()
    shutil.copy2(log, copy)
    os.unlink(log)
    earlier = Position(str(copy), id_of(copy), 4, b"other", b"contents")
    again = Reader(tmp_path / "log*", positions=[earlier, *saved])
    again.poll()
    assert again.lines == []
    again.close()


def test_a_copy_is_known_as_far_as_it_was_read_though_its_original_lent_its_number_to_another(
    tmp_path,
):
    log, saved = tmp_path / "log", []
    for lines in (["one"], ["one", "two"]):  # saved anew by an editor
        write(tmp_path / "new", text(*lines))
        os.replace(tmp_path / "new", log)
        seen = Reader(log, positions=saved, from_start=not saved)
        seen.until(lines[-1])
        saved += seen.close()
    shutil.copy2(log, tmp_path / "log.2")
    write(tmp_path / "log.1", "")
    write(tmp_path / "new", text("three"))
    os.replace(tmp_path / "new", log)
    gone = FileId(saved[0].id.device, 10**12)
    saved = [replace(saved[0], id=gone), replace(saved[1], id=id_of(tmp_path / "log.1"))]
    again = Reader(log, positions=saved)
    again.until("three")
    again.close()
