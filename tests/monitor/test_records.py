"""The file is a valid array after every write, of one writer, and nothing that is not ours is cut."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.records.chain import verify
from monitor.records.history import generations, read
from monitor.records.record import FIELDS, LONGEST, line_of, parsed
from monitor.records.writer import Disk, RecordsRefused, RecordsUnwritable
from tests.monitor.records_story import opened, record, seqs, some


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "errors.json"


# --- the file ---


def test_a_new_file_is_an_empty_array(path):
    with opened(path) as records:
        assert path.read_bytes() == b"[\n]\n"
        assert records.last_seq == 0


def test_it_parses_after_every_append_and_has_one_record_a_line(path):
    with opened(path) as records:
        for seq in range(1, 60):
            records.append([record(seq)])
            assert seqs(path) == list(range(1, seq + 1))
    lines = path.read_text().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("[", "]", 61)


def test_a_record_has_all_fields_in_their_order_and_the_chain_last(path):
    with opened(path) as records:
        records.append([{"seq": 1, "state": "detected"}])
    (line,) = path.read_bytes().splitlines()[1:-1]
    assert list(json.loads(line)) == [*FIELDS, "first", "prev"]


def test_many_at_once_are_few_writes_each_on_disk(path):
    writes, syncs = [], []

    def write(fd, data, at):
        writes.append(len(data))
        return os.pwrite(fd, data, at)

    with opened(path, disk=Disk(write, syncs.append)) as records:
        before = len(syncs)
        records.append(some(1, 500))
        assert len(writes) == len(syncs) - before < 10
        assert seqs(path) == list(range(1, 501))


def test_every_append_is_on_disk_before_it_returns(path):
    told = []
    disk = Disk(
        lambda fd, data, at: (told.append("write"), os.pwrite(fd, data, at))[1],
        lambda fd: told.append("sync"),
    )
    with opened(path, disk=disk) as records:
        told.clear()
        for seq in range(1, 11):
            records.append([record(seq)])
    assert told == ["write", "sync"] * 10


@pytest.mark.needs("strace")
def test_the_kernel_is_really_asked_to_put_each_append_on_disk(path):
    code = (
        "import sys; from pathlib import Path; from tests.monitor.records_story import *\n"
        "with opened(Path(sys.argv[1])) as records:\n"
        "    for seq in range(1, 21): records.append([record(seq)])"
    )
    traced = subprocess.run(
        ["strace", "-f", "-e", "trace=pwrite64,fdatasync", sys.executable, "-c", code, path],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    calls = [
        call for call in traced.stderr.splitlines() if '"seq\\"' in call or "fdatasync" in call
    ]
    appends = [at for at, call in enumerate(calls) if "pwrite64" in call]
    assert len(appends) == 20
    assert all(calls[at + 1].startswith("fdatasync") for at in appends)


def test_nothing_is_written_twice_and_order_does_not_depend_on_the_caller(path):
    with opened(path) as records:
        records.append([record(2), record(1)])
        records.append(some(1, 3))
        records.append([])
        assert records.last_seq == 3
    with opened(path) as records:
        records.append(some(1, 5))
    assert seqs(path) == [1, 2, 3, 4, 5]
    assert verify(path) == []


def test_numbers_that_nobody_has_any_more_are_marked(path):
    with opened(path) as records:
        records.append([record(1), record(5), record(6)])
        records.append([record(8)])
    with path.open() as file:
        found = json.load(file)
    assert [(r["seq"], r["state"]) for r in found] == [
        (1, "detected"), (4, "gap"), (5, "detected"), (6, "detected"), (7, "gap"), (8, "detected"),
    ]  # fmt: skip
    assert found[1]["context"] == {"from": 2, "to": 4}
    assert verify(path) == []


def test_only_owner_and_group_may_read_it_whatever_the_umask(path):
    for mask in (0o000, 0o077):
        old = os.umask(mask)
        try:
            with opened(path, size=200, keep=2) as records:
                records.append(some(records.last_seq + 1, records.last_seq + 1))
        finally:
            os.umask(old)
        assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o640}


# --- what is no file of ours ---


def make_link(path):
    (path.parent / "elsewhere").write_text("precious")
    path.symlink_to("elsewhere")


def make_dangling_link(path):
    path.symlink_to("/nowhere/at/all")


def make_second_name(path):
    (path.parent / "elsewhere").write_text("precious")
    os.link(path.parent / "elsewhere", path)


@pytest.mark.parametrize(
    "make", [make_link, make_dangling_link, make_second_name, os.mkfifo, os.mkdir]
)
def test_what_is_no_plain_file_is_refused_and_left_alone(path, make):
    path.parent.mkdir()
    make(path)
    with pytest.raises(RecordsRefused, match=r"errors\.json"):
        opened(path)
    elsewhere = path.parent / "elsewhere"
    assert not elsewhere.exists() or elsewhere.read_text() == "precious"
    assert os.path.lexists(path)


@pytest.mark.parametrize("name", ["errors.json.head", "errors.json.ballast", "errors.json.new"])
def test_a_link_in_the_place_of_what_stands_beside_is_not_followed(path, name):
    path.parent.mkdir()
    precious = path.parent / "precious"
    precious.write_text("precious")
    (path.parent / name).symlink_to(precious)
    try:
        with opened(path, size=100) as records:
            records.append(some(1, 3))
            records.append(some(4, 6))
    except RecordsRefused:
        assert name.endswith("head")
    assert precious.read_text() == "precious"


@pytest.mark.parametrize(
    "content",
    [b"hello\n", b'{"seq": 1}\n', b'[\n  {\n    "seq": 1\n  }\n]\n', b"\0" * 5000, b"[\n]\nmore\n"],
)
def test_a_file_of_another_kind_is_moved_aside_whole_and_said(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    said = []
    with opened(path, warn=said.append, clock=lambda: 1000.0) as records:
        records.append([record(1)])
    assert path.with_name("errors.json.broken-1000").read_bytes() == content
    assert len(said) == 1
    assert "errors.json.broken-1000" in said[0]
    assert seqs(path) == [1]


@pytest.mark.parametrize("content", [b"", b"[", b"[\n", b"[\n]"])
def test_a_file_that_was_only_begun_is_finished_in_silence(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with opened(path) as records:
        assert seqs(path) == []
        records.append([record(1)])
    assert seqs(path) == [1]


def test_a_second_writer_is_told_so(path):
    with opened(path), pytest.raises(RecordsRefused, match="another process writes"):
        opened(path)
    opened(path).close()


def test_a_file_moved_or_deleted_meanwhile_is_begun_anew_and_the_numbers_go_on(path):
    said = []
    with opened(path, warn=said.append) as records:
        records.append(some(1, 3))
        path.rename(path.with_name("errors.json.1"))
        records.append(some(4, 5))
        assert seqs(path) == [4, 5]
        assert verify(path) == []
        path.unlink()
        records.append(some(6, 6))
        assert seqs(path) == [6]
    assert len(said) == 2
    assert [finding.kind for finding in verify(path)] == ["missing"]


def test_a_folder_deleted_with_all_in_it_is_made_again(path):
    said = []
    with opened(path, warn=said.append) as records:
        records.append(some(1, 3))
        shutil.rmtree(path.parent)
        records.append([record(4)])
        assert seqs(path) == [4]
        with pytest.raises(RecordsRefused, match="another process writes"):
            opened(path)
    assert len(said) == 1
    assert verify(path) == []


def test_a_file_cut_or_added_to_by_somebody_else_is_looked_at_again(path):
    said = []
    with opened(path, warn=said.append, clock=lambda: 7.0) as records:
        records.append(some(1, 3))
        with path.open("ab") as file:
            file.write(b"a person was here\n")
        records.append([record(4)])
        assert seqs(path) == [1, 2, 3, 4]
        assert b"a person" in path.with_name("errors.json.torn-7").read_bytes()
        os.truncate(path, path.read_bytes().index(b'{"seq":3') + 20)
        records.append(some(3, 5))
        assert seqs(path) in ([1, 2, 3, 4, 5], [1, 2, 3, 5])
    assert seqs(path) == [1, 2, 3, 4, 5]


# --- a disk that fails ---


class Failing:
    """A disk whose calls fail as they are told to, the real one behind it."""

    def __init__(self):
        self.write_fails = []  # an errno, or how many bytes are taken
        self.sync_fails = []
        self.synced = []

    def write(self, fd, data, at):
        how = self.write_fails.pop(0) if self.write_fails else len(data)
        if how < 0:
            raise OSError(-how, os.strerror(-how))
        return os.pwrite(fd, data[:how], at)

    def sync(self, fd):
        self.synced.append(fd)
        if self.sync_fails and (number := self.sync_fails.pop(0)):
            raise OSError(number, os.strerror(number))

    @property
    def disk(self):
        return Disk(self.write, self.sync)


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 4, 100, 500])
def test_a_write_that_is_cut_short_leaves_the_file_as_it_was(path, taken):
    failing = Failing()
    with opened(path, disk=failing.disk) as records:
        records.append(some(1, 3))
        before = path.read_bytes()
        path.with_name("errors.json.ballast").unlink()
        failing.write_fails = [taken]
        with pytest.raises(RecordsUnwritable, match=f"only {taken} of"):
            records.append(some(4, 5))
        assert path.read_bytes() == before
        records.append(some(4, 5))
    assert seqs(path) == [1, 2, 3, 4, 5]
    assert verify(path) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_a_write_that_is_refused_leaves_the_file_as_it_was(path, number):
    failing = Failing()
    with opened(path, disk=failing.disk) as records:
        records.append([record(1)])
        before = path.read_bytes()
        failing.write_fails = [-number, 10**9, -number, 10**9]
        with pytest.raises(RecordsUnwritable, match=r"errors\.json cannot be written"):
            records.append([record(2)])
        assert path.read_bytes() == before
        failing.write_fails = []
        records.append([record(2), record(3)])
    assert seqs(path) == [1, 2, 3]


def test_when_not_even_the_bracket_can_be_put_back_the_next_append_mends_the_file(path):
    failing, said = Failing(), []
    with opened(path, disk=failing.disk, warn=said.append) as records:
        records.append([record(1)])
        failing.write_fails = [300, -errno.EIO]
        path.with_name("errors.json.ballast").unlink()
        with pytest.raises(RecordsUnwritable):
            records.append([record(2)])
        records.append([record(2)])
        assert seqs(path) == [1, 2]
    assert len(said) == 1
    assert "torn" in said[0]


def test_a_failed_sync_is_never_asked_again_on_the_same_descriptor(path):
    failing = Failing()
    with opened(path, disk=failing.disk) as records:
        records.append([record(1)])
        held = records._fd
        os.dup2(held, 200)  # keeps the number of the old one from being given again
        failing.synced, failing.sync_fails = [], [errno.EIO]
        keep = os.dup(held)
        opened_before = os.fstat(held).st_ino
        records.append([record(2)])
        assert records._fd >= 0
        assert os.fstat(records._fd).st_ino == opened_before
        assert len(failing.synced) == 3  # failed; the new descriptor as opened; the group on it
        os.close(keep)
        os.close(200)
    assert seqs(path) == [1, 2]
    assert verify(path) == []


def test_what_could_not_be_synced_twice_is_not_acknowledged(path):
    failing = Failing()
    with opened(path, disk=failing.disk) as records:
        records.append([record(1)])
        failing.sync_fails = [errno.EIO, 0, errno.EIO]
        with pytest.raises(RecordsUnwritable):
            records.append([record(2)])
        assert records.last_seq == 1
        assert seqs(path) == [1]
        records.append([record(2)])
    assert seqs(path) == [1, 2]


def test_ballast_is_given_away_for_a_record_and_made_again(path):
    failing = Failing()
    ballast = path.with_name("errors.json.ballast")
    with opened(path, disk=failing.disk) as records:
        assert ballast.stat().st_size == ballast.stat().st_blocks * 512 == 256 * 1024
        failing.write_fails = [-errno.ENOSPC, 10**9]
        records.append([record(1)])
        assert seqs(path) == [1]
        assert ballast.exists()


# --- one record ---

texts = st.text(st.characters(), max_size=60)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS[1:]) | texts, anything, max_size=6))
def test_any_value_becomes_one_printable_line_of_json(fields):
    line = line_of(fields | {"seq": 1}, "0" * 64)
    assert line.decode().isprintable()
    assert parsed(line) == json.loads(line)
    assert len(line) <= LONGEST


def test_texts_cannot_leave_their_line_or_speak_to_the_terminal():
    hostile = 'x\n{"seq":2},\r\x1b]0;t\x07\u2028\u202e\x9b31m\ud800'
    line = line_of(record(1, message=hostile), "0" * 64)
    assert line.isascii()
    assert json.loads(line)["message"] == hostile.replace("\ud800", "\\ud800")


def test_spanish_stays_readable():
    assert "niño está".encode() in line_of(record(1, message="niño está"), "0" * 64)


def test_secrets_do_not_reach_the_file():
    token = "123456789:" + "A1b2" * 9
    line = line_of(
        record(
            1, message=f"GET https://x/bot{token}/getMe", context={"password": "hunter2 and more"},
            source={"line": f"Authorization: Bearer {'aB3' * 12}"}, subject=token,
        ),
        "0" * 64,
    )  # fmt: skip
    for secret in (token, "hunter2", "aB3aB3"):
        assert secret.encode() not in line


def test_a_record_of_any_size_is_cut_to_what_one_write_can_tear():
    line = line_of(
        record(1, message="x" * 10**6, context={f"k{n}": "y" * 10**5 for n in range(99)}), "0"
    )
    assert len(line) <= LONGEST
    assert "(+" in json.loads(line)["message"]


def test_the_same_records_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        with opened(tmp_path / name) as records:
            records.append(some(1, 9))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_record_without_a_number_is_a_mistake_of_ours(path):
    with opened(path) as records, pytest.raises(ValueError, match="seq"):
        records.append([{"seq": 0}])


# --- rotation ---


def test_files_are_rotated_between_records_and_the_oldest_goes(path):
    with opened(path, size=2000, keep=3) as records:
        for seq in range(1, 61):
            records.append([record(seq)])
            with path.open("rb") as file:
                json.load(file)
        assert [each.name for each in generations(path)] == [
            "errors.json.3", "errors.json.2", "errors.json.1", "errors.json",
        ]  # fmt: skip
    found = [each["seq"] for each in read(path)]
    assert found == list(range(found[0], 61))
    assert found[0] > 1
    assert verify(path) == []


def test_open_incidents_are_carried_over_once_and_counted_once(path):
    with opened(path, size=2000, keep=30) as records:
        for seq in range(1, 31):
            records.append([record(seq)], carry=lambda: [record(2), record(1)])
        last = records.last_seq
    with path.open() as file:
        inside = json.load(file)
    assert [(r["seq"], r["carried"]) for r in inside[:2]] == [(1, True), (2, True)]
    assert inside[0]["first"]
    assert last == 30
    assert [each["seq"] for each in read(path)] == list(range(1, 31))
    assert verify(path) == []


def test_when_the_original_is_rotated_away_the_carried_one_is_read_in_its_place(path):
    with opened(path, size=2000, keep=1) as records:
        for seq in range(1, 31):
            records.append([record(seq)], carry=lambda: [record(1)])
    found = [each["seq"] for each in read(path)]
    assert found[0] == 1
    assert found[1:] == list(range(found[1], 31))
    assert verify(path) == []


def test_a_file_of_nothing_but_carried_records_knows_the_newest_number(path):
    with opened(path, size=100, keep=3) as records:
        records.append(some(1, 9))
        records._rotate(lambda: some(3, 4))
        assert seqs(path) == [3, 4]
        assert records.last_seq == 9
    with opened(path, size=100) as records:
        assert records.last_seq == 9
        records.append(some(1, 10))
    assert seqs(path) == [3, 4, 10]
    assert verify(path) == []


@pytest.mark.parametrize("cut_off", ["linked", "made", "renamed"])
def test_a_rotation_cut_off_anywhere_is_put_in_order(path, cut_off):
    with opened(path) as records:
        records.append(some(1, 5))
    new, older = path.with_name("errors.json.new"), path.with_name("errors.json.1")
    new.write_bytes(b"[\n]\n" if cut_off != "made" else b"[")
    if cut_off == "linked":
        os.link(path, older)
    if cut_off == "renamed":
        path.rename(older)
    with opened(path) as records:
        assert records.last_seq == 5
        records.append([record(6)])
    assert [each["seq"] for each in read(path)] == [1, 2, 3, 4, 5, 6]
    assert verify(path) == []
    assert not new.exists()


def test_more_carried_records_than_a_file_holds_do_not_rotate_for_ever(path):
    with opened(path, size=1000, keep=99) as records:
        records.append(some(1, 3))
        for seq in range(4, 8):
            records.append([record(seq)], carry=lambda: some(1, 3))
    assert len(generations(path)) == 5
    assert [each["seq"] for each in read(path)] == list(range(1, 8))
    with opened(path, size=1000, keep=99) as records:
        records._rotate(lambda: some(1, 3))
        before = len(generations(path))
        records.append([record(8)], carry=lambda: some(1, 3))
        assert len(generations(path)) == before
    assert verify(path) == []


READER = """
import sys
while True:
    with open(sys.argv[1], "rb") as file:
        file.read()
    sys.stdout.write(".")
    sys.stdout.flush()
"""


def test_there_is_a_file_at_every_moment_of_a_rotation(path):
    with opened(path, size=100, keep=3) as records:
        records.append([record(1)])
        with subprocess.Popen(
            [sys.executable, "-c", READER, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as reader:
            reader.stdout.read(1)
            for seq in range(2, 200):
                records.append([record(seq)])
            reader.stdout.read(50)
            assert reader.poll() is None, reader.stderr.read()
            reader.kill()


@pytest.mark.needs("strace")
def test_a_new_file_and_its_name_are_on_disk_before_anything_is_written_to_it(path):
    code = (
        "import sys; from pathlib import Path; from tests.monitor.records_story import *\n"
        "with opened(Path(sys.argv[1]), size=100) as records:\n"
        "    records.append([record(1)]); records.append([record(2)])"
    )
    traced = subprocess.run(
        ["strace", "-e", "trace=pwrite64,fsync,fdatasync,link,linkat,rename", sys.executable, "-c", code, path],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    calls = [call.split("(")[0] for call in traced.stderr.splitlines() if "(" in call]
    turn = calls.index("rename")
    assert calls[turn - 3 : turn + 2] == ["pwrite64", "fsync", "linkat", "rename", "fsync"]


def test_a_file_that_changed_under_a_failing_sync_gets_no_broken_link(path):
    said = []

    def sync(fd):
        if said == ["fail"]:
            said.append("failed")
            path.write_bytes(b"[\n]\n")
            raise OSError(errno.EIO, "broken")

    with opened(path, warn=lambda _: None, disk=Disk(sync=sync)) as records:
        records.append(some(1, 3))
        said.append("fail")
        with pytest.raises(RecordsUnwritable):
            records.append([record(4)])
        records.append([record(4)])
    assert {finding.kind for finding in verify(path)} <= {"missing"}
