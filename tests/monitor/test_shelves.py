"""A broken file is put away on its own file system; two real ones, each too full for a copy."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from monitor import cli
from monitor.safe.paths import QUARANTINE, Refused
from monitor.safe.quarantine import Entry
from monitor.safe.shelves import Shelves
from tests.monitor.paths_story import IS_ROOT, a_home, give
from tests.monitor.volumes import fill, tmpfs

pytestmark = pytest.mark.skipif(not IS_ROOT, reason="only root can mount a file system")
DAY = 86400.0


@pytest.fixture
def story() -> Iterator[Any]:
    """`modelos` is a full disk of its own, the quarantine of the home stands on another full one."""
    with a_home() as story, ExitStack() as stack:
        stack.enter_context(tmpfs(story.modelos, "size=2m,mode=755"))
        stack.enter_context(tmpfs(story.home / "data", "size=1m,mode=755"))
        story.victor.mkdir()
        for folder in (story.modelos, story.victor):
            give(folder)
        story.make("modelos/victor/x.mp4", b"broken" * 100_000)
        fill(story.modelos / "user.bin", leave=64 << 10)  # for notes, not for a copy
        story.main = story.home / "data" / "monitor" / "quarantine"
        story.shelves = Shelves(story.main, frozenset({65534}))
        yield story


def put(story: Any) -> Entry:
    entry = story.shelves.put(story.find(story.video), "truncated")
    assert isinstance(entry, Entry), entry
    return entry


def test_a_file_is_renamed_on_its_own_disk_however_full_it_is(story: Any) -> None:
    inode = story.video.stat().st_ino
    fill(story.home / "data" / "user.bin", leave=64 << 10)
    entry = put(story)
    kept = story.modelos / QUARANTINE / f"{entry.id}.file"
    assert kept.stat().st_ino == inode
    assert not story.video.exists()
    assert (story.modelos / QUARANTINE).stat().st_mode & 0o777 == 0o700
    assert (story.modelos / QUARANTINE).stat().st_uid == os.geteuid()


def test_what_lies_on_the_disk_of_the_home_goes_where_it_always_went(story: Any) -> None:
    (story.home / "data" / "broken.bin").write_bytes(b"x")
    entry = story.shelves.put(story.find("data/broken.bin"), "truncated")
    assert (story.main / f"{entry.id}.file").exists()
    assert not (story.home / "data" / QUARANTINE).exists()


def test_all_folders_are_one_quarantine_for_people(
    story: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = put(story)
    assert cli.run(["quarantine", "--home", str(story.home), "list"]) == 0
    assert entry.id in capsys.readouterr().out
    assert cli.run(["quarantine", "--home", str(story.home), "restore", entry.id]) == 0
    assert story.video.stat().st_size == 600_000
    assert story.shelves.entries() == ()


def test_what_is_expired_goes_on_the_disk_that_is_full_and_stays_on_others(story: Any) -> None:
    old = Shelves(story.main, frozenset({65534}), clock=lambda: time.time() - 40 * DAY)
    (story.home / "data" / "broken.bin").write_bytes(b"x")
    here = old.put(story.find("data/broken.bin"), "truncated")
    there = old.put(story.find(story.video), "truncated")
    gone = story.shelves.purge_older(30 * DAY, story.modelos.stat().st_dev)
    assert [each.id for each in gone] == [there.id]
    assert [each.id for each in story.shelves.entries()] == [here.id]


def test_no_line_names_what_lies_in_it(story: Any) -> None:
    entry = put(story)
    for text in (f"modelos/{QUARANTINE}", f"modelos/{QUARANTINE}/{entry.id}.file"):
        found = story.roots.find(text)
        assert isinstance(found, Refused)
        assert "not to be touched" in found.why


def test_a_folder_that_the_child_put_there_is_not_used(story: Any) -> None:
    trap = story.modelos / QUARANTINE
    trap.mkdir()
    give(trap)
    answer = story.shelves.put(story.find(story.video), "truncated")
    assert not isinstance(answer, Entry)
    assert story.video.exists()


def test_a_disk_that_is_away_leaves_the_rest_in_sight(story: Any, tmp_path: Path) -> None:
    put(story)
    (story.home / "data" / "broken.bin").write_bytes(b"x")
    here = story.shelves.put(story.find("data/broken.bin"), "truncated")
    with tmpfs(story.modelos):
        assert [each.id for each in story.shelves.entries()] == [here.id]
    assert len(story.shelves.entries()) == 2
