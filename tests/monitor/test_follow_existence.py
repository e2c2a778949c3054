"""Section A2 of the cases: files, folders and links come, go, change and forbid."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from monitor.follow.sight import nearest

from .follow_story import MODES, Reader, append, id_of, reader, write

NOBODY = 65534


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def begin(mode):
    started: list[Reader] = []

    def start(*patterns, **settings):
        started.append(reader(*patterns, mode=mode, **settings))
        started[-1].poll()
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def open_folder():
    """A folder that everyone may use: the one of pytest is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="follow-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(folder)


@contextlib.contextmanager
def without_privileges():
    """Root may read everything, so these rows are told as nobody."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# A 20
def test_a_file_that_is_missing_at_the_start_is_read_from_its_beginning(tmp_path, begin):
    seen = begin(tmp_path / "a")
    seen.poll()
    write(tmp_path / "a", "one\ntwo\n")
    seen.until("one", "two")
    assert seen.gaps == []


# A 20
def test_a_file_that_was_there_is_read_from_its_end(tmp_path, begin):
    write(tmp_path / "a", "old\n")
    seen = begin(tmp_path / "a")
    write(tmp_path / "a", "new\n")
    seen.until("new")


# A 21
def test_a_folder_that_is_missing_at_the_start_is_found_later(tmp_path, begin):
    log = tmp_path / "x" / "y" / "z.log"
    seen = begin(log)
    seen.poll()
    log.parent.mkdir(parents=True)
    write(log, "one\n")
    seen.until("one")
    assert nearest(str(tmp_path / "no" / "such")) == str(tmp_path)


# A 22
def test_a_file_deleted_and_made_again_is_read_from_its_start(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "old line\n")
    seen = begin(log, from_start=True)
    seen.until("old line")
    for n in range(5):
        with seen.stopped():
            os.unlink(log)
            write(log, f"new line {n}\nand another\n")
        seen.wait(lambda n=n: len(seen.lines) == 3 + 2 * n)
        assert seen.lines[-2:] == [f"new line {n}", "and another"]


# A 22
def test_an_inode_that_is_used_again_does_not_hide_a_new_file_after_a_restart(tmp_path):
    log = tmp_path / "a"
    for _ in range(20):
        write(log, "old line 1\nold line 2\n")
        first = Reader(log, from_start=True)
        first.until("old line 1", "old line 2")
        old, positions = id_of(log), first.close()
        os.unlink(log)
        write(log, "new line 1\nnew line 2\nnew line 3\n")
        same = id_of(log) == old
        second = Reader(log, positions=positions)
        second.until("new line 1", "new line 2", "new line 3")
        second.close()
        os.unlink(log)
        if same:
            break


# A 23
def test_a_deleted_file_is_read_while_it_is_written_and_then_let_go(tmp_path, begin, mode):
    log = tmp_path / "a"
    writer = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen = begin(log)
    os.unlink(log)
    for n in range(5):
        append(writer, f"{n}\n")
    seen.until("0", "1", "2", "3", "4")
    seen.rest(10 if mode == "core" else 1.2)
    seen.wait(lambda: not seen.follower.tails)
    os.close(writer)
    assert not [fd for fd in descriptors() if fd.endswith("(deleted)") and str(log) in fd]


def descriptors():
    found = []
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{fd}"))
    return found


# A 24
def test_a_folder_deleted_and_made_again_is_watched_again(tmp_path, begin):
    folder = tmp_path / "logs"
    log = folder / "a"
    folder.mkdir()
    write(log, "")
    seen = begin(log)
    expected = []
    for n in range(3):
        write(log, f"before {n}\n")
        expected.append(f"before {n}")
        seen.until(*expected)
        shutil.rmtree(folder)
        folder.mkdir()
        write(log, f"after {n}\n")
        expected.append(f"after {n}")
        seen.until(*expected)


# A 25
def test_a_link_that_is_swapped_gives_the_rest_of_the_old_file_and_all_of_the_new(tmp_path, begin):
    link, one, two = tmp_path / "log", tmp_path / "one", tmp_path / "two"
    write(one, "")
    link.symlink_to(one)
    seen = begin(link)
    with seen.stopped():
        write(one, "old\n")
        write(two, "new\n")
        (tmp_path / "tmp").symlink_to(two)
        os.replace(tmp_path / "tmp", link)
    seen.until("old", "new")
    write(two, "newer\n")
    write(one, "late\n")
    seen.wait(lambda: sorted(seen.lines) == ["late", "new", "newer", "old"])


# A 26
def test_what_is_written_to_the_target_of_a_link_in_another_folder_is_seen(tmp_path, begin):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "real"
    write(target, "")
    (tmp_path / "here" / "log").symlink_to(target)
    seen = begin(tmp_path / "here" / "log")
    assert str(target.parent) in seen.follower.directories()
    write(target, "one\n")
    seen.until("one")


# A 27
def test_a_dangling_link_and_a_loop_are_absent_until_they_lead_somewhere(tmp_path, begin):
    dangling, loop = tmp_path / "dangling", tmp_path / "loop"
    dangling.symlink_to(tmp_path / "later")
    loop.symlink_to(loop)
    seen = begin(dangling, loop)
    seen.poll()
    assert seen.follower.troubles == {}
    write(tmp_path / "later", "one\n")
    seen.until("one")
    loop.unlink()
    write(loop, "two\n")
    seen.until("one", "two")
    assert seen.gaps == []


# A 28
def test_a_file_that_may_no_longer_be_read_is_still_read_through_what_is_open(open_folder):
    log = open_folder / "a"
    write(log, "")
    with without_privileges():
        seen = Reader(log)
        seen.poll()
    log.chmod(0)
    write(log, "one\n")
    with without_privileges():
        seen.until("one")
        seen.rest(5)
    log.chmod(0o644)
    write(log, "two\n")
    with without_privileges():
        seen.until("one", "two")
    assert seen.gaps == []
    seen.close()


# A 28
def test_a_new_file_that_may_not_be_read_is_told_once_and_read_when_it_may(open_folder):
    log = open_folder / "a"
    write(log, "")
    with without_privileges():
        seen = Reader(log)
        seen.poll()
    os.rename(log, open_folder / "a.1")
    write(log, "one\n")
    log.chmod(0)
    with without_privileges():
        seen.rest(60)
    assert ["Permission denied" in gap.why for gap in seen.gaps] == [True]
    assert str(log) in seen.follower.troubles
    log.chmod(0o644)
    with without_privileges():
        seen.until("one")
    assert len(seen.gaps) == 1
    assert seen.follower.troubles == {}
    seen.close()


# A 28
def test_a_file_that_may_not_be_read_at_the_start_goes_on_from_what_it_had_then(open_folder):
    log = open_folder / "a"
    write(log, "old\n")
    log.chmod(0)
    with without_privileges():
        seen = Reader(log)
        seen.poll()
    write(log, "new\n")
    log.chmod(0o644)
    with without_privileges():
        seen.until("new")
    seen.close()


# A 29
@pytest.mark.parametrize("name", ["a", "*"])
def test_a_folder_that_may_not_be_read_is_a_trouble_that_shows(open_folder, name):
    folder = open_folder / "logs"
    folder.mkdir()
    write(folder / "a", "")
    folder.chmod(0)
    with without_privileges():
        seen = Reader(folder / name)
        seen.rest(10)
        assert len(seen.follower.troubles) == 1
    assert len(seen.gaps) == 1
    folder.chmod(0o755)
    write(folder / "a", "one\n")
    with without_privileges():
        seen.wait(lambda: "one" in seen.lines)
        assert seen.follower.troubles == {}
    seen.close()


# A 30
@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_file_is_not_given_up_when_looking_at_it_fails_a_hundred_times(tmp_path, number):
    log = tmp_path / "a"
    write(log, "")
    failing = []

    def status(path):
        if failing:
            raise OSError(number, os.strerror(number), path)
        return os.stat(path)

    seen = Reader(log, status=status)
    seen.poll()
    failing.append(True)
    for n in range(100):
        write(log, f"{n}\n")
        seen.poll(10.0)
    assert len(seen.lines) == 100
    assert len(seen.gaps) == 1
    failing.clear()
    write(log, "end\n")
    seen.until(*map(str, range(100)), "end")
    assert seen.follower.troubles == {}
    seen.close()


# A 31
@pytest.mark.timeout(20)
def test_a_pipe_or_device_is_refused_and_never_waited_for(tmp_path, begin):
    os.mkfifo(tmp_path / "fifo")
    write(tmp_path / "a", "")
    seen = begin(tmp_path / "fifo", "/dev/zero", tmp_path / "a")
    write(tmp_path / "a", "one\n")
    seen.until("one")
    assert sorted(gap.why for gap in seen.gaps) == [
        "is a device, not a file",
        "is a pipe, not a file",
    ]


# A 31
def test_a_file_that_becomes_a_pipe_between_look_and_open_is_not_read(tmp_path):
    log = tmp_path / "a"
    write(log, "x\n")
    found = os.stat(log)
    os.unlink(log)
    os.mkfifo(log)
    seen = Reader(log, status=lambda path: found)
    seen.poll()
    assert not seen.follower.tails
    seen.close()


# A 32
def test_a_folder_in_place_of_the_file_is_waited_out(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "")
    seen = begin(log)
    write(log, "one\n")
    seen.until("one")
    log.unlink()
    log.mkdir()
    seen.wait(lambda: str(log) in seen.follower.troubles)
    log.rmdir()
    write(log, "two\n")
    seen.until("one", "two")
    assert [gap.why for gap in seen.gaps] == ["is a directory, not a file"]


# A 33
def test_a_file_under_several_names_is_read_once(tmp_path, begin):
    log = tmp_path / "a"
    write(log, "")
    os.link(log, tmp_path / "a2")
    (tmp_path / "a3").symlink_to(log)
    seen = begin(log, tmp_path / "a2", tmp_path / "a3", f"{tmp_path}/*", f"{tmp_path}/./a")
    write(log, "one\n")
    seen.until("one")
    assert len(seen.follower.tails) == 1


# A 34
def test_our_own_files_are_not_read_under_any_name(tmp_path, begin):
    ours, log = tmp_path / "errors.json.log", tmp_path / "a.log"
    write(ours, "")
    write(log, "")
    own = id_of(ours)
    seen = begin(f"{tmp_path}/*.log", ours=lambda which: which == own)
    write(ours, "ERROR mine\n")
    os.link(ours, tmp_path / "b.log")
    write(log, "one\n")
    seen.until("one")
    assert [c.path for c in seen.record.chunks] == [str(log)]


def test_no_descriptor_is_left_after_a_thousand_rotations(tmp_path):
    log = tmp_path / "a"
    write(log, "")
    seen = Reader(log)
    seen.poll()
    before = len(os.listdir("/proc/self/fd"))
    for n in range(1000):
        os.replace(log, tmp_path / "a.1")
        write(log, f"{n}\n")
        seen.poll(6.0)
    seen.rest(12)
    assert len(seen.lines) == 1000
    assert len(os.listdir("/proc/self/fd")) <= before
    seen.close()


# A 61
def test_a_file_that_is_mounted_alone_is_warned_about(tmp_path):
    host, log = tmp_path / "host", tmp_path / "a"
    write(host, "")
    write(log, "")
    story = (
        "import os, sys; from monitor.follow.follower import Follower; log = sys.argv[1];"
        "f = Follower([log]); out = f.poll(1, 1); print(out[0].why);"
        "open(log, 'a').write('one\\n'); print(f.poll(2, 2)[0].data)"
    )
    command = 'mount --bind "$1" "$2" && exec "$3" -c "$4" "$2"'
    unshare = shutil.which("unshare")
    if not unshare or os.geteuid():
        pytest.skip("needs root and unshare")
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", command, "sh", host, log, sys.executable, story],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    if "mount" in done.stderr and done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr}")
    assert "mounted as a single file" in done.stdout
    assert "b'one\\n'" in done.stdout


def run(story, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", story, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_more_files_than_descriptors_are_told_once_and_leave_room_for_others(tmp_path):
    run(
        """
import os, resource, sys
from monitor.follow.follower import Follower
folder = sys.argv[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
follower = Follower([f"{folder}/*.log"])
for n in range(100):
    open(f"{folder}/{n:03}.log", "w").close()
assert ["32 are open already" in one.why for one in follower.poll(1.0, 1.0)] == [True]
with open(f"{folder}/000.log", "a") as file:
    file.write("one\\n")
assert [one.data for one in follower.poll(2.0, 2.0)] == [b"one\\n"]
for n in range(80):
    os.unlink(f"{folder}/{n:03}.log")
for now in (3.0, 30.0, 60.0):
    assert follower.poll(now, 3.0) == []
with open(f"{folder}/099.log", "a") as file:
    file.write("two\\n")
assert [one.data for one in follower.poll(61.0, 31.0)] == [b"two\\n"]
assert follower.troubles == {}
""",
        tmp_path,
    )


def test_a_process_without_descriptors_reads_what_is_open_and_the_rest_when_it_can(tmp_path):
    run(
        """
import os, resource, sys
from monitor.follow.follower import Follower
one, two = sys.argv[1] + "/one", sys.argv[1] + "/two"
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
writers = [os.open(name, os.O_CREAT | os.O_WRONLY) for name in (one, two)]
os.rename(two, two + ".away")
follower = Follower([one, two])
follower.poll(1.0, 1.0)
os.rename(two + ".away", two)
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
for writer in writers:
    os.write(writer, b"line\\n")
for now in (2.0, 3.0, 4.0):
    out = follower.poll(now, 1.0)
    print(out)
    told = [item.why for item in out if not hasattr(item, "data")]
    assert [item.data for item in out if hasattr(item, "data")] == [b"line\\n"] * (now == 2.0)
    assert told == ["cannot be opened: Too many open files"] * (now == 2.0)
os.close(taken.pop())
assert [item.data for item in follower.poll(5.0, 1.0)] == [b"line\\n"]
""",
        tmp_path,
    )
