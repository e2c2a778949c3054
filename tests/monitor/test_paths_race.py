"""An attacker exchanges folders and links as fast as he can while we work: no foreign file is touched.

VIGIA_FLIP_SECONDS=60 makes each attack last that long.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from monitor.safe.paths import (
    Done,
    Place,
    can_write,
    make_directory,
    prove_writable_directory,
    take_ownership,
)
from monitor.safe.quarantine import Quarantine
from monitor.safe.shelf import Entry
from monitor.safe.sweep import remove_ours
from tests.monitor.paths_story import CHILD, IS_ROOT, a_home, flipping, give, looks

SECONDS = float(os.environ.get("VIGIA_FLIP_SECONDS", "0.35"))

pytestmark = pytest.mark.timeout(60 + 4 * SECONDS)


@pytest.fixture
def story():
    with a_home() as story:
        story.home.chmod(0o755)
        yield story


def repeat(act, seconds=SECONDS):
    """What came of it, counted by kind, for that long."""
    came = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        came[type(act()).__name__] += 1
    return came


def acts(story, name):
    """Every operation on a file that lies, or seems to lie, in the folder `name`."""
    root = story.find("modelos").root
    quarantine = Quarantine(story.home / "data" / "monitor" / "quarantine")
    file, folder = Place(root, (name, "x.mp4")), Place(root, (name,))
    turn = iter(range(10**9))
    yield "take_ownership", wrong_again(story.video, lambda: take_ownership(file, CHILD))
    yield (
        "take_ownership of a folder",
        wrong_again(story.victor, lambda: take_ownership(folder, CHILD)),
    )
    yield "make_directory", lambda: make_directory(Place(root, (name, f"d{next(turn)}")), CHILD)
    yield "find", lambda: story.roots.find(f"modelos/{name}/x.mp4")
    yield "remove_ours", lambda: remove_ours(folder, lambda *_: True, dry_run=True)
    yield "put and back", lambda: put_and_back(quarantine, file)


def wrong_again(path, act):
    """Before each turn the file is as it should not be: else there would be nothing to win."""
    held = os.open(path, os.O_RDONLY)  # it stays on the file, whatever is named so by then

    def turn():
        if IS_ROOT:
            os.fchown(held, 0, 0)
        os.fchmod(held, 0o500)
        return act()

    return turn


def put_and_back(quarantine, place):
    entry = quarantine.put(place, "test")
    if isinstance(entry, Entry):
        for _ in range(2000):  # the folder is away half of the time
            if isinstance(quarantine.restore(entry.id), Entry):
                return Done("both")
        pytest.fail("it could never be put back")
    return entry


@pytest.mark.parametrize("number", range(6))
def test_a_folder_that_becomes_a_link_leads_nowhere(story, number):
    (story.modelos / "trap").symlink_to(story.secret)
    attack(story, "victor", "trap", number)


@pytest.mark.parametrize("number", range(6))
def test_a_folder_that_becomes_a_folder_with_links_leads_nowhere(story, number):
    trap = story.modelos / "trap"
    trap.mkdir()
    os.symlink(story.secret / "x.mp4", trap / "x.mp4")
    if IS_ROOT:
        give(trap)
    attack(story, "victor", "trap", number)


def attack(story, one, other, number):
    name, act = list(acts(story, one))[number]
    before = looks(story.secret)
    with flipping(story.modelos / one, story.modelos / other):
        came = repeat(act)
    assert looks(story.secret) == before, name
    assert not {"Done", "Place", "Removed"}.isdisjoint(came), (
        name,
        came,
    )  # the attacker lost and won
    print(name, dict(came))


def test_a_file_that_becomes_a_hard_link_of_a_secret_stays_the_secret(story):
    os.link(story.secret / "x.mp4", story.victor / "trap")
    before = looks(story.secret)
    place = Place(story.find("modelos").root, ("victor", "x.mp4"))
    quarantine = Quarantine(story.home / "data" / "monitor" / "quarantine")
    take = wrong_again(story.video, lambda: take_ownership(place, CHILD))
    with flipping(story.video, story.victor / "trap"):
        came = repeat(take)
        moved = repeat(lambda: put_and_back(quarantine, place))
    assert looks(story.secret) == before
    assert came["Done"]
    assert came["Refused"]
    assert moved.total() > 2
    print(dict(came), dict(moved))
    names = {path.stat().st_ino for path in story.home.rglob("*") if path.is_file()}
    assert (story.secret / "x.mp4").stat().st_ino in names  # wherever it was moved, it is not gone


def test_removing_for_real_takes_only_what_was_looked_at(story):
    """The attacker puts his own file with the victim's name there; a foreign one never goes."""
    for n in range(300):
        story.make(f"modelos/victor/{n}.part")
    story.make("modelos/victor/mine", b"keep")
    (story.victor / "trap").symlink_to(story.secret / "x.mp4")
    inode = (story.victor / "mine").stat().st_ino
    before = looks(story.secret)
    with flipping(story.victor / "mine", story.victor / "trap"):
        for _ in range(30):
            remove_ours(story.find(story.victor), lambda name, found: found.st_ino != inode)
    assert looks(story.secret) == before
    assert inode in {path.lstat().st_ino for path in story.victor.iterdir()}


def test_a_proof_as_the_childs_user_touches_nothing_foreign(story):
    (story.modelos / "trap").symlink_to(story.secret)
    before = looks(story.secret)
    place = Place(story.find("modelos").root, ("victor",))
    with flipping(story.victor, story.modelos / "trap"):
        repeat(lambda: prove_writable_directory(place, CHILD.uid, CHILD.gid), SECONDS / 2)
        repeat(lambda: can_write(place, CHILD.uid, CHILD.gid), SECONDS / 2)
    assert looks(story.secret) == before
    assert os.listdir(
        story.victor if not story.victor.is_symlink() else story.modelos / "trap"
    ) == ["x.mp4"]
