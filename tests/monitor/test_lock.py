from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.supervise import lock
from tests.monitor.crib import lives
from tests.monitor.programs import python

# Takes the lock as a monitor does, passes it on to a grandchild, and says its pid.
HOLDS = (
    "import os, sys, subprocess\n"
    "from pathlib import Path\n"
    "from monitor.supervise import lock\n"
    "fd = lock.take(Path(sys.argv[1]))\n"
    "lock.sign(fd)\n"
    "child = subprocess.Popen(('/bin/sleep', '1000'), pass_fds=(fd,), start_new_session=True)\n"
    "print(child.pid, flush=True)\n"
    "sys.stdin.read()\n"
)


def test_only_one_has_it_at_a_time(tmp_path: Path) -> None:
    # B 46
    path = tmp_path / "deep" / "er" / "x.lock"
    first = lock.take(path)
    assert first is not None
    assert lock.take(path) is None
    assert not lock.is_free(path)
    os.close(first)
    assert lock.is_free(path)
    second = lock.take(path)
    assert second is not None
    os.close(second)


def test_a_refusal_leaves_no_descriptor_open(tmp_path: Path) -> None:
    held = lock.take(tmp_path / "x")
    assert held is not None
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        assert lock.take(tmp_path / "x") is None
        assert not lock.is_free(tmp_path / "x")
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(held)


def test_it_is_held_until_the_last_descendant_ends(tmp_path: Path) -> None:
    # B 1, B 5 and M27: orphans are found by it, not by a number that others may have by then
    path = tmp_path / "x.lock"
    holder = subprocess.Popen(
        (sys.executable, "-c", HOLDS, str(path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout
    assert holder.stdin
    grandchild = int(holder.stdout.readline())
    try:
        assert not lock.is_free(path)
        assert lock.signed_by(path) == holder.pid
        assert set(lock.holders(path)) == {holder.pid, grandchild}
        holder.kill()
        holder.wait()
        assert not lock.is_free(path), "the grandchild still has it"
        assert lock.holders(path) == (grandchild,)
    finally:
        holder.stdout.close()
        holder.stdin.close()
        os.kill(grandchild, 9)
    deadline = time.monotonic() + 45
    while lives(grandchild) or not lock.is_free(path):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert lock.holders(path) == ()


def test_ourselves_are_no_holder(tmp_path: Path) -> None:
    fd = lock.take(tmp_path / "x")
    assert fd is not None
    assert lock.holders(tmp_path / "x") == ()
    os.close(fd)


def test_a_lock_does_not_leak_into_a_child_that_is_not_given_it(tmp_path: Path) -> None:
    # B 35
    fd = lock.take(tmp_path / "x")
    assert fd is not None
    with subprocess.Popen(
        python("import sys; sys.stdin.read()"), stdin=subprocess.PIPE, close_fds=False
    ) as child:
        assert lock.holders(tmp_path / "x") == ()
        os.close(fd)
        assert lock.is_free(tmp_path / "x")
        child.communicate()


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "x").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"):
        lock.take(tmp_path / "x")
    assert (tmp_path / "precious").read_text() == "mine"


def test_others_may_not_even_open_it(tmp_path: Path) -> None:
    # C 35: who can open it can hold it, and keep us from starting
    before = os.umask(0)
    try:
        fd = lock.take(tmp_path / "data" / "x")
    finally:
        os.umask(before)
    assert fd is not None
    os.close(fd)
    assert (tmp_path / "data" / "x").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_the_last_signature_counts(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("12345678901234567890 an older and longer one")
    assert lock.signed_by(tmp_path / "x") is None
    fd = lock.take(tmp_path / "x")
    assert fd is not None
    lock.sign(fd)
    lock.sign(fd)
    assert (tmp_path / "x").read_text() == f"{os.getpid()}\n"
    assert lock.signed_by(tmp_path / "x") == os.getpid()
    os.close(fd)


@pytest.mark.parametrize("text", ["", "\n", "abc", "12 13", "\0"])
def test_a_file_without_a_signature_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    assert lock.signed_by(tmp_path / "x") is None
    assert lock.signed_by(tmp_path / "nowhere") is None
    assert lock.holders(tmp_path / "nowhere") == ()
