"""`kill -9` of the whole monitor at any moment: nothing lost, nothing done twice, all comes to its end.

VIGIA_KILLS=1000 asks for so many kills; without it as many as fit into the time of a CI run.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.monitor.crib import lives
from tests.monitor.kill_story import KillStory, mutant
from tests.monitor.vigia import until

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("VIGIA_KILLS", "0"))
SEED = int(os.environ.get("VIGIA_SEED", "1"))
SECONDS = 30.0  # of killing, when no number is asked for


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the child's own user may come in as well."""
    folder = Path("/tmp") / f"vigia-kill-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(3600 if KILLS else 180)
def test_killed_at_random_moments_it_handles_all_trouble_once(home: Path) -> None:
    over = time.monotonic() + SECONDS
    with KillStory(home, SEED, servers=40 + KILLS // 3) as story:
        while story.seen.kills < KILLS if KILLS else time.monotonic() < over:
            if len(story.open_jobs()) < 6:
                story.any_trouble()
            story.start()
            if story.seen.torn:
                until(story.is_valid, what="the torn end is mended")
            _until_a_moment(story)
            story.kill()
            story.look()
        story.settle()
        story.check_the_end()
        print(
            f"{story.seen.kills} kills, {story.seen.amid} amid an attempt, {len(story.jobs)} troubles, {len(story.seen.records)} records,"
            f" {story.seen.torn} torn ends, {len(story.revived())} servers started again,"
            f" {len(story.for_a_person)} left to a person"
        )
        assert story.seen.kills >= 5


def _until_a_moment(story: KillStory) -> None:
    """At times while it starts, at times at and after the moment in which it writes something down."""
    choice = story.random.random()
    if choice < 0.3:
        time.sleep(story.random.uniform(0.02, 1.5))
        return
    wal = story.home / "data" / "monitor" / "state.db-wal"
    changes = story.random.randrange(1, 12)
    before = _written(wal)
    deadline = time.monotonic() + 3.0
    while changes and time.monotonic() < deadline:
        if (now := _written(wal)) != before:
            before, changes = now, changes - 1
        time.sleep(0.0005)
    time.sleep(story.random.uniform(0.0, 0.02))


def _written(wal: Path) -> tuple[int, int]:
    try:
        found = wal.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


# --- at every call to the kernel ----------------------------------------------------------------

CALLS = [
    "fdatasync",
    "fsync",
    "rename",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "fchown",
    "fchmod",
    "ftruncate",
    "vfork",
    "clone3",
    "pwrite64",
]
OFTEN = ("fdatasync", "pwrite64")


@pytest.mark.slow
@pytest.mark.needs("strace")
@pytest.mark.timeout(3600 if KILLS else 240)
@pytest.mark.parametrize("kind", ["broken", "server"])
def test_killed_at_each_call_to_the_kernel_it_handles_all_trouble_once(
    home: Path, kind: str
) -> None:
    """Also at those of the recovery: the next monitor finds what the killed one left, and is killed."""
    over = time.monotonic() + SECONDS
    points = 0
    with KillStory(home, SEED, servers=400 if KILLS else 60) as story:
        for call, numbers in points_of(story, over):
            for number in numbers:
                if not killed_at(story, kind, call, number):
                    break
                points += 1
            print(f"{kind}: {points} after {call}", flush=True)
        story.strace = ()
        story.settle()
        story.check_the_end()
    print(f"{kind}: killed at {points} calls, {story.seen.amid} amid an attempt,"
          f" {len(story.jobs)} troubles, {story.seen.torn} torn ends,"
          f" {len(story.for_a_person)} left to a person")  # fmt: skip
    assert points >= 2


def points_of(story: KillStory, over: float) -> Iterator[tuple[str, Iterable[int]]]:
    """Each number of each call until it is not reached; in a CI run some of those often made."""
    if KILLS:
        yield from ((call, range(1, 1000)) for call in CALLS)
    while not KILLS and time.monotonic() < over:
        yield story.random.choice(OFTEN), (story.random.randrange(1, 16),)


def killed_at(story: KillStory, kind: str, call: str, number: int) -> bool:
    """Whether the monitor came to that call before all its work was done."""
    if len(story.open_jobs()) < 2:
        story.trouble(kind)
    inject = f"inject={call}:signal=KILL:when={number}"
    story.strace = ("strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}")
    story.strace += ("-e", inject)
    story.start()
    pid = story.pid()
    deadline = time.monotonic() + 60
    while pid and lives(pid) and not story.is_over():
        story.ask_a_person()
        assert time.monotonic() < deadline, story.diary()[-3000:]
        time.sleep(0.02)
    killed = not pid or not lives(pid)
    if not killed:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not lives(pid), 30)
    story.end_children()  # strace would wait for them
    story.process.kill()
    story.process.wait()
    story.seen.kills += killed
    story.look()
    return killed


# --- each safeguard taken away in turn ----------------------------------------------------------


def dies_while_it_acts(story: KillStory) -> None:
    """The command that starts a server again kills the monitor, and the server takes its time."""
    (story.home / "work" / "deadly").touch()
    story.slow = True
    story.trouble("server")
    story.start()
    story.process.wait(30)
    assert len(story.revived()) == 1
    story.look()
    story.start()
    story.wait_state("running", "kid")
    patience = time.monotonic() + 3.0
    while len(story.revived()) == 1 and time.monotonic() < patience:
        time.sleep(0.02)
    story.slow = False
    until(story.is_over, 60)
    story.end()
    story.check_the_end()
    (last,) = story.ends().values()
    assert last["state"] == "resolved"


def test_killed_while_it_acts_it_looks_and_does_not_act_again(home: Path) -> None:
    with KillStory(home, SEED) as story:
        dies_while_it_acts(story)


def test_without_the_intent_it_would_act_again(home: Path, tmp_path: Path) -> None:
    taken_out = "            written.append(self._intend(incident, strategy))\n            detail ="
    package = mutant(tmp_path, "heal/respond.py", taken_out, "            detail =")
    with (
        KillStory(home, SEED, package) as story,
        pytest.raises(AssertionError, match="a server was started twice"),
    ):
        dies_while_it_acts(story)


def syncs_before_it_acts(story: KillStory) -> None:
    """Between the last write to the state and the act, the state was brought to the disk."""
    trace = story.home / "trace"
    calls = "trace=pwrite64,fdatasync,fsync,execve"
    story.strace = ("strace", "-f", "-y", "-qq", "-s", "400", "-o", str(trace), "-e", calls)
    story.trouble("server")
    story.start()
    until(story.is_over, 60)
    os.kill(story.pid(), signal.SIGTERM)
    story.process.wait(30)
    rows = trace.read_text(errors="replace").splitlines()
    act = next(n for n, row in enumerate(rows) if "execve(" in row and "work/revived" in row)
    writes = [
        n for n, row in enumerate(rows[:act]) if "pwrite64(" in row and "state.db-wal>" in row
    ]
    assert writes, "nothing was written down before it acted"
    synced = [row for row in rows[writes[-1] : act] if "sync(" in row and "state.db-wal>" in row]
    assert synced, "what it intends was not on the disk when it acted"


@pytest.mark.needs("strace")
def test_what_it_intends_is_on_the_disk_before_it_acts(home: Path) -> None:
    with KillStory(home, SEED) as story:
        syncs_before_it_acts(story)


@pytest.mark.needs("strace")
def test_without_the_sync_it_would_act_before_that(home: Path, tmp_path: Path) -> None:
    package = mutant(tmp_path, "state.py", "synchronous = FULL", "synchronous = NORMAL")
    with (
        KillStory(home, SEED, package) as story,
        pytest.raises(AssertionError, match="was not on the disk when it acted"),
    ):
        syncs_before_it_acts(story)


def mends_a_torn_end(story: KillStory) -> None:
    """The last write was cut off by the kill: the next start makes an array of it again."""
    story.trouble("folder")
    story.settle()
    story.look()
    whole = story.file.read_bytes()
    torn = b',\n{"seq":%d,"id":"INC-1.9","message":"cut of' % (len(story.seen.records) + 1)
    story.file.write_bytes(whole.removesuffix(b"\n]\n") + torn)
    story.start()
    story.wait_state("running", "kid")
    until(story.is_valid, 5, "the torn end is mended")  # it was, before the child was started
    story.kill()
    story.look()


def test_a_torn_end_is_mended_at_the_next_start(home: Path) -> None:
    with KillStory(home, SEED) as story:
        mends_a_torn_end(story)


def test_without_the_repair_of_the_end_it_would_stay_torn(home: Path, tmp_path: Path) -> None:
    mends = "            aside = self._keep_rest(rest)\n"
    package = mutant(tmp_path, "records/writer.py", mends, "            return\n")
    with (
        KillStory(home, SEED, package) as story,
        pytest.raises(AssertionError, match="the torn end is mended"),
    ):
        mends_a_torn_end(story)
