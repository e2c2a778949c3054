"""A bad file goes out of the way, and comes back as it was; nothing is overwritten, nothing vanishes."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os

import pytest

from monitor.safe import moves, quarantine
from monitor.safe.paths import Place, Refused
from monitor.safe.quarantine import Quarantine
from monitor.safe.root_helper import Refusal
from monitor.safe.shelf import Entry, shelf
from tests.monitor.paths_story import CHILD, NOBODY, a_home, looks, mode_of, needs_root


@pytest.fixture
def story():
    with a_home() as story:
        story.now = 1_800_000_000.0
        story.folder = story.home / "data" / "monitor" / "quarantine"
        story.quarantine = Quarantine(story.folder, clock=lambda: story.now)
        yield story


@pytest.fixture(params=["rename", "copy", "link"])
def way(request, monkeypatch):
    """On one file system, across two, and where the kernel cannot rename without overwriting."""
    if request.param == "copy":
        across_file_systems(monkeypatch)
    if request.param == "link":
        monkeypatch.setattr(moves, "_renameat2", lambda *_: False)
    return request.param


def across_file_systems(monkeypatch):
    """A second file system that tests can always have: moving between two folders is refused."""
    real = moves.rename_new

    def rename_new(source, name, target, new):
        one, other = (os.fstat(fd) for fd in (source, target))
        if (one.st_dev, one.st_ino) != (other.st_dev, other.st_ino):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), name)
        real(source, name, target, new)

    monkeypatch.setattr(moves, "rename_new", rename_new)
    monkeypatch.setattr(quarantine, "rename_new", rename_new)


def put(story, path=None, cause="truncated"):
    entry = story.quarantine.put(story.find(path or story.video), cause, "I-7")
    assert isinstance(entry, Entry), entry
    return entry


def test_a_file_goes_and_comes_back_as_it_was(story, way):
    os.utime(story.video, ns=(1, 123_456_789))
    story.video.chmod(0o604)
    before = story.video.stat()
    entry = put(story)
    assert not story.video.exists()
    assert sorted(os.listdir(story.folder)) == [f"{entry.id}.file", f"{entry.id}.json"]
    back = story.quarantine.restore(entry.id)
    assert back.id == entry.id
    after = story.video.stat()
    assert story.video.read_bytes() == b"video"
    for fact in ("st_mode", "st_uid", "st_gid", "st_size", "st_mtime_ns"):
        assert getattr(after, fact) == getattr(before, fact), fact
    assert os.listdir(story.folder) == []
    assert os.listdir(story.victor) == ["x.mp4"]


def test_the_note_tells_all_that_is_known(story):
    story.now = 1_800_000_000.5
    found = story.video.stat()
    entry = put(story)
    assert story.quarantine.show(entry.id) == entry
    assert story.quarantine.entries() == (entry,)
    assert entry.id.startswith("20270115-080000-")
    assert (entry.path, entry.cause, entry.incident) == (str(story.video), "truncated", "I-7")
    assert (entry.uid, entry.gid, entry.size) == (found.st_uid, found.st_gid, 5)
    assert (entry.mode, entry.at) == (found.st_mode & 0o7777, 1_800_000_000.5)
    assert entry.sha256 == hashlib.sha256(b"video").hexdigest()
    assert entry.state == "kept"
    assert entry.place.path == str(story.video)


def test_only_we_may_look_into_it(story):
    entry = put(story)
    assert mode_of(story.folder) == 0o700
    assert mode_of(story.folder / f"{entry.id}.json") == 0o600
    story.folder.chmod(0o755)
    put(story, story.make("modelos/y"))
    assert mode_of(story.folder) == 0o700
    story.folder.chmod(0o777)  # by now anybody may have written notes
    assert "everybody may write" in story.quarantine.restore(entry.id).why


def test_a_big_file_is_copied_whole(story, monkeypatch):
    across_file_systems(monkeypatch)
    data = os.urandom(3_500_000)
    story.make("modelos/victor/big", data)
    entry = put(story, story.victor / "big")
    assert entry.sha256 == hashlib.sha256(data).hexdigest()
    story.quarantine.restore(entry.id)
    assert (story.victor / "big").read_bytes() == data


def test_nothing_is_overwritten(story, way):
    entry = put(story)
    story.video.write_bytes(b"fetched again")
    found = story.quarantine.restore(entry.id)
    assert "nothing is overwritten" in found.why
    assert story.video.read_bytes() == b"fetched again"
    assert story.quarantine.show(entry.id) == entry
    story.video.unlink()
    story.video.symlink_to("/nowhere")
    assert isinstance(story.quarantine.restore(entry.id), Refused)
    story.video.unlink()
    assert story.quarantine.restore(entry.id).id == entry.id


def test_its_folder_is_made_again_for_it(story, way):
    entry = put(story)
    story.victor.rmdir()
    story.quarantine.restore(entry.id)
    assert story.video.read_bytes() == b"video"
    assert story.victor.stat().st_uid == CHILD.uid


def test_it_does_not_come_back_through_a_link(story, way):
    entry = put(story)
    story.victor.rmdir()
    story.victor.symlink_to(story.secret)
    (story.secret / "x.mp4").unlink()
    assert "is a link" in story.quarantine.restore(entry.id).why
    assert os.listdir(story.secret) == []


def test_a_copy_needs_room(story, monkeypatch):
    across_file_systems(monkeypatch)
    os.truncate(story.video, 1 << 43)
    found = story.quarantine.put(story.find(story.video), "huge")
    assert "does not fit" in found.why
    assert story.video.exists()
    assert os.listdir(story.folder) == []


def test_what_is_written_while_it_is_copied_stays(story, monkeypatch):
    across_file_systems(monkeypatch)

    def writes(step):
        if step == "copied":
            story.video.write_bytes(b"still being written")

    busy = Quarantine(story.folder, reached=writes)
    assert "was written" in busy.put(story.find(story.video), "bad").why
    assert story.video.read_bytes() == b"still being written"
    assert os.listdir(story.folder) == []


@pytest.mark.parametrize("kind", ["link", "hard", "fifo", "folder", "suid", "missing"])
def test_only_a_plain_file_is_taken(story, kind):
    thing = story.victor / "thing"
    {
        "link": lambda: thing.symlink_to(story.secret / "x.mp4"),
        "hard": lambda: os.link(story.secret / "x.mp4", thing),
        "fifo": lambda: os.mkfifo(thing),
        "folder": thing.mkdir,
        "suid": lambda: story.make("modelos/victor/thing", mode=0o4755),
        "missing": lambda: None,
    }[kind]()
    before = looks(story.secret), sorted(os.listdir(story.victor))
    found = story.quarantine.put(Place(story.find("modelos").root, ("victor", "thing")), "bad")
    assert not isinstance(found, Entry)
    assert (looks(story.secret), sorted(os.listdir(story.victor))) == before
    assert os.listdir(story.folder) == []


def test_a_root_itself_is_not_taken(story):
    assert "is not a file" in story.quarantine.put(story.find("modelos"), "bad").why


def test_what_came_in_its_place_during_the_move_goes_back(story, monkeypatch):
    other = story.make("modelos/victor/other", b"other")
    real = moves.rename_new

    def late(source, name, target, new):
        if name == "x.mp4":
            story.video.rename(story.victor / "gone")
            other.rename(story.video)
        real(source, name, target, new)

    monkeypatch.setattr(moves, "rename_new", late)
    found = story.quarantine.put(story.find(story.video), "bad")
    assert "exchanged" in found.why
    assert story.video.read_bytes() == b"other"
    assert (story.victor / "gone").read_bytes() == b"video"
    assert os.listdir(story.folder) == []


def test_what_cannot_go_back_is_kept_and_named(story, monkeypatch):
    other = story.make("modelos/victor/other", b"other")
    real = moves.rename_new

    def late(source, name, target, new):
        if name == "x.mp4":
            story.video.rename(story.victor / "gone")
            other.rename(story.video)
            real(source, name, target, new)
            story.video.write_bytes(b"a third")
        else:
            real(source, name, target, new)

    monkeypatch.setattr(moves, "rename_new", late)
    assert isinstance(story.quarantine.put(story.find(story.video), "bad"), Refused)
    (entry,) = story.quarantine.entries()
    assert (entry.cause, entry.state) == ("exchanged while it was moved", "kept")
    assert entry.sha256 == hashlib.sha256(b"other").hexdigest()
    assert story.video.read_bytes() == b"a third"


def test_purging_is_for_good_and_only_of_what_was_meant(story):
    one = put(story)
    other = put(story, story.make("modelos/y"))
    assert story.quarantine.purge(one.id).id == one.id
    assert story.quarantine.entries() == (other,)
    assert isinstance(story.quarantine.restore(one.id), Refused)


def test_only_what_is_old_expires(story):
    old = put(story)
    story.now += 10 * 86400
    young = put(story, story.make("modelos/y"))
    assert story.quarantine.purge_older(30 * 86400) == ()
    story.now += 21 * 86400
    assert [entry.id for entry in story.quarantine.purge_older(30 * 86400)] == [old.id]
    assert story.quarantine.entries() == (young,)


@pytest.mark.parametrize(
    "id", ["", "..", "../../modelos/x", "/etc/passwd", "20270115-080000-abcdef", "x\0", "*", "a\n"]
)
def test_an_id_never_becomes_a_path(story, id):
    put(story)
    for verb in (story.quarantine.show, story.quarantine.restore, story.quarantine.purge):
        assert "is not in the quarantine" in verb(id).why


def test_a_note_that_is_not_ours_spoils_nothing(story):
    entry = put(story)
    for n, text in enumerate(
        (
            "",
            "[]",
            '{"path": 1}',
            "not json",
            '{"owners": [], "size": "big"}',
            '{"owners": [], "path": "/a/../b"}',
        )
    ):
        (story.folder / f"20270101-00000{n}-000000.json").write_text(text)
    assert [e.state for e in story.quarantine.entries()] == ["unreadable"] * 6 + ["kept"]
    assert "unreadable" in story.quarantine.restore("20270101-000000-000000").why
    assert story.quarantine.restore(entry.id).id == entry.id


def test_a_quarantine_that_was_never_used_is_empty(story):
    assert story.quarantine.entries() == ()
    assert not story.folder.exists()
    assert isinstance(story.quarantine.show("20270115-080000-abcdef"), quarantine.Failed)


def test_two_do_not_change_it_at_once(story, monkeypatch):
    put(story)
    monkeypatch.setattr("monitor.safe.shelf._PATIENCE", 0.1)
    fd = os.open(story.folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert "busy" in story.quarantine.purge_older(0).why
    assert len(story.quarantine.entries()) == 1  # looking is always possible
    os.close(fd)


@needs_root
def test_a_person_with_sudo_leaves_nothing_that_the_monitor_cannot_read(story):
    first = put(story)
    for path in (story.folder, *story.folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    second = Quarantine(story.folder, frozenset({NOBODY})).put(
        story.find(story.make("data/y")), "bad"
    )
    assert (story.folder / f"{second.id}.json").stat().st_uid == NOBODY
    assert {first.id, second.id} <= {
        json.loads(p.read_text())["id"] for p in story.folder.glob("*.json")
    }


@needs_root
def test_a_folder_of_somebody_else_is_not_our_quarantine(story):
    story.folder.mkdir()
    os.chown(story.folder, 12345, 0)
    assert isinstance(story.quarantine.put(story.find(story.video), "bad"), Refused)
    with (
        pytest.raises(Refusal, match="12345, a stranger"),
        shelf(story.folder, frozenset(), make=False, lock=False),
    ):
        pass
    assert story.video.exists()
