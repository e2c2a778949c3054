"""A write may be torn at any byte: the records before it stay, the file is an array again."""

from __future__ import annotations

import json
import os

import pytest

from monitor.records.chain import verify
from monitor.records.ending import GROUP
from tests.monitor.records_story import opened, record, seqs, some


@pytest.fixture
def path(tmp_path):
    return tmp_path / "errors.json"


def whole_file(path, last):
    with opened(path) as records:
        records.append(some(1, last))
    return path.read_bytes()


def torn_states(before, after):
    """Every state a write may leave that was torn: its first bytes are there, the rest as it was."""
    for taken in range(len(after) - len(before) + 4):
        reached = len(before) - len(b"\n]\n") + taken
        yield after[:reached] + before[reached:]


def test_a_tear_at_every_byte_of_the_last_record_is_mended(path, tmp_path):
    before = whole_file(path, 3)
    with opened(path) as records:
        records.append([record(4)])
    after = path.read_bytes()
    states = list(torn_states(before, after))
    assert states[0] == before
    assert states[-1] == after
    for number, state in enumerate(states):
        torn = tmp_path / str(number) / "errors.json"
        torn.parent.mkdir()
        torn.write_bytes(state)
        said = []
        with opened(torn, warn=said.append) as records:
            found = seqs(torn)
            assert found in ([1, 2, 3], [1, 2, 3, 4])
            assert records.last_seq == found[-1]
            kept = [each.read_bytes() for each in torn.parent.glob("*.torn-*")]
            assert len(said) == len(kept) <= 1
            assert all(rest in after for rest in kept)
            records.append([record(4), record(5)])
        assert seqs(torn) == [1, 2, 3, 4, 5]
        assert verify(torn) == []


def test_a_tear_of_the_first_record_leaves_an_empty_array(path):
    after = whole_file(path, 1)
    for length in range(len(after)):
        path.write_bytes(after[:length])
        with opened(path, warn=lambda _: None) as records:
            assert records.last_seq in (0, 1)
            records.append([record(1)])
        assert seqs(path) == [1]
        assert verify(path) == []


def test_of_many_in_one_write_the_whole_ones_stay(path):
    after = whole_file(path, 60)
    middle = after.index(b'{"seq":40,')
    path.write_bytes(after[: middle + 100])
    said = []
    with opened(path, warn=said.append) as records:
        assert records.last_seq == 39
        records.append(some(1, 60))
    assert len(said) == 1
    assert path.read_bytes() == after


def test_a_tear_longer_than_the_first_look_back_is_mended(path):
    with opened(path) as records:
        records.append(some(1, 3))
        records.append([record(4, context={f"k{n}": "z" * 900 for n in range(60)})])
        records.append(some(5, 5, context={f"k{n}": "z" * 900 for n in range(60)}))
    path.write_bytes(path.read_bytes()[:-40])
    with opened(path, warn=lambda _: None) as records:
        assert records.last_seq == 4
    assert seqs(path) == [1, 2, 3, 4]


def test_zeros_after_a_power_cut_are_a_torn_end(path):
    path.write_bytes(whole_file(path, 3)[:-3] + b"\0" * 4096)
    said = []
    with opened(path, warn=said.append) as records:
        records.append([record(4)])
    assert len(said) == 1
    assert seqs(path) == [1, 2, 3, 4]


def test_more_than_a_write_can_tear_is_damage_and_kept(path):
    content = whole_file(path, 3)[:-3] + b"\0" * (GROUP * 8)
    path.write_bytes(content)
    said = []
    with opened(path, warn=said.append) as records:
        assert records.last_seq == 3
        records.append([record(4)])
    assert path.with_name("errors.json.1").read_bytes() == content
    assert seqs(path) == [4]
    assert len(said) == 1


@pytest.mark.parametrize("harm", [b"x", b"\n", b"\0", b"}"])
def test_damage_in_the_middle_is_kept_said_and_cuts_nothing(path, harm):
    content = bytearray(whole_file(path, 9))
    at = content.index(b'{"seq":5,') + 3
    content[at : at + 1] = harm
    path.write_bytes(content)
    said = []
    with opened(path, warn=said.append) as records:
        assert records.last_seq == 9
        records.append([record(10)])
    assert path.with_name("errors.json.1").read_bytes() == bytes(content)
    assert len(said) == 1
    assert "damaged" in said[0]
    assert seqs(path) == [10]
    assert {finding.kind for finding in verify(path)} == {"damaged", "missing"}


def test_damage_and_a_tear_together_cut_nothing(path):
    content = whole_file(path, 9).replace(b'{"seq":5,', b'{"xxx":5,')[:-30]
    path.write_bytes(content)
    with opened(path, warn=lambda _: None) as records:
        assert records.last_seq == 8
        records.append([record(9)])
    assert path.with_name("errors.json.1").read_bytes() == content
    assert seqs(path) == [9]


def test_opening_reads_only_the_end(path, monkeypatch):
    with opened(path) as records:
        records.append(some(1, 3000))
    read = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, n, at: (read.append(n), real(fd, n, at))[1])
    opened(path).close()
    assert sum(read) < 200_000 < path.stat().st_size


def test_without_room_for_the_torn_rest_the_ballast_makes_some(path, monkeypatch):
    after = whole_file(path, 3)
    path.write_bytes(after[:-40])
    ballast = path.with_name("errors.json.ballast")
    assert ballast.exists()
    real = os.write

    def write(fd, data):
        return 5 if ballast.exists() else real(fd, data)

    monkeypatch.setattr(os, "write", write)
    opened(path, warn=lambda _: None).close()
    assert seqs(path) == [1, 2]
    assert len(list(path.parent.glob("*.torn-*"))) == 1


def test_a_pretty_printed_array_is_not_taken_for_a_torn_one(path):
    whole_file(path, 3)
    pretty = json.dumps(json.loads(path.read_bytes()), indent=2)
    path.write_text(pretty)
    with opened(path, warn=lambda _: None) as records:
        records.append(some(1, 4))
    assert seqs(path) == [1, 2, 3, 4]
    assert [p.read_text() for p in path.parent.glob("*.broken-*")] == [pretty]


@pytest.mark.parametrize(("word", "broken"), [("torn", b"{half a rec"), ("broken", b"no array")])
def test_of_what_was_put_aside_only_the_newest_five_stay(tmp_path, word, broken):
    path = tmp_path / "errors.json"
    kin = tmp_path / f"errors.json.{word}-notes"
    kin.write_bytes(b"a person's")
    for number in range(8):
        whole = path.read_bytes() if path.exists() else b""
        rest = b"%b %d" % (broken, number)
        path.write_bytes(whole[: whole.rfind(b"]")] + rest if word == "torn" and whole else rest)
        with opened(path, warn=lambda _: None, clock=lambda: 7.0) as records:
            records.append([{"seq": records.last_seq + 1}])
    kept = [each.read_bytes() for each in tmp_path.glob(f"*.{word}-7*")]
    assert sorted(each[-1:] for each in kept) == [b"3", b"4", b"5", b"6", b"7"]
    assert kin.exists()
