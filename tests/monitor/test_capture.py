from __future__ import annotations

import asyncio
import contextlib
import gzip
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.model import FileId
from monitor.options import Log
from monitor.supervise import capture
from monitor.supervise.capture import Rotated, pack_oldest, rotate, rotated, tidy, wants_rotation
from monitor.supervise.tree import Tree
from tests.monitor.crib import until
from tests.monitor.programs import python

# Numbered lines, one write each, as fast as it can; lines of several lengths.
WRITES = (
    "import os, sys\n"
    "fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
    "name, number = sys.argv[2].encode(), 0\n"
    "while True:\n"
    "    os.write(fd, b'%s %09d %s\\n' % (name, number, b'x' * (number % 97)))\n"
    "    number += 1\n"
)
NOBODY = Tree((), "")


@contextlib.contextmanager
def writers(log: Path, *names: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [subprocess.Popen((*python(WRITES), str(log), name)) for name in names]
    try:
        yield started
    finally:
        for writer in started:
            writer.kill()
            writer.wait()


def everything(log: Path) -> bytes:
    """All generations from the oldest on, and the live file last."""
    parts = [old for _, old in reversed(rotated(log))]
    texts = [
        gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in parts
    ]
    return b"".join([*texts, log.read_bytes()])


def assert_whole(text: bytes, *names: str) -> None:
    """Every number of every writer exactly once and in order, and no line torn."""
    next_of = dict.fromkeys((name.encode() for name in names), 0)
    lines = text.split(b"\n")
    assert lines.pop() == b"", "the last line has its end"
    for line in lines:
        name, number, tail = line.split(b" ")
        assert int(number) == next_of[name], f"after {next_of[name] - 1} came {line[:30]!r}"
        assert tail == b"x" * (int(number) % 97)
        next_of[name] += 1
    assert all(next_of.values())


async def turn(log: Path, tree: Tree, drain: Callable[[], None] = lambda: None) -> Rotated | None:
    return await rotate(log, tree, drain, lambda _: None)


@pytest.mark.parametrize("names", [("one",), ("one", "two", "three")])
def test_rotating_at_full_writing_speed_loses_and_doubles_no_line(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    log = tmp_path / "kid.log"
    limits = Log(keep=100, total=0)

    async def story(tree: Tree) -> list[Rotated]:
        done: list[Rotated] = []
        deadline = time.monotonic() + 30
        while len(done) < 5:
            assert time.monotonic() < deadline, f"only {len(done)} rotations"
            before = log.stat().st_size
            await until(lambda before=before: log.stat().st_size > before + 100_000)
            if result := await turn(log, tree):
                done.append(result)
                await asyncio.to_thread(tidy, log, limits)
        return done

    with writers(log, *names) as started:
        while not log.exists():
            time.sleep(0.005)
        tree = Tree([writer.pid for writer in started], "")
        done = asyncio.run(story(tree))
    pauses = ", ".join(f"{each.paused * 1000:.1f}" for each in done)
    print(f"{len(names)} writers, paused for {pauses} ms, {sum(r.bytes for r in done):,} bytes")
    assert [old.suffix for _, old in rotated(log)] == [".1", *[".gz"] * 4]
    assert_whole(everything(log), *names)
    assert all(each.paused < 5 for each in done)
    assert not list(tmp_path.glob("*.rotating"))


def test_another_one_that_deletes_generations_meanwhile_stops_nothing(tmp_path: Path) -> None:
    # B 44
    log = tmp_path / "kid.log"
    over = threading.Event()

    def vandal() -> None:
        while not over.is_set():
            for old in tmp_path.glob("kid.log.[0-9]*"):
                with contextlib.suppress(OSError):
                    old.unlink()
            over.wait(0.0002)

    async def story() -> int:
        count = 0
        for number in range(60):
            log.write_bytes(b"%d\n" % number)
            wants_rotation(log, Log(), 0.0, time.time())
            count += await turn(log, NOBODY) is not None
            tidy(log, Log())
        return count

    thread = threading.Thread(target=vandal)
    thread.start()
    try:
        assert asyncio.run(story()) == 60
    finally:
        over.set()
        thread.join()
    assert log.read_bytes() == b""


def test_what_another_rotator_emptied_in_the_middle_is_left_to_it(tmp_path: Path) -> None:
    # B 44: what it kept is its own; we must not throw away what came after
    log = tmp_path / "kid.log"
    log.write_bytes(b"old\n" * 500_000)  # most of it is copied before the pause

    class Empties(Tree):
        def pause(self) -> bool:
            log.write_bytes(b"new\n")
            return True

    assert asyncio.run(turn(log, Empties((), ""))) is None
    assert log.read_bytes() == b"new\n"
    assert os.listdir(tmp_path) == ["kid.log"]


def test_who_follows_reads_the_last_bytes_and_learns_that_it_begins_anew(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"
    log.write_bytes(b"one\ntwo\n")
    status = log.stat()
    heard: list[object] = []

    async def story() -> None:
        done = await rotate(log, NOBODY, lambda: heard.append(log.read_bytes()), heard.append)
        assert done
        assert done.bytes == 8

    asyncio.run(story())
    assert heard == [b"one\ntwo\n", FileId(status.st_dev, status.st_ino)]
    assert log.stat().st_ino == status.st_ino, "every descriptor of every process stays good"
    assert log.read_bytes() == b""
    assert (tmp_path / "kid.log.1").read_bytes() == b"one\ntwo\n"


async def until_tried(log: Path, tree: Tree, drain: Callable[[], None]) -> None:
    """On a busy machine a pause may not come in time: then it is tried again."""
    while await turn(log, tree, drain) is None:
        await asyncio.sleep(0)


def test_a_follower_that_fails_leaves_nobody_paused(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"

    def fails() -> None:
        raise ValueError("its own trouble")

    with writers(log, "one") as (writer,):
        while not log.exists():
            time.sleep(0.005)
        with pytest.raises(ValueError, match="its own trouble"):
            asyncio.run(until_tried(log, Tree([writer.pid], ""), fails))
        size = log.stat().st_size
        deadline = time.monotonic() + 10
        while log.stat().st_size == size:
            assert time.monotonic() < deadline
            time.sleep(0.005)
    assert_whole(everything(log), "one")


class NeverHeld(Tree):
    """One of whom a process does not stand still in time."""

    def pause(self) -> bool:
        return False


def assert_untouched(log: Path, tree: Tree) -> None:
    """A rotation that cannot be done changes nothing at all."""
    before = {p.name: p.read_bytes() for p in log.parent.iterdir() if p.is_file()}
    assert asyncio.run(turn(log, tree)) is None
    assert {p.name: p.read_bytes() for p in log.parent.iterdir() if p.is_file()} == before


def test_a_writer_that_cannot_be_held_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"
    log.write_bytes(b"line\n" * 100_000)
    (tmp_path / "kid.log.1").write_bytes(b"older\n")
    assert_untouched(log, NeverHeld((), ""))


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine\n")
    (tmp_path / "kid.log").symlink_to(tmp_path / "precious")
    assert not wants_rotation(tmp_path / "kid.log", Log(size=1), 0.0, time.time())
    assert_untouched(tmp_path / "kid.log", NOBODY)
    assert (tmp_path / "kid.log").is_symlink()


@pytest.mark.parametrize("name", ["kid.log.rotating", "kid.log.gz.part"])
def test_a_link_laid_where_a_copy_will_be_made_is_not_followed(tmp_path: Path, name: str) -> None:
    # C 15: the folder of a log may belong to the child's user, and the monitor may be root
    (tmp_path / "precious").write_bytes(b"mine\n")
    (tmp_path / name).symlink_to(tmp_path / "precious")
    (tmp_path / "kid.log").write_bytes(b"line\n")
    (tmp_path / "kid.log.1").write_bytes(b"older\n")
    (tmp_path / "kid.log.2").write_bytes(b"oldest\n")
    asyncio.run(turn(tmp_path / "kid.log", NOBODY))
    tidy(tmp_path / "kid.log", Log())
    assert (tmp_path / "precious").read_bytes() == b"mine\n"
    assert not (tmp_path / "kid.log.rotating").exists()


def test_a_link_among_the_older_ones_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"theirs\n")
    (tmp_path / "kid.log").touch()
    (tmp_path / "kid.log.1").write_bytes(b"older\n")
    (tmp_path / "kid.log.2").symlink_to(tmp_path / "secret")
    tidy(tmp_path / "kid.log", Log())
    assert not (tmp_path / "kid.log.2.gz").exists()
    assert (tmp_path / "secret").read_bytes() == b"theirs\n"


@pytest.mark.parametrize("what", ["missing", "folder", "pipe"])
def test_what_is_no_log_is_not_rotated(tmp_path: Path, what: str) -> None:
    log = tmp_path / "kid.log"
    if what == "folder":
        log.mkdir()
    elif what == "pipe":
        os.mkfifo(log)
    assert not wants_rotation(log, Log(size=1 << 20), 0.0, 0.0)
    assert asyncio.run(turn(log, NOBODY)) is None


def test_a_disk_too_full_for_the_copy_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    # B 42
    small = tmp_path / "small"
    small.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=1m", "vigia-test", str(small))
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted only by root, and not in every container")
    try:
        log = small / "kid.log"
        log.write_bytes(b"line\n" * 120_000)  # 600 KB: no room for it twice
        assert_untouched(log, NOBODY)
        log.write_bytes(b"line\n" * 1000)
        assert asyncio.run(turn(log, NOBODY)) is not None
    finally:
        subprocess.run(("umount", "-l", str(small)), check=True)


def test_what_a_killed_monitor_left_half_copied_is_begun_again(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"
    (tmp_path / "kid.log.rotating").write_bytes(b"half of an earlier copy, longer than the log")
    log.write_bytes(b"line\n")
    assert asyncio.run(turn(log, NOBODY)) is not None
    assert everything(log) == b"line\n"


# --- the generations ---------------------------------------------------------------------------


def test_generations_shift_and_keep_their_form(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"
    log.write_bytes(b"d\n")
    (tmp_path / "kid.log.1").write_bytes(b"c\n")
    for number, text in ((2, b"b\n"), (9, b"a\n")):
        (tmp_path / f"kid.log.{number}.gz").write_bytes(gzip.compress(text))
    asyncio.run(turn(log, NOBODY))
    names = ["kid.log.1", "kid.log.2", "kid.log.3.gz", "kid.log.10.gz"]
    assert [old.name for _, old in rotated(log)] == names
    assert everything(log) == b"a\nb\nc\nd\n"


def test_files_of_others_with_similar_names_are_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "k[1]*.log"
    log.write_bytes(b"x\n")
    others = [
        "k[1]*.log.20261120",
        "k[1]*.log.2026-11-20",
        "k[1]*.log.0",
        "k[1]*.log.01",
        "k[1]*.log.1.bak",
        "k[1]*.log.1.gz.old",
        "k1x.log.1",
        "other.log.1",
    ]
    for name in others:
        (tmp_path / name).write_bytes(name.encode())
    asyncio.run(turn(log, NOBODY))
    tidy(log, Log(keep=1, total=1))
    for name in others:
        assert (tmp_path / name).read_bytes() == name.encode()


def make(log: Path, count: int, size: int = 1000) -> None:
    log.touch()
    for number in range(1, count + 1):
        (log.parent / f"{log.name}.{number}").write_bytes(os.urandom(size))


def names(log: Path) -> list[str]:
    return [old.name.removeprefix(f"{log.name}.") for _, old in rotated(log)]


def test_all_but_the_newest_are_compressed_and_stay_readable(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"
    log.touch()
    texts = {number: b"%d " % number * 5000 for number in (1, 2, 3)}
    for number, text in texts.items():
        (tmp_path / f"kid.log.{number}").write_bytes(text)
    tidy(log, Log())
    assert names(log) == ["1", "2.gz", "3.gz"]
    assert (tmp_path / "kid.log.1").read_bytes() == texts[1]
    for number in (2, 3):
        packed = tmp_path / f"kid.log.{number}.gz"
        assert gzip.decompress(packed.read_bytes()) == texts[number]
        assert packed.stat().st_size < 1000
        assert packed.stat().st_mode & 0o777 & ~0o640 == 0
    tidy(log, Log())
    assert names(log) == ["1", "2.gz", "3.gz"]
    assert not list(tmp_path.glob("*.part"))


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    make(tmp_path / "kid.log", 7)
    tidy(tmp_path / "kid.log", Log(keep=3))
    assert names(tmp_path / "kid.log") == ["1", "2.gz", "3.gz"]
    tidy(tmp_path / "kid.log", Log(keep=0))
    assert names(tmp_path / "kid.log") == []


def test_all_together_stay_below_their_total_and_the_oldest_go_first(tmp_path: Path) -> None:
    make(tmp_path / "kid.log", 6, size=1000)  # random: it does not compress
    tidy(tmp_path / "kid.log", Log(total=3500))
    assert names(tmp_path / "kid.log") == ["1", "2.gz", "3.gz"]
    tidy(tmp_path / "kid.log", Log(total=0))
    assert names(tmp_path / "kid.log") == ["1", "2.gz", "3.gz"], "0 is no limit"


def test_the_live_log_is_never_dropped(tmp_path: Path) -> None:
    (tmp_path / "kid.log").write_bytes(b"x" * 5000)
    tidy(tmp_path / "kid.log", Log(keep=0, total=1))
    assert (tmp_path / "kid.log").stat().st_size == 5000


# --- when --------------------------------------------------------------------------------------

DAY = 86400.0


@pytest.mark.parametrize(
    ("size", "limits", "age", "wanted"),
    [
        (999, Log(size=1000), 0.0, False),
        (1000, Log(size=1000), 0.0, True),
        (5000, Log(size=0), 0.0, False),
        (1, Log(), 6.9 * DAY, False),
        (1, Log(), 7.1 * DAY, True),
        (0, Log(), 7.1 * DAY, False),
        (1, Log(age=0), 999 * DAY, False),
        (1, Log(), -5 * DAY, False),  # the clock was set back
    ],
)
def test_size_and_age_make_a_rotation_due(
    tmp_path: Path, size: int, limits: Log, age: float, wanted: bool
) -> None:
    log = tmp_path / "kid.log"
    log.write_bytes(b"x" * size)
    now = time.time()
    assert wants_rotation(log, limits, now - age, now) is wanted


def test_the_last_rotation_counts_not_how_long_we_have_watched(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"
    log.write_bytes(b"x")
    (tmp_path / "kid.log.1").write_bytes(b"x")
    now = time.time()
    os.utime(tmp_path / "kid.log.1", (now - 6 * DAY, now - 6 * DAY))
    assert not wants_rotation(log, Log(), now - 30 * DAY, now)
    os.utime(tmp_path / "kid.log.1", (now - 8 * DAY, now - 8 * DAY))
    assert wants_rotation(log, Log(), now, now)


def test_the_name_of_a_log_is_no_pattern() -> None:
    assert capture.glob_safe("a[b]*?.log") == "a[[]b][*][?].log"


def test_what_was_written_to_a_moment_ago_is_not_compressed_yet(tmp_path: Path) -> None:
    log = tmp_path / "kid.log"
    for number, age in ((1, 0), (2, 10), (3, 100)):
        old = tmp_path / f"kid.log.{number}"
        old.write_text("x")
        os.utime(old, (1000 - age, 1000 - age))
    packed = pack_oldest(log, until=950)
    assert packed is not None
    assert packed.put(log)
    assert pack_oldest(log, until=950) is None
    assert names(log) == ["1", "2", "3.gz"]
