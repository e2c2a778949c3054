"""A repair changes the one thing it was asked for, or nothing; the proof is made by the child's user."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys

import pytest

from monitor.safe import root_helper
from monitor.safe.paths import (
    Done,
    Failed,
    Owner,
    Place,
    Refused,
    Root,
    can_write,
    make_directory,
    prove_writable_directory,
    take_ownership,
)
from tests.monitor.paths_story import CHILD, IS_ROOT, NOBODY, a_home, looks, mode_of, needs_root

CLOSED = Owner(0, 0)


@pytest.fixture
def story():
    with a_home() as story:
        yield story


@pytest.fixture
def twisted(story):
    """A folder with everything that is not to be touched, and what it was like before."""
    folder = story.victor
    (folder / "x.mp4").unlink()
    make = {
        "link": lambda p: p.symlink_to(story.secret / "x.mp4"),
        "hard": lambda p: os.link(story.secret / "x.mp4", p),
        "fifo": os.mkfifo,
        "socket": a_socket,
    }
    if IS_ROOT:
        make["null"] = lambda p: os.mknod(p, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        make["disk"] = lambda p: os.mknod(p, stat.S_IFBLK | 0o600, os.makedev(7, 200))
    for name, how in make.items():
        how(folder / name)
    for name, mode in (("suid", 0o4755), ("sgid", 0o2755)):
        story.make(f"modelos/victor/{name}", mode=mode)
    if IS_ROOT:
        os.chown(story.make("modelos/victor/stranger"), 12345, 0)
    return folder


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def test_nothing_but_a_plain_file_of_one_name_is_given_away(story, twisted):
    before = looks(story.secret), looks_of(twisted)
    for name in os.listdir(twisted):
        found = take_ownership(Place(story.find("modelos").root, ("victor", name)), CHILD)
        assert isinstance(found, Refused), name
    assert (looks(story.secret), looks_of(twisted)) == before


def looks_of(folder):
    return [(p.name, p.lstat().st_mode, p.lstat().st_uid) for p in sorted(folder.iterdir())]


def test_a_pipe_does_not_make_anybody_wait(story):
    os.mkfifo(story.victor / "fifo")
    place = Place(story.find("modelos").root, ("victor", "fifo"))
    for act in (take_ownership(place, CHILD), can_write(place, CHILD.uid, CHILD.gid)):
        assert isinstance(act, Refused | Failed)


def test_a_file_becomes_its_owners(story):
    path = story.make("modelos/victor/y.mp4", owner=CLOSED, mode=0o000)
    place = story.find(path)
    assert isinstance(can_write(place, CHILD.uid, CHILD.gid), Failed) or IS_ROOT is (CHILD.uid == 0)
    found = take_ownership(place, CHILD)
    assert found.changed
    assert (path.stat().st_uid, mode_of(path)) == (CHILD.uid, 0o640)
    assert isinstance(can_write(place, CHILD.uid, CHILD.gid), Done)
    assert not take_ownership(place, CHILD).changed


def test_what_was_allowed_stays_allowed_but_writing_for_everybody(story):
    path = story.make("modelos/victor/y.mp4", mode=0o446)
    take_ownership(story.find(path), CHILD)
    assert mode_of(path) == 0o644


def test_a_folder_keeps_the_group_it_hands_down(story):
    story.victor.chmod(0o2500)
    take_ownership(story.find(story.victor), CHILD)
    assert mode_of(story.victor) == 0o2750


def test_a_folder_becomes_its_owners_and_nothing_in_it(story):
    inner = story.victor / "deep"
    inner.mkdir()
    if IS_ROOT:
        for path in (story.victor, inner, story.video):
            os.chown(path, 0, 0)
    before = looks(story.victor)[1:]
    assert take_ownership(story.find(story.victor), CHILD).what.startswith(str(story.victor))
    assert looks(story.victor)[1:] == before
    assert story.victor.stat().st_uid == CHILD.uid


def test_a_missing_file_cannot_be_given_away(story):
    found = take_ownership(story.find("modelos/victor/no.mp4"), CHILD)
    assert isinstance(found, Failed)
    assert "No such file" in found.why


@needs_root
def test_a_foreign_file_is_not_given_away_where_anybody_may_link_it(story, monkeypatch):
    class Unprotected(type(story.video)):
        def read_text(self):
            return "0\n"

    monkeypatch.setattr(root_helper, "Path", Unprotected)
    path = story.make("modelos/victor/y.mp4", owner=CLOSED)
    assert "protected_hardlinks" in take_ownership(story.find(path), CHILD).why
    assert path.stat().st_uid == 0


@pytest.mark.skipif(not IS_ROOT, reason="needs a user without rights beside us")
def test_without_the_right_it_fails_with_the_words_of_the_system(story):
    path = story.make("modelos/victor/y.mp4", owner=CLOSED)
    code = (
        "import os; from pathlib import Path; from monitor.safe.paths import *\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"found = roots_of(Path({str(story.home)!r}))\n"
        "for verb in (take_ownership, make_directory):\n"
        f"    for name in ('modelos/victor/y.mp4', 'logs/new'):\n"
        "        print(verb(found.find(name), Owner(65534, 65534)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = out.stdout.splitlines()
    assert "Operation not permitted" in told[0]
    assert told[1].startswith("Failed")
    assert "is not a folder" in told[2]
    assert "Permission denied" in told[3]
    assert path.stat().st_uid == 0
    assert not (story.home / "logs" / "new").exists()


# --- folders -------------------------------------------------------------------------------------


def test_missing_folders_are_made_and_belong_to_their_owner(story):
    found = make_directory(story.find("modelos/ana/2026/11"), CHILD)
    assert found.changed
    for name in ("ana", "ana/2026", "ana/2026/11"):
        made = story.modelos / name
        assert (made.stat().st_uid, mode_of(made)) == (CHILD.uid, 0o750)
    assert not make_directory(story.find("modelos/ana/2026/11"), CHILD).changed
    assert isinstance(
        prove_writable_directory(story.find("modelos/ana"), CHILD.uid, CHILD.gid), Done
    )


def test_a_root_that_is_gone_is_made_again(story):
    (story.home / "logs").rmdir()
    assert make_directory(story.find("logs"), CHILD).changed
    (story.home / "logs").rmdir()
    assert make_directory(story.find("logs/a"), CHILD).changed


def test_the_home_of_a_root_is_not_made(story):
    place = Place(Root(f"{story.home}/no/such/root"), ("a",))
    found = make_directory(place, CHILD)
    assert isinstance(found, Failed)
    assert found.at == f"{story.home}/no"


def test_a_folder_is_not_made_where_a_file_stands(story):
    for name in ("modelos/victor/x.mp4", "modelos/victor/x.mp4/a"):
        refused = story.roots.find(name)
        if isinstance(refused, Place):
            refused = make_directory(refused, CHILD)
        assert "is not a folder" in refused.why


def test_a_line_does_not_make_a_whole_forest(story):
    found = make_directory(story.find("modelos/" + "/".join("abcdefghij")), CHILD)
    assert "10 new folders" in found.why
    assert sorted(os.listdir(story.modelos)) == ["victor"]


def test_a_folder_is_not_made_through_a_link(story):
    (story.modelos / "link").symlink_to(story.secret)
    root = story.find("modelos").root
    for parts in (("link",), ("link", "a"), ("link", "a", "b")):
        assert isinstance(make_directory(Place(root, parts), CHILD), Refused)
    assert os.listdir(story.secret) == ["x.mp4"]


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_folder_that_is_exchanged_while_it_is_made_is_not_given_away(story, monkeypatch, mode):
    decoy = story.modelos / "decoy"
    decoy.mkdir()
    if mode == 0o700:  # as ours would be, but not empty
        (decoy / "inside").mkdir()
    decoy.chmod(mode)
    real = root_helper.step

    def late(folder, name, *, inside):
        if name == "new" and (story.modelos / "new").exists():
            (story.modelos / "new").rename(story.modelos / "away")
            decoy.rename(story.modelos / "new")
        return real(folder, name, inside=inside)

    place = story.find("modelos/new")
    monkeypatch.setattr(root_helper, "step", late)
    assert "exchanged" in make_directory(place, CHILD).why
    found = (story.modelos / "new").stat()
    assert (found.st_uid, found.st_mode & 0o7777) == (os.geteuid(), mode)


# --- proofs --------------------------------------------------------------------------------------


def test_a_proof_leaves_nothing_behind(story):
    assert isinstance(
        prove_writable_directory(story.find(story.victor), CHILD.uid, CHILD.gid), Done
    )
    assert os.listdir(story.victor) == ["x.mp4"]
    before = looks(story.victor), story.video.stat().st_mtime_ns
    assert isinstance(can_write(story.find(story.video), CHILD.uid, CHILD.gid), Done)
    assert (looks(story.victor), story.video.stat().st_mtime_ns) == before


def test_a_file_that_can_be_written_is_no_folder_that_can(story):
    proof = prove_writable_directory(story.find(story.video), CHILD.uid, CHILD.gid)
    assert isinstance(proof, Failed)
    assert (proof.at, proof.errno) == (str(story.video), 20)


def test_a_missing_file_can_be_written_when_its_folder_can(story):
    place = story.find("modelos/victor/new.mp4")
    assert isinstance(can_write(place, CHILD.uid, CHILD.gid), Done)
    assert isinstance(prove_writable_directory(place, CHILD.uid, CHILD.gid), Failed)
    gone = can_write(story.find("modelos/no/new.mp4"), CHILD.uid, CHILD.gid)
    assert (gone.at, gone.errno) == (f"{story.modelos}/no", 2)


@needs_root
def test_a_proof_tells_what_stands_in_the_way_of_that_user(story):
    os.chown(story.victor, 0, 0)
    story.victor.chmod(0o755)
    found = prove_writable_directory(story.find(story.victor), NOBODY, NOBODY)
    assert (found.errno, found.at) == (13, str(story.victor))
    story.victor.chmod(0o700)
    found = can_write(story.find(story.video), NOBODY, NOBODY)
    assert (found.errno, found.at) == (13, str(story.victor))
    story.victor.chmod(0o755)
    os.chown(story.video, 0, 0)
    found = can_write(story.find(story.video), NOBODY, NOBODY)
    assert (found.errno, found.at) == (13, str(story.video))
    assert isinstance(can_write(story.find(story.video), 0, 0), Done)


def test_only_root_can_prove_it_for_somebody_else(story):
    if IS_ROOT:
        pytest.skip("we are root")
    found = can_write(story.find(story.video), os.geteuid() + 1, os.getegid())
    assert "only root" in found.why


def test_a_proof_does_not_follow_links(story):
    (story.modelos / "link").symlink_to(story.secret)
    root = story.find("modelos").root
    for parts in (("link",), ("link", "x.mp4"), ("link", "new")):
        found = can_write(Place(root, parts), CHILD.uid, CHILD.gid)
        assert isinstance(found, Failed), parts
    assert os.listdir(story.secret) == ["x.mp4"]
