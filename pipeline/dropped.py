"""Files that people drop into `modelos/NAME/inbox/`: taken when nobody writes them any more."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import kind_of
from pipeline.model import Source

INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class _Looks:
    inode: int
    size: int
    changed: int


class Dropped:
    """Remembers how files looked; a file is ready when it stayed so and is open for no writer."""

    def __init__(self, modelos: Path, settle: float) -> None:
        self._modelos, self._settle = modelos, settle
        self._seen: dict[Path, tuple[_Looks, float]] = {}
        self._taken: set[str] = set()

    def ready(self, modelo: str, now: float) -> list[Source]:
        """Those of one modelo that are ready and were not told before; hidden ones never."""
        folder = self._modelos / modelo / INBOX
        found = []
        try:
            folder.mkdir(exist_ok=True)
            names = sorted(os.listdir(folder))
        except OSError:
            return []
        for name in names:
            path = folder / name
            if name.startswith(".") or name.endswith((".part", ".tmp", ".crdownload")):
                continue
            source = self._ready(path, now)
            if source and source.key not in self._taken:
                found.append(source)
        return found

    def took(self, source: Source) -> None:
        self._taken.add(source.key)
        self._seen.pop(Path(source.path), None)

    def _ready(self, path: Path, now: float) -> Source | None:
        try:
            status = os.stat(path, follow_symlinks=False)
        except OSError:
            return None
        if not os.path.isfile(path) or os.path.islink(path):
            return None
        looks = _Looks(status.st_ino, status.st_size, status.st_mtime_ns)
        before = self._seen.get(path)
        if before is None or before[0] != looks:
            self._seen[path] = (looks, now)
            return None
        if now - before[1] < self._settle or not status.st_size or is_written(path):
            return None
        return source_of(path, "drop")


def source_of(path: Path, how: str) -> Source:
    """The same file as it is now is the same source."""
    status = path.stat()
    mark = f"{path.resolve()}|{status.st_ino}|{status.st_size}|{status.st_mtime_ns}"
    return Source(
        key=f"{how}-{hashlib.sha256(mark.encode()).hexdigest()[:20]}",
        kind=kind_of(path),
        path=str(path),
        size=status.st_size,
        name=path.name,
        received_at=time.time(),
    )


def is_written(path: Path) -> bool:
    """Whether somebody has it open for writing: the kernel gives a read lease on no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (
        OSError
    ):  # another's file, or a file system without leases: it stayed the same, that is all
        return False
    finally:
        os.close(descriptor)
    return False
