"""A writer is killed at random moments, a hundred times and more: what it acknowledged is there once."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time

import pytest

from monitor.records.chain import verify
from monitor.records.history import read
from tests.monitor.records_story import opened, seqs, some

pytestmark = pytest.mark.slow

# Writes on from what is there, records that cross several pages, and says each number once it is
# acknowledged. The same number always has the same text.
WRITER = """
import os, sys
from pathlib import Path
from monitor.records.writer import Records
from tests.monitor.records_story import record
size = int(sys.argv[2])
with Records.open(Path(sys.argv[1]), size=size, keep=1000, warn=lambda _: None) as records:
    os.write(1, b"ready\\n")
    while True:
        seq = records.last_seq + 1
        group = [record(s, message=str(s) + "x" * (s * 577 % 9000)) for s in range(seq, seq + seq % 7 + 1)]
        records.append(group, carry=lambda: [record(max(1, seq - 1))])
        os.write(1, b"%d\\n" % records.last_seq)
"""


def start(path, size):
    return subprocess.Popen([sys.executable, "-c", WRITER, path, str(size)], stdout=subprocess.PIPE)


def acknowledged_until_killed(writer, seconds):
    """The last number that came through the pipe; the pipe holds what it said until it died."""
    pipe = writer.stdout.fileno()
    while not os.read(pipe, 6).startswith(b"ready"):
        pass
    until, said = time.monotonic() + seconds, b""
    while (left := until - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            said += os.read(pipe, 1 << 16)
    writer.kill()
    writer.wait()
    while more := os.read(pipe, 1 << 16):
        said += more
    writer.stdout.close()
    whole = said.split(b"\n")[:-1]
    return int(whole[-1]) if whole else 0


def is_torn(path):
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return True
    return False


def kill_rounds(path, rounds, size, seed):
    """How many of the kills tore a write; every promise is checked after each."""
    chance, torn, acknowledged = random.Random(seed), 0, 0
    for _ in range(rounds):
        writer = start(path, size)
        acknowledged = max(
            acknowledged, acknowledged_until_killed(writer, chance.uniform(0.002, 0.06))
        )
        torn += is_torn(path)
        with opened(path, warn=lambda _: None) as records:
            seqs(path)
            assert records.last_seq >= acknowledged
    assert [r["seq"] for r in read(path)] == list(range(1, records.last_seq + 1))
    assert verify(path) == []
    return torn


def test_no_kill_loses_or_doubles_an_acknowledged_record(tmp_path):
    kill_rounds(tmp_path / "errors.json", 60, 1 << 30, seed=1)


def test_no_kill_does_so_during_rotations(tmp_path):
    kill_rounds(tmp_path / "errors.json", 40, 30_000, seed=2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_hundreds_of_kills(tmp_path):
    rounds = int(os.environ.get("VIGIA_KILLS", "300"))
    for size in (1 << 30, 200_000):
        torn = kill_rounds(tmp_path / str(size) / "errors.json", rounds // 2, size, seed=size)
        print(f"{rounds // 2} kills, files of {size} bytes: {torn} torn writes")


TIGHT = """
import os, sys
from pathlib import Path
from monitor.records.writer import Disk, Records
from tests.monitor.records_story import some
disk = Disk(sync=lambda fd: None)  # hardly anything but write(), so that the kill falls into one
with Records.open(Path(sys.argv[1]), size=1 << 40, keep=1, warn=lambda _: None, disk=disk) as records:
    os.write(1, b"ready\\n")
    lines = [b'{"seq":%d,"prev":"%s","m":"%s"}' % (10**9, b"0" * 64, b"x" * 60_000)] * 300
    while True:
        records._write(lines)  # one write of 18 MB, as large as none of ours is
        records._take_back()
"""


def test_a_kill_really_tears_writes_and_they_are_mended(tmp_path):
    """Only for the proof that tears happen: the writes are larger than any of ours, and unsynced."""
    torn = 0
    path = tmp_path / "errors.json"
    with opened(path) as records:
        records.append([{"seq": 1}])
    whole = path.read_bytes()
    for _ in range(5):
        path.write_bytes(whole)
        writer = subprocess.Popen([sys.executable, "-c", TIGHT, path], stdout=subprocess.PIPE)
        writer.stdout.read(6)
        until = time.monotonic() + 10
        while path.stat().st_size <= len(whole) and time.monotonic() < until:
            pass  # the first pages are there, the last ones not yet
        writer.kill()
        writer.wait()
        writer.stdout.close()
        if is_torn(path):
            torn += 1
            assert path.stat().st_size % 4096 == 0  # at the boundary of a page
        with opened(path, warn=lambda _: None, keep=50):
            seqs(path)
    assert torn > 0


# One of each: a torn end is mended, records are appended, one file follows another.
STEPS = """
import sys
from pathlib import Path
from monitor.records.writer import Records
from tests.monitor.records_story import record, some
with Records.open(Path(sys.argv[1]), size=2500, keep=2, warn=lambda _: None) as records:
    for seq in range(records.last_seq + 1, 10):
        records.append([record(seq)], carry=lambda: some(2, 3))
        print(seq, flush=True)
"""
CALLS = "pwrite64,ftruncate,fdatasync,fsync,link,linkat,rename,unlink,fallocate,fchmod,flock"


@pytest.mark.slow
@pytest.mark.needs("strace")
@pytest.mark.timeout(600)
def test_a_kill_at_every_single_call_to_the_kernel_loses_nothing(tmp_path):
    points = 0
    for call in CALLS.split(","):
        for number in range(1, 100):
            path = tmp_path / f"{call}-{number}" / "errors.json"
            path.parent.mkdir()
            with opened(path) as records:
                records.append([{"seq": 1}, {"seq": 2}])
            path.write_bytes(path.read_bytes()[:-20])
            inject = f"inject={call}:signal=SIGKILL:when={number}"
            done = subprocess.run(
                ["strace", "-o", os.devnull, "-e", inject, sys.executable, "-c", STEPS, path],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            said = done.stdout.split()
            with opened(path, warn=lambda _: None, size=2500, keep=2) as records:
                assert records.last_seq >= int(said[-1]) if said else 1
                records.append(some(records.last_seq + 1, 12))
            found = [each["seq"] for each in read(path)]
            assert len(found) == len(set(found))
            assert found[-3:] == [10, 11, 12]
            assert verify(path) == []
            if done.returncode == 0:
                break
            points += 1
    print(f"killed at {points} calls")
    assert points > 40
