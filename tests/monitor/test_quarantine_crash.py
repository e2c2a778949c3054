"""The power may go at any moment: the file is then at its place or in the quarantine, whole, and findable."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

import pytest

from monitor.safe.quarantine import Quarantine
from monitor.safe.shelf import Entry
from tests.monitor.paths_story import CHILD, a_home
from tests.monitor.test_quarantine import across_file_systems

STEPS = {
    ("put", "rename"): ["begun", "noted", "moved", "synced", "kept"],
    ("put", "copy"): ["begun", "noted", "copied", "aside", "whole", "unlinked", "synced", "kept"],
    ("restore", "rename"): ["noted", "moved", "synced"],
    ("restore", "copy"): ["noted", "copied", "whole", "moved", "synced"],
    ("purge", "rename"): ["noted", "unlinked"],
}
ALL = [(verb, way, step) for (verb, way), steps in STEPS.items() for step in steps]


@pytest.fixture
def story():
    with a_home() as story:
        story.folder = story.home / "data" / "monitor" / "quarantine"
        yield story


def in_a_process_that_dies(act):
    """Fork, act, and see that it ended at the step; nothing is cleaned up after it."""
    pid = os.fork()
    if pid == 0:
        act()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(("verb", "way", "step"), ALL)
def test_no_step_is_the_last_one_of_a_file(story, monkeypatch, verb, way, step):
    if way == "copy":
        across_file_systems(monkeypatch)
    healthy = Quarantine(story.folder)
    dying = Quarantine(story.folder, reached=lambda at: at == step and os._exit(9))
    entry = None
    if verb == "put":
        in_a_process_that_dies(lambda: dying.put(story.find(story.video), "bad", "I-1"))
    else:
        entry = healthy.put(story.find(story.video), "bad", "I-1")
        in_a_process_that_dies(lambda: getattr(dying, verb)(entry.id))
    assert not isinstance(healthy.entries(), str)  # it can be listed before anybody repairs it
    recovered = healthy.recover()
    assert all(isinstance(one, Entry) and one.state == "kept" for one in recovered)
    check_that_it_is_somewhere(story, healthy, recovered, verb)


def check_that_it_is_somewhere(story, healthy, recovered, verb):
    if verb == "purge":
        assert recovered == ()
        assert os.listdir(story.folder) == []
        return
    there = story.video.exists()
    assert there or recovered  # never nowhere
    assert os.listdir(story.victor) == (["x.mp4"] if there else [])  # nothing half done beside it
    if recovered:
        assert (recovered[0].sha256, recovered[0].incident) == (SHA, "I-1")
        if there:  # back at its place, and a copy too many: seen, and never put over it
            assert "nothing is overwritten" in healthy.restore(recovered[0].id).why
            story.video.unlink()
        assert healthy.restore(recovered[0].id).path == str(story.video)
    assert story.video.read_bytes() == b"video"
    assert story.video.stat().st_uid == CHILD.uid
    assert healthy.entries() == ()
    assert os.listdir(story.folder) == []


SHA = hashlib.sha256(b"video").hexdigest()


PUT = """
import sys
from pathlib import Path
from monitor.safe.paths import roots_of
from monitor.safe.quarantine import Quarantine
home = Path(sys.argv[1])
place = roots_of(home, owners=[{uid}]).find("modelos/victor/x.mp4")
quarantine = Quarantine(home / "data/monitor/quarantine")
print("ready", flush=True)
entry = quarantine.put(place, "bad", "I-1")
quarantine.restore(entry.id)
"""


@pytest.mark.needs("strace")
def test_killed_at_every_system_call_that_changes_something(story):
    """The kernel is the judge of what a step is: SIGKILL at the n-th change, for every n."""
    healthy = Quarantine(story.folder)
    for n in range(1, 200):
        if killed_at_change(story, n) == 0:
            break
        assert isinstance(healthy.recover(), tuple)
        check_that_it_is_somewhere(story, healthy, healthy.entries(), "put")
    assert 10 < n < 199
    assert story.video.read_bytes() == b"video"


CHANGES = "rename,renameat,renameat2,fsync,unlink,unlinkat,mkdir,mkdirat,link,linkat,fchown,chmod,fchmodat"


def killed_at_change(story, n):
    ran = subprocess.run(
        [
            *("strace", "-f", "-o", "/dev/null", "-e", f"trace={CHANGES}"),
            *("-e", f"inject={CHANGES}:signal=KILL:when={n}"),
            *(sys.executable, "-B", "-c", PUT.replace("{uid}", str(CHILD.uid)), str(story.home)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in {0, -9, 137}, ran.stderr
    assert re.search("ready", ran.stdout)
    return ran.returncode
