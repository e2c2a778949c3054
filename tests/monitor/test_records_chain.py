"""Whatever is changed, removed, inserted, put elsewhere or doubled is found, and said where."""

from __future__ import annotations

import random
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.records.chain import head_of, verify
from monitor.records.history import read
from tests.monitor.records_story import opened, record, some


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Three files: rotated, with carried records and a gap."""
    path = tmp_path_factory.mktemp("written") / "errors.json"
    with opened(path, size=6000, keep=9) as records:
        for seq in [*range(1, 9), *range(11, 24)]:
            records.append([record(seq)], carry=lambda: [record(2)])
    assert len(list(path.parent.glob("errors.json*"))) == 5
    assert verify(path) == []
    return path


@pytest.fixture
def path(written, tmp_path):
    shutil.copytree(written.parent, tmp_path / "copy")
    return tmp_path / "copy" / "errors.json"


def files(path):
    return [path.with_name("errors.json.2"), path.with_name("errors.json.1"), path]


@settings(max_examples=300, deadline=None)
@given(which=st.integers(0, 2), where=st.floats(0, 1, exclude_max=True), to=st.binary(min_size=1, max_size=1))  # fmt: skip
def test_any_change_of_any_byte_is_found(written, which, where, to):
    file = files(written)[which]
    content = file.read_bytes()
    at = int(where * len(content))
    changed = content[:at] + to + content[at + 1 :]
    file.write_bytes(changed)
    try:
        assert bool(verify(written)) == (changed != content)
    finally:
        file.write_bytes(content)


def lines_of(file):
    return file.read_bytes().splitlines(keepends=True)


def write_lines(file, bodies):
    """As an array with its commas right, as somebody careful would leave it."""
    file.write_bytes(b"[\n" + b",\n".join(body.rstrip(b",\n") for body in bodies) + b"\n]\n")


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_line_that_was_removed_is_found(path, which):
    file = files(path)[which]
    content = file.read_bytes()
    bodies = lines_of(file)[1:-1]
    for gone in range(len(bodies)):
        write_lines(file, bodies[:gone] + bodies[gone + 1 :])
        found = verify(path)
        assert found, f"line {gone + 2} of {len(bodies)} in {file.name}"
    file.write_bytes(content)
    assert verify(path) == []


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_line_put_elsewhere_doubled_or_slipped_in_is_found(path, which):
    file = files(path)[which]
    chance = random.Random(which)
    bodies = lines_of(file)[1:-1]
    for _ in range(60):
        at, to = chance.sample(range(len(bodies)), 2)
        swapped = list(bodies)
        swapped[at], swapped[to] = swapped[to], swapped[at]
        doubled = [*bodies[:at], bodies[to], *bodies[at:]]
        forged = [*bodies[:at], bodies[to].replace(b"victor", b"hector"), *bodies[at:]]
        for tampered in (swapped, doubled, forged):
            write_lines(file, tampered)
            assert verify(path)


def test_a_generation_that_was_removed_or_emptied_is_found(path):
    for file in files(path)[1:]:
        content = file.read_bytes()
        for left in (None, b"[\n]\n"):
            file.unlink(missing_ok=True)
            if left is not None:
                file.write_bytes(left)
            assert verify(path)
        file.write_bytes(content)


def test_it_says_where(path):
    file = files(path)[1]
    lines = lines_of(file)
    seq = int(lines[3].split(b",")[0].removeprefix(b'{"seq":'))
    lines[3] = lines[3].replace(b"victor", b"hector")
    file.write_bytes(b"".join(lines))
    (found,) = verify(path)
    assert (found.path, found.line, found.kind) == (str(file), 4, "changed")
    assert f"record {seq} was changed" in str(found)


def test_removed_records_are_named(path):
    bodies = lines_of(path)[1:-1]
    write_lines(path, bodies[:-2])
    (found,) = verify(path)
    assert "missing at the end: 22-23" in str(found)


def test_without_the_note_beside_all_but_the_end_is_checked(path):
    path.with_name("errors.json.head").unlink()
    assert head_of(path) is None
    assert verify(path) == []


def test_a_note_older_than_the_last_record_is_no_finding(path):
    """The writer may be killed between the record and its note."""
    head = path.with_name("errors.json.head")
    old = head.read_bytes()
    with opened(path) as records:
        records.append([record(24)])
    head.write_bytes(old)
    assert verify(path) == []


def test_reading_passes_over_what_is_torn_or_damaged(path):
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    assert [each["seq"] for each in read(path)][-1] == 22
    path.write_bytes(content.replace(b'{"seq":21,', b'{"xxx":21,'))
    assert [each["seq"] for each in read(path)][-2:] == [22, 23]


def test_the_oldest_generation_may_have_been_rotated_away(tmp_path):
    path = tmp_path / "errors.json"
    with opened(path, size=3000, keep=1) as records:
        for seq in range(1, 40):
            records.append([record(seq)])
    assert verify(path) == []
    assert verify(tmp_path / "none.json") == []


def test_more_records_may_come_while_it_is_verified(tmp_path):
    path = tmp_path / "errors.json"
    with opened(path) as records:
        records.append(some(1, 50))
        assert verify(path) == []
        records.append(some(51, 60))
        assert verify(path) == []
