"""A home with roots in it, a secret beside it, and what an attacker can do to both."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.safe.paths import Owner, roots_of

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
US = Owner(os.geteuid(), os.getegid())
CHILD = Owner(NOBODY, NOBODY) if IS_ROOT else US


@contextmanager
def a_home(owners=(CHILD.uid,), **more):
    """Readable on the whole way for every user, as tmp_path is not."""
    top = Path(tempfile.mkdtemp(prefix="vigia-"))
    top.chmod(0o755)
    try:
        home = top / "home"
        for folder in ("modelos/victor", "data", "logs", "data/monitor"):
            (home / folder).mkdir(parents=True)
        (home / "modelos" / "victor" / "x.mp4").write_bytes(b"video")
        (home / "data" / "monitor" / "state.db").write_bytes(b"state")
        secret = top / "secret"
        secret.mkdir(mode=0o700)
        (secret / "x.mp4").write_bytes(b"secret")
        (secret / "x.mp4").chmod(0o600)
        if IS_ROOT:
            give(home / "modelos")
            for path in (home / "modelos").rglob("*"):
                give(path)
        yield Story(home, secret, roots_of(home, owners=owners, **more))
    finally:
        shutil.rmtree(top, ignore_errors=True)


class Story:
    def __init__(self, home, secret, roots):
        self.home = home
        self.modelos = home / "modelos"
        self.victor = self.modelos / "victor"
        self.video = self.victor / "x.mp4"
        self.secret = secret
        self.roots = roots

    def find(self, path):
        found = self.roots.find(str(path))
        assert not hasattr(found, "why"), found
        return found

    def make(self, name, data=b"data", owner=CHILD, mode=0o600):
        path = self.home / name
        path.write_bytes(data)
        if IS_ROOT:
            os.chown(path, owner.uid, owner.gid)
        path.chmod(mode)  # afterwards: a new owner takes the special bits away
        return path


def give(path, owner=CHILD):
    os.chown(path, owner.uid, owner.gid)


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def looks(folder):
    """All that can be told of a folder and what is in it, to see that nobody touched it."""
    told = []
    for path in (folder, *sorted(folder.rglob("*"))):
        found = path.lstat()
        data = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        told.append((path.name, found.st_mode, found.st_uid, found.st_gid, found.st_ino, data))
    return told


ATTACK = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
one, other = (os.fsencode(name) for name in sys.argv[1:])
print("attacking", flush=True)
while True:
    libc.renameat2(-100, one, -100, other, 2)
"""


@contextmanager
def flipping(one, other):
    """A process of the child's user that exchanges two names as fast as it can."""
    as_child = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if IS_ROOT else {}
    program = [python_for_all(), "-I", "-S", "-c", ATTACK, str(one), str(other)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd="/", **as_child) as attacker:
        try:
            assert attacker.stdout.readline() == b"attacking\n"
            yield
            assert attacker.poll() is None
        finally:
            attacker.kill()


def python_for_all():
    """An interpreter that the child's user can run too."""
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
