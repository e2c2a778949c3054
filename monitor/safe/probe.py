"""Whether a folder or a file can be written, tried for real; it imports nothing of ours.

Its text is run by another interpreter as the child's user, who may not be able to read our code.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Sequence

NAME = ".vigia-probe-"


def probe(names: Sequence[str]) -> tuple[int, int]:
    """0 or the errno that stood in the way, and how many of the names lead to where it stood."""
    fd, reached = os.open("/", os.O_PATH | os.O_DIRECTORY), 0
    with contextlib.ExitStack() as held:
        held.callback(os.close, fd)
        try:
            for name in names:
                fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                held.callback(os.close, fd)
                reached += 1
            _write(fd)
        except OSError as error:
            return error.errno or -1, reached
    return 0, reached


def _write(fd: int) -> None:
    """A folder takes a new file of one block, which goes again; a file opens for reading and writing."""
    here, mode = f"/proc/self/fd/{fd}", os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        os.close(os.open(here, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
        return
    folder = os.open(f"{here}/.", os.O_PATH | os.O_DIRECTORY)  # a link or a device has no "."
    name = NAME + secrets.token_hex(8)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        new = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            os.write(new, bytes(4096))
        finally:
            os.unlink(name, dir_fd=folder)
            os.close(new)
    finally:
        os.close(folder)


if __name__ == "__main__":
    print(json.dumps(probe(json.loads(sys.stdin.readline()))))
