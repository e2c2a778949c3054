"""Files of the modelos: names, parts that become whole in one move, and nothing half-written."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import BinaryIO

from pipeline.model import Kind

BLOCK = 1 << 20
_USUAL = {Kind.VIDEO: ".mp4", Kind.PHOTO: ".jpg", Kind.AUDIO: ".ogg", Kind.DOCUMENT: ".bin"}
_SUFFIXES = {
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "application/pdf": ".pdf",
}
KINDS = {
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"), Kind.VIDEO),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic"), Kind.PHOTO),
    **dict.fromkeys((".mp3", ".m4a", ".ogg", ".oga", ".wav", ".flac"), Kind.AUDIO),
}


def new_name(kind: Kind, name: str, mime: str, now: float) -> str:
    """`20251225_143020_a3f2b1.mp4`: in local time, never the same twice."""
    suffix = PurePath(name).suffix.lower()
    if not (1 < len(suffix) <= 6 and suffix[1:].isalnum() and suffix.isascii()):
        suffix = _SUFFIXES.get(mime, _USUAL[kind])
    return f"{time.strftime('%Y%m%d_%H%M%S', time.localtime(now))}_{secrets.token_hex(3)}{suffix}"


def kind_of(path: PurePath) -> Kind:
    return KINDS.get(path.suffix.lower(), Kind.DOCUMENT)


def part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def append(part: Path, pieces: Iterable[bytes], start: int, went_on: Callable[[int], None]) -> int:
    """Writes from `start` on, cutting what was there beyond; the size that is there then."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(os.open(part, flags, 0o644), "wb", buffering=0) as file:
        file.truncate(start)
        file.seek(start)
        size = start
        for piece in pieces:
            _put(piece, file, part)
            size += len(piece)
            went_on(size)
        os.fsync(file.fileno())
    return size


def _put(piece: bytes, file: BinaryIO, part: Path) -> None:
    """All of it; a full disk names no file, and whoever reads of it wants to know which disk."""
    view = memoryview(piece)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        error.filename = str(part)
        raise


def finish(part: Path, final: Path) -> None:
    """The part, synced before, becomes the whole in one move that survives a power cut."""
    os.replace(part, final)
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def take(source: Path, final: Path, went_on: Callable[[int], None]) -> None:
    """Move it here; copy it from another file system, and when it has a second name: a repair
    touches no file that has two.
    """
    try:
        if source.stat().st_nlink == 1:
            os.rename(source, final)
            sync_folder(final.parent)
            return
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EACCES} or not final.parent.is_dir():
            raise
    copy(source, final, went_on)
    with _ignored(errno.EACCES, errno.EPERM, errno.EROFS):
        source.unlink()


def copy(source: Path, final: Path, went_on: Callable[[int], None]) -> None:
    """A whole copy under the final name, or none."""
    part = part_of(final)
    with source.open("rb", buffering=0) as file:
        append(part, iter(lambda: file.read(BLOCK), b""), 0, went_on)
    shutil.copystat(source, part)
    finish(part, final)


def sha256(path: Path, went_on: Callable[[int], None]) -> str:
    total, done = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            total.update(block)
            done += len(block)
            went_on(done)
    return total.hexdigest()


def size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


class _ignored:  # noqa: N801 -- reads like contextlib.suppress
    """Suppresses an OSError with one of these numbers."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, OSError) and error.errno in self._numbers
