"""The state survives what happens to files, and never stands in the way of a start."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys

import pytest

from monitor.model import FileId, Position
from monitor.state import MIGRATIONS, State, StateTooNew, StateUnwritable
from tests.monitor.volumes import fill, tmpfs


def position(n=1, path="/var/log/a.log"):
    return Position(path, FileId(2049, n), n * 10, b"h" * 16, b"m" * 16)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "data" / "state.db")


def opened(path, warn=pytest.fail, at=1000.0):
    return State.open(path, at=at, warn=warn)


def test_positions_come_back_as_they_were_saved(path):
    saved = [position(n) for n in range(1, 4)]
    odd = Position("/tmp/\udcff \n'", FileId(2**64 - 1, 2**63), 2**40, b"", b"\0")
    with opened(path) as state, state.transaction():
        state.save_positions([*saved, odd], 1.0)
    with opened(path) as state:
        assert sorted(state.positions(), key=lambda p: p.offset) == [*saved, odd]


def test_the_file_that_was_saved_last_comes_last(path):
    with opened(path) as state:
        for at, n in ((3.0, 1), (1.0, 2), (2.0, 3)):
            with state.transaction():
                state.save_positions([position(n)], at)
        assert [p.id.inode for p in state.positions()] == [2, 3, 1]


def test_only_the_owner_may_read_it(path):
    with opened(path) as state, state.transaction():
        state.save_positions([position()], 1.0)
        folder = os.path.dirname(path)
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        for name in os.listdir(folder):
            assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600


def test_every_commit_is_on_disk_before_it_returns(path):
    with opened(path) as state, state.transaction() as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def save_and_fail(state):
    with state.transaction():
        state.save_positions([position()], 1.0)
        _ = 1 / 0


def test_a_transaction_is_all_or_nothing(path):
    with opened(path) as state:
        with pytest.raises(ZeroDivisionError):
            save_and_fail(state)
        assert state.positions() == []
        with pytest.raises(FileNotFoundError), state.transaction():
            os.stat("/no/such/file")
        with state.transaction():
            state.save_positions([position()], 1.0)
        assert state.positions() == [position()]


def test_the_place_in_a_file_that_is_gone_is_forgotten_after_a_week_of_reading(path, tmp_path):
    quiet = tmp_path / "quiet.log"  # nobody wrote to it for long, but it is there
    quiet.write_text("")
    there = FileId(os.stat(quiet).st_dev, os.stat(quiet).st_ino)
    kept = Position(str(quiet), there, 0, b"", b"")
    with opened(path) as state, state.transaction():
        state.save_positions([position(1), kept], 0.0)
        state.save_positions([position(2)], 6.0 * 86400)
        state.forget_gone()
        assert len(state.positions()) == 3
        state.save_positions([position(3)], 7.5 * 86400)
        state.forget_gone()
        assert state.positions() == [kept, position(2), position(3)]


def mutations():
    """Fifty ways in which a state file is not what it was."""
    chance = random.Random(53)
    fixed = [
        lambda data: b"",
        lambda data: b"\0" * len(data),
        lambda data: b"not a database",
        lambda data: data[:100],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"tail",
        lambda data: data[4096:],
        lambda data: b"SQLite format 3\0",
        lambda data: data[::-1],
    ]

    def scratch(data, at, size):
        return data[:at] + bytes(chance.randrange(256) for _ in range(size)) + data[at + size :]

    for n in range(40):
        at, size = chance.randrange(100 if n % 2 else 8000), chance.choice([1, 16, 500])
        fixed.append(lambda data, at=at, size=size: scratch(data, at, size))
    return fixed


# A 53
@pytest.mark.parametrize("mutate", mutations())
def test_a_state_that_is_broken_never_stops_a_start(path, mutate):
    with opened(path) as state, state.transaction():
        state.save_positions([position(n) for n in range(50)], 1.0)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(mutate(data))
    told = []
    for _ in range(3):
        try:
            with opened(path, warn=told.append) as state:
                assert all(isinstance(one, Position) for one in state.positions())
                with state.transaction():
                    state.save_positions([position(99)], 2.0)
                assert position(99) in state.positions()
        except StateTooNew:
            break  # a scratch made the version number bigger: that is told, not guessed
    assert len(told) <= 1
    if told:
        assert ".broken-1000" in told[0]
        assert os.path.exists(path + ".broken-1000")


# A 53
def test_a_database_of_another_program_is_moved_aside_whole(path):
    os.makedirs(os.path.dirname(path))
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    told = []
    opened(path, warn=told.append).close()
    assert "another program" in told[0]
    kept = sqlite3.connect(path + ".broken-1000")
    assert kept.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    kept.close()


# A 53
@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling"])
def test_what_is_no_file_is_moved_aside(path, kind):
    os.makedirs(os.path.dirname(path))
    if kind == "folder":
        os.mkdir(path)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        os.symlink("/nowhere", path)
    told = []
    opened(path, warn=told.append).close()
    assert len(told) == 1
    opened(path).close()


# A 53
def test_two_broken_files_in_one_second_are_both_kept(path):
    told = []
    for _ in range(3):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("broken" * 100)
        opened(path, warn=told.append).close()
    assert len(told) == 3
    assert sum(".broken-" in name for name in os.listdir(os.path.dirname(path))) == 3


# A 53
def test_a_state_of_a_newer_version_is_refused_and_kept(path):
    opened(path).close()
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.commit()
    newer.close()
    with pytest.raises(StateTooNew, match=f"version {len(MIGRATIONS) + 1}"):
        opened(path)
    assert os.path.exists(path)


# A 54
def test_a_full_disk_is_one_clear_error_and_later_it_goes_on(path):
    with opened(path) as state:
        with state.transaction() as db:
            db.execute("PRAGMA max_page_count = 3")
            db.execute("PRAGMA max_page_count = 3")
        with pytest.raises(StateUnwritable, match="full"), state.transaction():
            state.save_positions([position(n, "/x" * 500) for n in range(1000)], 1.0)
        assert state.positions() == []
        with state.transaction() as db:
            db.execute("PRAGMA max_page_count = 100000")
            state.save_positions([position()], 1.0)
        assert state.positions() == [position()]


# A 54
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")
def test_a_disk_that_is_really_full_is_one_clear_error(tmp_path):
    story = """
import sys
from monitor.model import FileId, Position
from monitor.state import State, StateUnwritable
many = [Position("/x" * 500, FileId(1, n), n, b"h", b"m") for n in range(3000)]
with State.open(sys.argv[1] + "/state.db", at=1.0, warn=print) as state:
    try:
        with state.transaction():
            state.save_positions(many, 1.0)
    except StateUnwritable as error:
        print("unwritable:", error)
    print(len(state.positions()))
"""
    unshare = shutil.which("unshare")
    if not unshare:
        pytest.skip("needs unshare")
    shell = 'mount -t tmpfs -o size=400k none "$1" || exit 77; exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        [unshare, "-m", "sh", "-c", shell, "sh", tmp_path, sys.executable, story],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"needs the right to mount: {done.stderr}")
    assert done.stdout.startswith("unwritable:"), (done.stdout, done.stderr)
    assert done.stdout.endswith("\n0\n")


# A 54
@pytest.mark.skipif(os.geteuid() != 0, reason="becomes nobody, which only root can")
def test_a_folder_that_takes_no_file_is_one_clear_error(path):
    os.makedirs(os.path.dirname(path))
    os.chmod(os.path.dirname(path), 0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(StateUnwritable, match=r"state\.db"):
            opened(path)
    finally:
        os.seteuid(0)


def test_another_writer_is_waited_for_and_then_told(path):
    with opened(path) as one, opened(path) as two:
        two._db.execute("PRAGMA busy_timeout = 10")
        with one.transaction():
            with pytest.raises(StateUnwritable, match="locked"), two.transaction():
                pass
            one.save_positions([position()], 1.0)
        assert two.positions() == [position()]


def test_a_state_in_memory_is_like_one_on_disk():
    with State.in_memory() as state:
        with state.transaction():
            state.save_positions([position()], 1.0)
        assert state.positions() == [position()]


@pytest.mark.parametrize("killed", [False, True], ids=["ended well", "killed"])
def test_begun_on_a_full_disk_it_goes_on_from_the_file_and_moves_there_when_there_is_room(
    tmp_path, killed
):
    with tmpfs(tmp_path / "small", "size=2m") as small:
        path = str(small / "state.db")
        opened(path).close()
        story = (
            "import os, signal, sys\n"
            "from monitor.state import State\n"
            "from tests.monitor.test_state import position\n"
            "state = State.open(sys.argv[1], at=1.0, warn=print)\n"
            "with state.transaction():\n"
            "    state.save_positions([position(1)], 1.0)\n"
            "if sys.argv[2] == 'True': os.kill(os.getpid(), signal.SIGKILL)\n"
            "state.close()\n"
        )
        subprocess.run([sys.executable, "-c", story, path, str(killed)], timeout=60, check=False)
        assert (small / "state.db-wal").exists() == killed, "the last words are in the log still"
        fill(small / "user.bin")
        with pytest.raises(StateUnwritable):
            opened(path)
        with State.in_memory(path) as state:
            assert state.positions() == [position(1)]
            with state.transaction():
                state.save_positions([position(2)], 2.0)
            assert not state.move_in(), "there is no room yet"
            (small / "user.bin").unlink()
            assert state.move_in()
            assert not state.move_in(), "it is there already"
            with state.transaction() as db:
                state.save_positions([position(3)], 3.0)
                assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with opened(path) as state:
            assert state.positions() == [position(1), position(2), position(3)]
            fill(small / "user.bin")
        os.unlink(path)
        with State.in_memory(path) as state:
            assert state.positions() == [], "there was no file to go on from"


def test_what_is_broken_on_a_full_disk_is_nothing_to_go_on_from(path):
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(b"SQLite format 3\0" + b"nonsense" * 1000)
    with State.in_memory(path) as state:
        assert state.positions() == []
        assert not state.move_in(), "what it is, the next start tells and moves aside"
