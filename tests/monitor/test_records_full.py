"""A disk that is full, and a file that is long."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import time

import pytest

from monitor.records.chain import verify
from monitor.records.history import read
from monitor.records.writer import RecordsUnwritable
from tests.conftest import lacking
from tests.monitor.records_story import opened, record, seqs, some


@pytest.fixture
def small(tmp_path):
    """A disk of 1 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        lacking(f"a tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place):
    """Every byte that is free."""
    with contextlib.suppress(OSError), (place / "filler").open("ab", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass


def test_on_a_full_disk_the_file_stays_valid_and_all_is_written_when_space_returns(small):
    path, waiting, refused, said = small / "errors.json", [], [], []
    ballast = path.with_name("errors.json.ballast")
    with opened(path, size=1 << 20, warn=said.append) as records:
        records.append(some(1, 10))
        assert ballast.stat().st_blocks * 512 == 256 * 1024
        fill(small)
        for seq in range(11, 520):
            waiting.append(record(seq))
            try:
                records.append(waiting)
                waiting = []
            except RecordsUnwritable as error:
                refused.append(str(error))
            with path.open("rb") as file:
                json.load(file)
        assert not ballast.exists()
        assert 200 < records.last_seq < 480  # the ballast took more than two hundred records
        assert len(refused) > 40
        assert all("No space left" in why or "bytes were taken" in why for why in refused)
        (small / "filler").unlink()
        waiting.append(record(520))
        records.append(waiting)
        assert not ballast.exists() or ballast.stat().st_size == 256 * 1024
    assert seqs(path) == list(range(1, 521))
    assert verify(path) == []


def test_on_a_full_disk_it_opens_mends_and_waits(small):
    path = small / "errors.json"
    with opened(path) as records:
        records.append(some(1, 10))
    path.write_bytes(path.read_bytes()[:-50])
    fill(small)
    with opened(path, warn=lambda _: None) as records:
        assert seqs(path) == list(range(1, 10))
        fill(small)
        (small / "filler").unlink()
        records.append(some(10, 11))
    assert seqs(path) == list(range(1, 12))
    assert len(list(small.glob("*.torn-*"))) == 1


def test_without_room_for_a_new_file_the_old_one_grows(small):
    path, said = small / "errors.json", []
    with opened(path, size=5000, warn=said.append) as records:
        records.append(some(1, 8))
        path.with_name("errors.json.ballast").unlink()
        fill(small)
        with contextlib.suppress(RecordsUnwritable):
            records.append(some(9, 9))
        with contextlib.suppress(RecordsUnwritable):
            records.append(some(9, 9))
        assert seqs(path)[:8] == list(range(1, 9))
        assert len(said) == 1
        assert "too large" in said[0]
        (small / "filler").unlink()
        records.append(some(9, 10))
        assert seqs(path)[-1] == 10 != len(seqs(path))
    assert [each["seq"] for each in read(path)] == list(range(1, 11))


def test_a_full_disk_at_the_very_first_start_is_said_and_passes(small):
    fill(small)
    with pytest.raises(RecordsUnwritable):
        opened(small / "logs" / "errors.json").close()
    (small / "filler").unlink()
    opened(small / "logs" / "errors.json").close()


def timed(records):
    begun = time.perf_counter()
    records.append([record(records.last_seq + 1)])
    return (time.perf_counter() - begun) * 1000


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_200_000th_append_takes_as_long_as_the_first(tmp_path):
    long, short = tmp_path / "long" / "errors.json", tmp_path / "short" / "errors.json"
    count = int(os.environ.get("VIGIA_RECORDS", "200000"))
    with opened(long, size=1 << 40) as records, opened(short, size=1 << 40) as few:
        while records.last_seq < count - 1000:
            records.append(some(records.last_seq + 1, records.last_seq + 1000))
        # In turns, so that whatever else the machine does falls on both.
        first, last = zip(*((timed(few), timed(records)) for _ in range(1000)), strict=True)
    begun = time.perf_counter()
    with opened(long, size=1 << 40) as records:
        assert records.last_seq == count
    opening = (time.perf_counter() - begun) * 1000
    begun = time.perf_counter()
    assert verify(long) == []
    verifying = time.perf_counter() - begun
    before, after = statistics.median(first), statistics.median(last)
    print(
        f"{count} records, {long.stat().st_size >> 20} MB; median append: first 1,000"
        f" {before:.3f} ms, last 1,000 {after:.3f} ms; opened in {opening:.1f} ms;"
        f" verified in {verifying:.1f} s"
    )
    assert after < 3 * before
    assert opening < 1000
