"""Disks of a few megabytes, to fill."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import lacking


@contextlib.contextmanager
def tmpfs(place: Path, options: str = "size=1m") -> Iterator[Path]:
    """A file system of its own at that folder; only root can mount one."""
    place.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        lacking(f"a tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def fill(file: Path, leave: int = 0) -> None:
    """Every byte that is free, but so many."""
    with contextlib.suppress(OSError), file.open("ab", buffering=0) as out:
        while out.write(b"x" * 4096):
            pass
    if leave:
        with file.open("r+b") as out:
            out.truncate(max(0, file.stat().st_size - leave))
