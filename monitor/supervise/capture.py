"""A child's log file: rotated without losing a line while it is written at full speed."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import math
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.model import FileId
from monitor.options import Log
from monitor.supervise.tree import Tree

_BLOCK = 1 << 20
_LEVEL = (
    1  # of compression: a tenth is left, and the other levels take twice the time for little more
)
_LITTLE = 256 << 10  # what may be left for the pause


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did."""

    bytes: int
    paused: float  # seconds in which the child could not write


def wants_rotation(path: Path, limits: Log, watched_since: float, now: float) -> bool:
    """Whether the log is beyond its size, or the last rotation (or first sight) beyond its age."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode):
        return False
    if 0 < limits.size <= status.st_size:
        return True
    since = watched_since
    with contextlib.suppress(FileNotFoundError, IndexError):
        since = rotated(path)[0][1].stat().st_mtime
    return 0 < limits.age <= now - since and status.st_size > 0


async def rotate(
    path: Path, tree: Tree, drain: Callable[[], None], emptied: Callable[[FileId], None]
) -> Rotated | None:
    """Copy, hold the writers for the last bytes, empty the file, let them go.

    The file keeps its inode, so every descriptor of every process stays good. `drain` is called
    while nothing moves: whoever follows the file reads its last bytes then; `emptied` says that it
    begins anew, before anybody reads on. None when the writers could not be held in time or there is no room for the copy:
    the log is as it was. Nothing is waited for that grows with what the writers write meanwhile.
    """
    part = path.with_name(f"{path.name}.rotating")
    try:
        with (
            open(path, "r+b", buffering=0, opener=_no_link) as source,
            open(part, "wb", buffering=0, opener=_no_link) as copy,
        ):
            await _finished(asyncio.to_thread(_copy_safely, source.fileno(), copy.fileno()))
            tree.members()  # who they are: in the pause there is no time for that
            await _finished(asyncio.to_thread(_catch_up, source.fileno(), copy.fileno()))
            with _held(tree) as held_at:
                size = _copy(source.fileno(), copy.fileno())
                if size != os.fstat(source.fileno()).st_size:
                    raise InterruptedError("somebody else emptied it meanwhile")
                drain()
                _shift(path)
                os.rename(part, f"{path}.1")
                source.truncate(0)
            paused = time.monotonic() - held_at
            emptied(_id_of(os.fstat(source.fileno())))  # it may wait for the disk; writers need not
            return Rotated(size, paused)
    except OSError:
        return None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()  # whatever cut it short, no half copy is left


async def _finished(work: Coroutine[object, object, None]) -> None:
    """A thread goes on when we are cancelled: its files stay open until it is done with them."""
    working = asyncio.ensure_future(work)
    try:
        await asyncio.shield(working)
    finally:
        if not working.done():
            await asyncio.wait((working,))


@contextlib.contextmanager
def _held(tree: Tree) -> Iterator[float]:
    held_at = time.monotonic()
    if not tree.pause():
        raise TimeoutError("a writer did not stand still")
    try:
        yield held_at
    finally:
        tree.resume()


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)


def _copy_safely(source: int, target: int) -> None:
    """What stood there for long must be on the disk here before it is emptied there.

    What is written while we wait for that would not be on the disk yet without us either.
    """
    _copy(source, target)
    os.fdatasync(target)


def _catch_up(source: int, target: int) -> None:
    """Follow the writer as long as that makes the pause much shorter."""
    left = _left(source, target)
    while left > _LITTLE:
        _copy(source, target)
        before, left = left, _left(source, target)
        if left > before / 2:
            break


def _left(source: int, target: int) -> int:
    return os.fstat(source).st_size - os.fstat(target).st_size


def _copy(source: int, target: int) -> int:
    """All that stands in `source` beyond what `target` has; the size it then has."""
    done = os.fstat(target).st_size
    size = os.fstat(source).st_size
    while done < size and (count := os.sendfile(target, source, done, min(_BLOCK, size - done))):
        done += count
    return done


def rotated(path: Path) -> list[tuple[int, Path]]:
    """The earlier logs, the newest first."""
    # Six digits at most: eight are a date, and the log of somebody else.
    pattern = re.compile(re.escape(path.name) + r"\.([1-9]\d{0,5})(\.gz)?")
    found = ((pattern.fullmatch(p.name), p) for p in path.parent.glob(f"{glob_safe(path.name)}.*"))
    return sorted((int(match[1]), p) for match, p in found if match)


def glob_safe(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _shift(path: Path) -> None:
    for number, old in reversed(rotated(path)):
        suffix = ".gz" if old.suffix == ".gz" else ""
        with contextlib.suppress(FileNotFoundError):  # another one may tidy here too
            os.rename(old, f"{path}.{number + 1}{suffix}")


def drop(path: Path, limits: Log) -> None:
    """The oldest go until number and total size fit; quick, so that it keeps up with a flood."""
    total = 0
    for place, (_, old) in enumerate(rotated(path), 1):
        with contextlib.suppress(FileNotFoundError):
            total += old.stat(follow_symlinks=False).st_size
            if place > limits.keep or (limits.total and total > limits.total):
                old.unlink()


def tidy(path: Path, limits: Log) -> None:
    """Compress all but the newest, and drop what is too much."""
    while (packed := pack_oldest(path)) and packed.put(path):
        pass
    drop(path, limits)


@dataclass(frozen=True, slots=True)
class Packed:
    """A compressed earlier log that has no name of its own yet."""

    part: Path
    original: FileId

    def put(self, path: Path) -> bool:
        """In place of its original, which may have been shifted on meanwhile; False when it is gone."""
        for number, old in rotated(path):
            with contextlib.suppress(OSError):
                if _id_of(old.stat(follow_symlinks=False)) == self.original:
                    os.rename(self.part, f"{path}.{number}.gz")
                    old.unlink()
                    return True
        with contextlib.suppress(OSError):
            self.part.unlink()
        return False


def pack_oldest(path: Path, until: float = math.inf) -> Packed | None:
    """Of those that are not compressed yet and were last written to until then, the newest excepted.

    Takes long, and moves nothing.
    """
    plain = [old for _, old in rotated(path)[1:] if old.suffix != ".gz" and _written(old) <= until]
    part = path.with_name(f"{path.name}.gz.part")
    if not plain:
        return None
    try:
        return _pack(plain[-1], part)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        return None


def _written(old: Path) -> float:
    with contextlib.suppress(OSError):
        return old.stat(follow_symlinks=False).st_mtime
    return math.inf


def _pack(old: Path, part: Path) -> Packed:
    with (
        open(old, "rb", opener=_no_link) as plain,
        open(part, "wb", opener=_no_link) as file,
        gzip.GzipFile(old.name, "wb", _LEVEL, file) as packed,
    ):
        shutil.copyfileobj(plain, packed, _BLOCK)
        status = os.fstat(plain.fileno())
    os.utime(part, ns=(status.st_atime_ns, status.st_mtime_ns))
    return Packed(part, _id_of(status))


def _id_of(status: os.stat_result) -> FileId:
    return FileId(status.st_dev, status.st_ino)
