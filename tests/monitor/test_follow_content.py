"""Section A3 of the cases: what stands in the files, from half a line to a line of 100 MB."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.follow.cursor import READ
from monitor.follow.encoding import MARKED, PLAIN, encoding_of
from monitor.follow.lines import LINE_CAP

from .follow_story import Reader, id_of, reader, write


@pytest.fixture
def log(tmp_path):
    write(tmp_path / "a", "")
    return tmp_path / "a"


@pytest.fixture
def seen(log):
    started = Reader(log)
    started.poll()
    yield started
    started.close()


def data(seen):
    return b"".join(chunk.data for chunk in seen.record.chunks)


# A 35
def test_half_a_line_waits_for_its_end(log, seen):
    write(log, "ERR")
    seen.rest(1.5)
    assert seen.lines == []
    assert [p.offset for p in seen.follower.positions()] == [0]
    write(log, "OR x\n")
    seen.until("ERROR x")
    assert len(seen.record.chunks) == 1


# A 35
def test_half_a_line_that_rested_comes_again_whole_in_the_same_place(log, seen):
    write(log, "first\nERR")
    seen.rest(3)
    write(log, "OR x\n")
    seen.until("first", "ERROR x")
    assert [(c.start, c.data) for c in seen.record.chunks] == [
        (0, b"first\n"),
        (6, b"ERR"),
        (6, b"ERROR x\n"),
    ]


# A 36
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mode", ["core", "inotify", "polling"])
def test_a_line_that_is_never_finished_comes_once_when_it_has_rested(log, end, mode):
    seen = reader(log, mode=mode)
    seen.poll()
    write(log, "ERROR x")
    seen.until("ERROR x")
    write(log, end)
    seen.rest(5 if mode == "core" else 0.6)
    assert [c.data for c in seen.record.chunks] == [b"ERROR x"]
    write(log, "next\n")
    seen.until("ERROR x", "next")
    assert [p.offset for p in seen.close()] == [os.path.getsize(log)]


# A 36
def test_a_rested_line_and_its_end_in_one_write_with_more_lines_are_not_told_twice(log, seen):
    write(log, "ERROR x")
    seen.until("ERROR x")
    write(log, "\nnext\n")
    seen.until("ERROR x", "next")
    assert data(seen) == b"ERROR xnext\n"


# A 37
@pytest.mark.parametrize("rest", [0.5, 10])
def test_half_a_line_is_completed_across_a_restart(log, seen, rest):
    write(log, "par")
    seen.rest(rest)
    second = Reader(log, positions=seen.close())
    second.poll()
    write(log, "tial\n")
    second.until("partial")
    second.close()


def test_half_a_line_that_was_there_at_the_first_look_is_completed(tmp_path):
    write(tmp_path / "a", "old\npar")
    seen = Reader(tmp_path / "a")
    seen.rest(5)
    assert seen.lines == []
    write(tmp_path / "a", "tial\n")
    seen.until("partial")
    seen.close()


# A 38
@pytest.mark.parametrize("mode", ["core", "inotify", "polling"])
def test_half_a_line_before_a_rotation_is_handed_out_when_the_file_is_done(tmp_path, log, mode):
    seen = reader(log, mode=mode)
    seen.poll()
    write(log, "hi")
    os.rename(log, tmp_path / "a.1")
    write(log, "x\n")
    seen.wait(lambda: sorted(seen.lines) == ["hi", "x"])
    seen.close()


# A 39
def test_a_carriage_return_before_the_end_is_left_for_the_reader_of_the_line(log, seen):
    write(log, "E x\r\nE y\n")
    seen.poll()
    assert data(seen) == b"E x\r\nE y\n"


# A 40
@pytest.mark.parametrize("k", range(9))
@pytest.mark.parametrize("border", [LINE_CAP, READ])
def test_nothing_is_split_where_a_read_ends(log, seen, k, border):
    line = "y" * 99 + "\n"
    text = line * (border // 100 - 1)
    text += "z" * (border - len(text) - k) + "\u20ac\nend \u20ac\n"
    write(log, text)
    seen.until(*text.splitlines())
    assert not seen.gaps
    for chunk in seen.record.chunks:
        assert chunk.data.endswith(b"\n")
        chunk.data.decode()


# A 40
@pytest.mark.parametrize("mode", ["core", "inotify"])
def test_bytes_that_come_one_by_one_make_whole_characters(log, mode):
    seen = reader(log, mode=mode)
    seen.poll()
    for byte in "a\u20acb\U0001f600c\n".encode():
        write(log, bytes([byte]))
        seen.poll(0.01)
    seen.until("a\u20acb\U0001f600c")
    assert len(seen.record.chunks) == 1
    seen.close()


# A 41
def test_a_hole_of_two_gigabytes_is_passed_over_without_taking_memory(log, seen):
    write(log, "before\n")
    seen.until("before")
    with open(log, "r+b") as file:
        file.truncate(0)
        file.seek(2 * 1024**3)
        file.write(b"after\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen.until("before", "after")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 20_000
    assert not any(b"\0" in chunk.data for chunk in seen.record.chunks)
    assert any(f"{2 * 1024**3} NUL bytes" in gap.why for gap in seen.gaps)
    assert [p.offset for p in seen.follower.positions()] == [2 * 1024**3 + 6]


# A 41
@pytest.mark.parametrize("count", [1, 100, 4096, 5000, READ, 3 * READ + 5])
def test_written_nulls_between_lines_are_passed_over(log, seen, count):
    write(log, b"one\n" + bytes(count) + b"two\nthree\n")
    seen.until("one", "two", "three")
    start = [c.start for c in seen.record.chunks if c.data.startswith(b"two")]
    assert start == [4 + count]


# A 41
def test_room_that_is_set_aside_and_filled_later_is_read_when_it_is_filled(log, seen):
    with open(log, "r+b", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, 1024 * 1024)
        seen.rest(3)
        file.write(b"one\n")
        seen.until("one")
        file.write(b"two\n")
        seen.until("one", "two")


# A 41
def test_a_null_inside_a_line_stays_where_it_is(log, seen):
    write(log, b"one\na\0b\ntwo\n")
    seen.until("one", "a\0b", "two")


# A 42
def test_bytes_that_are_no_utf8_are_handed_over_as_they_are(log, seen):
    write(log, b"ERROR \xff\xfe x\n")
    seen.poll()
    assert data(seen) == b"ERROR \xff\xfe x\n"


# A 43
@pytest.mark.parametrize("encoding", MARKED, ids=lambda one: f"{one.name}-{len(one.bom)}")
def test_a_file_with_a_byte_order_mark_comes_in_utf8(log, seen, encoding):
    lines = ["uno \u0a00 \u0a0a", "dos \u20ac", "", "\U0001f600", "fin"]
    raw = encoding.bom + "".join(f"{line}\n" for line in lines).encode(encoding.name)
    for k in range(0, len(raw), 3):
        write(log, raw[k : k + 3])
        seen.poll(0.01)
    seen.until(*lines)
    at = len(encoding.bom)
    for chunk in seen.record.chunks:
        assert chunk.start == at
        text = raw[chunk.start : chunk.end].decode(encoding.name)
        assert text.encode() == chunk.data
        at = chunk.end


# A 43
def test_a_utf16_file_goes_on_after_a_restart(log, seen):
    write(log, "\ufeffone\ntw".encode("utf-16-le"))
    seen.until("one", "tw")
    second = Reader(log, positions=seen.close())
    second.poll()
    write(log, "o\nthree\n".encode("utf-16-le"))
    second.until("two", "three")
    second.close()


@given(st.binary(max_size=200), st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_line_ends_are_found_alike_from_both_sides(raw, low):
    for encoding in (PLAIN, *MARKED):
        unit = len(encoding.newline)
        body = bytearray(raw)
        ends = [
            at + unit
            for at in range(low, len(body) - unit + 1, unit)
            if body[at : at + unit] == encoding.newline
        ]
        assert encoding.first(body, low, len(body)) == (ends[0] if ends else low)
        assert encoding.last(body, low, len(body)) == (ends[-1] if ends else low)


def test_only_a_byte_order_mark_names_an_encoding():
    assert encoding_of(b"\xef\xbb") == PLAIN
    assert encoding_of(b"") == PLAIN


# A 44
def test_a_line_of_100_megabytes_is_cut_and_takes_no_memory(tmp_path):
    """In a process of its own, so that its memory is only its own."""
    story = """
import resource, sys
from monitor.follow.follower import Follower
log = sys.argv[1]
open(log, "w").close()
follower = Follower([log])
follower.poll(0.0, 0.0)
with open(log, "ab") as file:
    file.write(b"warm\\n" * 300_000)
for now in range(10):
    follower.poll(now, 0.0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(log, "ab") as file:
    for _ in range(100):
        file.write(b"x" * 1_000_000)
out = []
for now in range(10, 160):
    out += follower.poll(now, 0.0)
with open(log, "ab") as file:
    file.write(b"yy\\nERROR ok\\n")
out += follower.poll(161, 0.0)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown < 16_000, grown
first, gap, last = out
assert (len(first.data), first.end - first.start) == (65536, 65536), first
assert gap.bytes == 100_000_000 + 3 - 65536, gap
assert last.data == b"ERROR ok\\n", last
"""
    done = subprocess.run(
        [sys.executable, "-c", story, tmp_path / "a"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# A 44
@pytest.mark.parametrize("size", [LINE_CAP - 1, LINE_CAP, LINE_CAP + 1, 5 * LINE_CAP, 3 * READ])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_line_beyond_the_cap_is_cut_wherever_it_stands(log, seen, size, at_once):
    write(log, "before\n")
    for part in ["x" * size + "\nafter\n"] if at_once else ["x" * size, "\n", "after\n"]:
        write(log, part)
        seen.poll()
    cut = size > LINE_CAP
    seen.until("before", "x" * min(size, LINE_CAP), "after")
    assert [gap.bytes for gap in seen.gaps] == ([size + 1 - LINE_CAP] if cut else [])


# A 44
def test_a_cut_line_goes_on_being_skipped_after_a_restart(log, seen):
    write(log, "x" * (2 * LINE_CAP))
    seen.until("x" * LINE_CAP)
    second = Reader(log, positions=seen.close())
    second.poll()
    write(log, "xxx\nnext\n")
    second.until("next")
    assert len(second.gaps) == 1
    second.close()


# A 45
def test_lines_end_at_newlines_only(log, seen):
    text = "10%\r20%\rERROR\x0b\x0c\x1c\x85\u2028 x\n"
    write(log, text)
    seen.until(text[:-1])


# A 46
def test_empty_lines_move_the_position(log, seen):
    write(log, "\n" * 1000)
    seen.until(*[""] * 1000)
    assert [p.offset for p in seen.follower.positions()] == [1000]


# A 47, A 48
def test_a_position_may_stay_before_what_is_still_being_put_together(log, seen):
    write(log, "one\nTraceback\n  File\nValueError\n")
    seen.poll()
    positions = seen.follower.positions({id_of(log): 4})
    assert [p.offset for p in positions] == [4]
    second = Reader(log, positions=positions)
    second.until("Traceback", "  File", "ValueError")
    second.close()


# A 49
def test_lines_of_two_files_are_never_in_one_chunk(tmp_path):
    seen = Reader(tmp_path / "a", tmp_path / "b")
    seen.poll()
    for n in range(10):
        write(tmp_path / "a", f"a{n}\n")
        write(tmp_path / "b", f"b{n}\n")
        seen.poll()
    for name in "ab":
        mine = [c.data for c in seen.record.chunks if c.path.endswith(name)]
        assert b"".join(mine).decode().split() == [f"{name}{n}" for n in range(10)]
    seen.close()


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from([b"\n", b"\r\n", b"\0", b"\0" * 5000, b"x" * LINE_CAP, b"\xff\xfe"]),
        ),
        max_size=12,
    ),
    st.sampled_from([0.01, 3.0]),
)
@settings(max_examples=300, deadline=None)
def test_whatever_bytes_come_every_chunk_is_in_its_place_and_the_end_is_reached(
    tmp_path_factory, parts, pause
):
    log = tmp_path_factory.mktemp("bytes") / "a"
    write(log, b"plain\n")  # so that no byte order mark is made by chance
    seen = Reader(log)
    seen.poll()
    for part in parts:
        write(log, part)
        seen.poll(pause)
    write(log, b"\nend\n")
    for _ in range(5):
        seen.poll()
    content = log.read_bytes()
    for chunk in seen.record.chunks:
        assert content[chunk.start : chunk.end] == chunk.data
        assert max(map(len, chunk.data.split(b"\n"))) <= LINE_CAP
    assert seen.lines[-1:] == ["end"]
    assert [p.offset for p in seen.close()] == [len(content)]


# Covered elsewhere:
# A 39 (stripping the \r), A 42 (U+FFFD), A 45 (escaping), A 47 to A 49 (one event): the assembler
#     and the classifier get the bytes as they are; their tests hold the rest of these rows.
# A 50 the child is started with PYTHONUNBUFFERED=1: the tests of the child.
