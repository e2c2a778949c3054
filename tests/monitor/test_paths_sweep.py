"""Room is made by removing files that are ours, old and in nobody's hands; nothing else goes."""

from __future__ import annotations

import os
import subprocess

import pytest

from monitor.safe import moves
from monitor.safe.paths import Place, Refused
from monitor.safe.root_helper import walked
from monitor.safe.sweep import remove_ours
from tests.monitor.paths_story import (
    IS_ROOT,
    NOBODY,
    a_home,
    looks,
    needs_root,
    python_for_all,
)


def ours(name, found):
    return name.endswith(".part")


@pytest.fixture
def story():
    with a_home() as story:
        yield story


@pytest.fixture
def parts(story):
    """Five of ours, the oldest first."""
    for n in range(5):
        path = story.make(f"modelos/victor/{n}.part", b"x" * 5000)
        os.utime(path, (1000 + n, 1000 + n))
    return story.find(story.victor)


def left(story):
    return sorted(os.listdir(story.victor))


def test_only_what_is_ours_goes(story, parts):
    removed = remove_ours(parts, ours)
    assert removed.gone == tuple(f"{n}.part" for n in range(5))
    assert removed.bytes == 5 * 8192
    assert left(story) == ["x.mp4"]


def test_the_oldest_go_first_and_no_more_than_needed(story, parts):
    answers = iter([False, False, True])
    assert remove_ours(parts, ours, enough=lambda: next(answers)).gone == ("0.part", "1.part")


def test_the_newest_stay(story, parts):
    remove_ours(parts, ours, keep=2)
    assert left(story) == ["3.part", "4.part", "x.mp4"]


def test_a_dry_run_tells_and_does_not(story, parts):
    before = looks(story.victor)
    assert len(remove_ours(parts, ours, dry_run=True).gone) == 5
    assert looks(story.victor) == before


@pytest.mark.parametrize("leases", [True, False], ids=["lease", "proc"])
def test_what_a_process_has_open_stays(story, parts, leases, monkeypatch):
    if not leases:
        monkeypatch.setattr(moves, "is_open", lambda at: moves.is_seen_open(at.found))
        monkeypatch.setattr("monitor.safe.sweep.is_open", moves.is_open)
        if not IS_ROOT:
            pytest.skip("only root sees into all processes")
    with open(story.victor / "1.part", "rb"), open(story.victor / "3.part", "ab"):
        removed = remove_ours(parts, ours)
    assert removed.in_use == ("1.part", "3.part")
    assert removed.gone == ("0.part", "2.part", "4.part")


def test_what_another_process_has_open_stays(story, parts):
    code = "import sys; f = open(sys.argv[1]); print(1, flush=True); sys.stdin.read()"
    as_child = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if IS_ROOT else {}
    with subprocess.Popen(
        [python_for_all(), "-c", code, story.victor / "2.part"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        **as_child,
    ) as other:
        other.stdout.readline()
        assert remove_ours(parts, ours).in_use == ("2.part",)
        other.stdin.close()
    assert remove_ours(parts, ours).gone == ("2.part",)


def test_who_opens_it_at_the_wrong_moment_does_not_end_us(story, parts):
    """A broken lease sends a signal; the usual one would kill."""
    path = story.victor / "0.part"
    place = Place(parts.root, (*parts.parts, "0.part"))
    opener = "import sys\nwhile 1: open(sys.argv[1]).close()"
    with (
        subprocess.Popen([python_for_all(), "-c", opener, path], cwd="/") as other,
        walked(place) as at,
    ):
        try:
            answers = {moves.is_open(at) for _ in range(20_000)}
        finally:
            other.kill()
    assert answers <= {True, False}


def test_what_only_looks_like_ours_stays(story, parts):
    (story.victor / "link.part").symlink_to(story.secret / "x.mp4")
    os.link(story.secret / "x.mp4", story.victor / "hard.part")
    (story.victor / "folder.part").mkdir()
    (story.victor / "folder.part" / "0.part").write_bytes(b"")
    os.mkfifo(story.victor / "fifo.part")
    before = looks(story.secret)
    removed = remove_ours(parts, lambda *_: True, keep=0)
    assert removed.refused == ("hard.part",)
    assert left(story) == ["fifo.part", "folder.part", "hard.part", "link.part"]
    assert os.listdir(story.victor / "folder.part") == ["0.part"]
    assert looks(story.secret) == before


@needs_root
def test_what_a_stranger_owns_stays(story, parts):
    os.chown(story.victor / "2.part", 12345, 0)
    assert remove_ours(parts, ours).refused == ("2.part",)


def test_a_link_in_the_place_of_the_folder_is_refused(story, parts):
    story.victor.rename(story.modelos / "away")
    story.victor.symlink_to(story.secret)
    assert isinstance(remove_ours(parts, lambda *_: True), Refused)
    assert os.listdir(story.secret) == ["x.mp4"]


def test_what_was_set_aside_before_a_crash_goes_the_next_time(story, parts):
    inode = (story.victor / "0.part").stat().st_ino
    (story.victor / "0.part").rename(story.victor / f".vigia-gone-{inode}-{'a' * 12}")
    other = story.victor / f".vigia-gone-1-{'b' * 12}"
    other.write_bytes(b"somebody else's")
    remove_ours(parts, ours)
    assert left(story) == [other.name, "x.mp4"]
