"""A disk that is really full: what is ours goes, records wait in order, the child is not held up."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.heal.book import Book
from monitor.heal.casework import Casework
from monitor.heal.recording import ChildFacts
from monitor.model import Category, FileId, Line, Match, Severity
from monitor.options import Repair
from monitor.records.writer import Records
from monitor.safe.paths import Roots, roots_of
from monitor.safe.quarantine import Entry, Quarantine
from monitor.state import State
from tests.monitor import programs
from tests.monitor.faults import (
    QUICK,
    give_job,
    notes,
    of,
    settle_in,
    story,
    wait_for,
    worker,
)
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia
from tests.monitor.volumes import fill, tmpfs

pytestmark = pytest.mark.slow

MB = 1 << 20
OFTEN = "[disk]\nevery = 0.2\n"
DAY = 86400.0


@contextmanager
def looking_at(home: Path) -> Iterator[list[str]]:
    """Somebody reads the records all the time; what was no JSON and stayed so is kept."""
    wrong: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            try:
                records(home)
            except AssertionError as error:
                wrong.append(str(error))
            over.wait(0.002)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        yield wrong
    finally:
        over.set()
        reader.join()


@contextmanager
def eating(*folders: Path) -> Iterator[None]:
    """Somebody takes every byte that comes free there, as fast as he can."""
    over = threading.Event()

    def eat() -> None:
        while not over.is_set():
            for folder in folders:
                with contextlib.suppress(OSError), (folder / "user.bin").open("ab", 0) as out:
                    while out.write(b"x" * 4096):
                        pass
            over.wait(0.001)

    eater = threading.Thread(target=eat)
    eater.start()
    try:
        yield
    finally:
        over.set()
        eater.join()
        for folder in folders:
            (folder / "user.bin").unlink()


def free(folder: Path) -> int:
    return os.statvfs(folder).f_bavail


def old(file: Path, size: int, age: float) -> Path:
    """A file that nobody touched for so long."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"o" * size)
    os.utime(file, (time.time() - age, time.time() - age))
    return file


def expired(home: Path, size: int) -> Entry:
    """A file that was put into the quarantine 40 days ago."""
    broken = old(home / "modelos" / "victor" / "broken.mp4", size, 40 * DAY)
    roots: Roots = roots_of(home)
    place = roots.find(str(broken))
    folder = home / "data" / "monitor" / "quarantine"
    kept = Quarantine(folder, clock=lambda: time.time() - 40 * DAY).put(place, "test")  # type: ignore[arg-type]
    assert isinstance(kept, Entry), kept
    return kept


@pytest.mark.parametrize(
    ("rotated", "part", "kept", "gone"), [(3.5, 1, 1, 1), (1.5, 2, 1, 2), (1, 1, 2.5, 3)]
)
def test_what_is_ours_goes_the_most_useless_first_and_no_more_than_needed(
    tmp_path: Path, rotated: float, part: float, kept: float, gone: int
) -> None:
    """All on one disk of 16 MB of which 1 MB is free: a quarter shall be."""
    home = tmp_path / "home"
    with tmpfs(home, "size=16m"), vigia(home) as v, looking_at(home) as wrong:
        settle_in(home)
        entry = expired(home, int(kept * MB))
        log = old(home / "logs" / "kid.log.4", int(rotated * MB), 3 * DAY)
        left = old(home / "modelos" / "victor" / "a.part", int(part * MB), 2 * 3600)
        young = old(home / "modelos" / "victor" / "b.part", 1000, 60)
        mine = old(home / "modelos" / "victor" / "holiday.mp4", 1000, 400 * DAY)
        v.configure(QUICK + OFTEN + worker())
        v.start()
        v.wait_state("running", "kid")
        assert of(home, rule="vigia.disk_full") == []
        fill(home / "user.bin", leave=MB)
        over = wait_for(v, state="resolved", rule="vigia.disk_full")
        repair = of(home, incident=over["incident"], state="retrying")[0]
        assert repair["action"] == "free_disk"
        assert f"removed {gone} files of ours" in repair["outcome"]["detail"]
        assert "of 16.0 MB are free" in repair["outcome"]["proof"]
        in_quarantine = (home / "data" / "monitor" / "quarantine" / f"{entry.id}.file").exists()
        assert [log.exists(), left.exists(), in_quarantine] == [gone < 1, gone < 2, gone < 3]
        assert young.exists()
        assert mine.exists()
        assert notes(home)[:3] == ["started", "pause", "resume"]
        assert wrong == []


def home_on_three_disks(tmp_path: Path, stack: contextlib.ExitStack) -> tuple[Path, Path]:
    """State and records each on a small disk of their own; the child's log is elsewhere."""
    data = stack.enter_context(tmpfs(tmp_path / "data", "size=1m"))
    logs = stack.enter_context(tmpfs(tmp_path / "logs", "size=1m"))
    return data, logs


# Says one trouble for each file `say.N`, and beats all the time.
SAYS = (
    "import os, time\n"
    "said = set()\n"
    "while True:\n"
    "    for n in range(9):\n"
    "        if n not in said and os.path.exists(f'say.{n}'):\n"
    "            said.add(n)\n"
    "            path = os.path.abspath(f'modelos/missing{n}/clip.mp4')\n"
    "            print(f'ERROR FileNotFoundError: [Errno 2] No such file or directory: {path!r}', flush=True)\n"
    "    with open('beats', 'a') as file: file.write(f'{time.monotonic()}\\n')\n"
    "    time.sleep(0.01)\n"
)


def longest_gap(home: Path) -> float:
    beats = [float(line) for line in (home / "beats").read_text().splitlines()]
    return max(after - before for before, after in pairwise(beats))


def said(v: Vigia, n: int) -> None:
    (v.home / f"say.{n}").touch()
    until(lambda: f"missing{n}" in (v.home / "kid.log").read_text())


def test_while_the_disk_takes_nothing_records_wait_in_order_and_nothing_unwritten_is_done(
    tmp_path: Path,
) -> None:
    with contextlib.ExitStack() as stack:
        data, logs = home_on_three_disks(tmp_path, stack)
        v = stack.enter_context(vigia(tmp_path))
        (tmp_path / "modelos").mkdir()
        v.configure(QUICK + OFTEN + one(programs.python(SAYS), "log = {file = 'kid.log'}"))
        v.start()
        v.wait_state("running", "kid")
        wrong = stack.enter_context(looking_at(tmp_path))
        said(v, 0)
        wait_for(v, state="resolved", category="missing_path")
        assert (logs / "errors.json.ballast").exists()
        with eating(data, logs):
            (logs / "errors.json.ballast").unlink()
            until(lambda: not free(data) and not free(logs))
            for n in range(1, 5):
                said(v, n)
            until(lambda: "missing4" in v.text() and "INC-" in v.text(), what=v.text)
            until(lambda: v.text().count("missing_path") >= 5, what=v.text)
            v.run("restart", "kid")
            until(lambda: v.child("kid")["starts"] == 2, what=v.text)
            assert v.child("kid")["state"] in ("starting", "running")
            assert not (tmp_path / "modelos" / "missing4").exists()
            known = len(of(tmp_path, category="missing_path", state="resolved"))
            assert known == 1
        until(
            lambda: len(of(tmp_path, category="missing_path", state="resolved")) == 5,
            30,
            what=v.text,
        )
        assert all((tmp_path / "modelos" / f"missing{n}").is_dir() for n in range(5))
        found = records(tmp_path)
        assert [r["seq"] for r in found] == list(range(1, len(found) + 1))
        assert [r["timestamp"] for r in found] == sorted(r["timestamp"] for r in found)
        assert v.run("events", "verify").returncode == 0
        assert wrong == []
        assert v.process.poll() is None
    assert longest_gap(tmp_path) < 3.0  # its restart included


def test_begun_on_a_full_disk_it_forgets_nothing_once_there_is_room(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        data, _ = home_on_three_disks(tmp_path, stack)
        v = stack.enter_context(vigia(tmp_path))
        (tmp_path / "modelos").mkdir()
        v.configure(QUICK + OFTEN + one(programs.python(SAYS), "log = {file = 'kid.log'}"))

        def mended(n: int) -> None:
            v.wait_state("running", "kid")
            said(v, n)
            until(
                lambda: len(of(tmp_path, category="missing_path", state="resolved")) == n + 1,
                30,
                v.text,
            )
            (tmp_path / f"say.{n}").unlink()

        v.start()
        mended(0)
        v.end()
        fill(data / "user.bin")
        v.start()
        mended(1)
        assert "on the disk again" not in v.diary()
        (data / "user.bin").unlink()
        until(lambda: "on the disk again" in v.diary(), what=v.diary)
        v.end(signal.SIGKILL)
        v.start()
        mended(2)
        found = records(tmp_path)
        assert [r["seq"] for r in found] == list(range(1, len(found) + 1))
        assert len({r["incident"] for r in of(tmp_path, category="missing_path")}) == 3
        assert of(tmp_path, state="gap") == []


def test_a_job_that_met_a_full_disk_is_done_when_our_own_leavings_are_gone(tmp_path: Path) -> None:
    settle_in(tmp_path)
    with tmpfs(tmp_path / "modelos", "size=8m") as small, vigia(tmp_path) as v:
        (small / "victor").mkdir()
        left = old(small / "victor" / "left.part", 4 * MB, 2 * 3600)
        v.configure(
            QUICK
            + "[disk]\nevery = '1h'\n"
            + worker("env = {JOB_SIZE = '600000'}\nrestart = {delay = 0}")
        )
        v.start()
        v.wait_state("running", "kid")
        fill(small / "user.bin", leave=100_000)
        give_job(tmp_path, "j1", "store")
        over = wait_for(v, state="resolved", category="disk_full")
        steps = story(tmp_path, over["incident"])
        assert steps == ["detected", "fixing", "retrying", "resolved"]
        repair = of(tmp_path, action="free_disk", state="retrying")[0]
        assert "are free" in repair["outcome"]["proof"]
        assert "job j1 succeeded" in repair["outcome"]["proof"]
        assert "removed 1 files of ours" in repair["outcome"]["detail"]
        assert not left.exists()
        assert (small / "victor" / "j1.mp4").stat().st_size == 600_000
        told = notes(tmp_path)
        assert told.index("pause") < told.index("resume") < told.index("retry j1")


def test_what_waited_too_long_is_counted_in_its_place(tmp_path: Path) -> None:
    """Memory is bounded: the oldest go, and a record says how many."""

    def opened() -> Records:
        return Records.open(tmp_path / "errors.json", size=MB, keep=1, warn=print)

    with (
        tmpfs(tmp_path, "size=4m"),
        State.open(str(tmp_path / "state.db"), at=time.time(), warn=print) as state,
    ):
        work = Casework(state, opened, facts, lambda _: None)
        work.book = Book(Repair(), {}, work.changed)
        work.take(trouble(0), "kid")
        assert work.settle()
        with eating(tmp_path):
            (tmp_path / "errors.json.ballast").unlink()
            until(lambda: not free(tmp_path))
            for n in range(1, 1201):
                work.take(trouble(n), "kid")
            assert not work.settle()
        work.catch_up()
        work.close()
        found = json.loads((tmp_path / "errors.json").read_text())
    assert [r["seq"] for r in found] == list(range(1, len(found) + 1))
    gap = found[1]
    assert gap["state"] == "gap"
    assert gap["message"].startswith("201 records were lost")
    assert [r["subject"] for r in found[2:]] == [f"/x/{n}" for n in range(202, 1201)]


def facts(_name: str) -> ChildFacts:
    return ChildFacts()


def trouble(n: int) -> Match:
    line = Line("kid.log", FileId(1, 1), f"no room for /x/{n}", n, n + 1, time.time())
    return Match(line, "test", Category.CORRUPT_FILE, Severity.WARNING, f"/x/{n}")
