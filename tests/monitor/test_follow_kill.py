"""Killed at any moment, the follower acts on every line once: place and decision are one commit."""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
from collections import Counter

import pytest

# A 52
FOLLOW = """
import sys, time
from monitor.follow.follower import Follower
from monitor.state import State
log, path = sys.argv[1:]
with State.open(path, at=time.time(), warn=sys.exit) as state:
    with state.transaction() as db:
        db.execute("CREATE TABLE IF NOT EXISTS decision (number INTEGER PRIMARY KEY, line BLOB)")
        db.execute("CREATE TABLE IF NOT EXISTS gap (why TEXT)")
    known, ready = state.positions(), False
    follower = Follower([log], positions=known, from_start=not known, rotate_wait=0.1)
    while True:
        turn = follower.poll(time.monotonic(), time.time())
        lines = [line for one in turn if hasattr(one, "data") for line in one.data.splitlines()]
        if turn or not known:
            with state.transaction() as db:
                db.executemany("INSERT INTO decision (line) VALUES (?)", [(line,) for line in lines])
                db.executemany("INSERT INTO gap VALUES (?)", [(one.why,) for one in turn if hasattr(one, "why")])
                state.save_positions(follower.positions(), time.time())
            known = True
        if not ready:
            ready = print("ready", flush=True) is None
        if b"end" in lines:
            break
        time.sleep(0.001)
"""

WRITE = """
import os, sys, time
log, every = sys.argv[1], int(sys.argv[2])
fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
n = 0
while True:
    for _ in range(20):
        os.write(fd, b"%d\\n" % n)
        n += 1
    print(n, flush=True)
    if every and n % every == 0:
        for k in range(400, 0, -1):
            if os.path.exists(f"{log}.{k}"):
                os.rename(f"{log}.{k}", f"{log}.{k + 1}")
        os.rename(log, f"{log}.1")
        fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    time.sleep(0.002)
"""


def started(script, *arguments):
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "every",
    [
        pytest.param(0, id="plain"),
        pytest.param(8000, id="rotated"),
        pytest.param(400, id="storm"),  # hundreds of generations renamed, 25 times a second
    ],
)
def test_every_line_is_decided_once_though_the_follower_is_killed_again_and_again(tmp_path, every):
    log, path = str(tmp_path / "log"), str(tmp_path / "data" / "state.db")
    chance = random.Random(os.getpid())
    rounds = int(os.environ.get("FOLLOW_KILLS", "50"))
    open(log, "w").close()
    writer = None
    for _ in range(rounds):
        follower = started(FOLLOW, log, path)
        assert follower.stdout.readline() == b"ready\n"
        writer = writer or started(WRITE, log, str(every))
        # Not a moment that anyone chose: the wait is for the follower to end, which it does not.
        select.select([follower.stdout], [], [], chance.random() * 0.08)
        follower.send_signal(signal.SIGKILL)
        follower.wait()
        follower.stdout.close()
    writer.kill()
    output, _ = writer.communicate()
    with open(log, "rb") as file:
        torn = file.read()[-1:] not in {b"\n", b""}
    with open(log, "ab") as file:
        file.write(b"\n" * torn + b"end\n")
    last = started(FOLLOW, log, path)
    assert last.wait(60) == 0
    last.stdout.close()
    with sqlite3.connect(path) as db:
        lines = [line for (line,) in db.execute("SELECT line FROM decision ORDER BY number")]
        gaps = [why for (why,) in db.execute("SELECT why FROM gap")]
    db.close()
    print(f"{len(lines)} lines; told: {gaps}")
    assert lines.pop() == b"end"
    times = Counter(int(line) for line in lines)
    assert not [number for number in times if times[number] > 1], gaps
    assert not [number for number in range(len(times)) if number not in times], gaps
    assert len(times) >= int(output.split()[-1])
