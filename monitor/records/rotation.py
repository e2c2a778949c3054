"""Renames by which one file of records follows another; cut off anywhere, nothing is lost."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from monitor.records.place import sync_folder


def new_of(path: Path) -> Path:
    """Where the next file is made before it takes the place of this one."""
    return path.with_name(f"{path.name}.new")


def turn(path: Path, keep: int) -> None:
    """The file becomes generation 1, the new one takes its place; there is one at any moment."""
    try:
        if keep:
            _make_room(path, keep)
            try:
                os.link(path, _older(path, 1), follow_symlinks=False)
            except PermissionError:  # a file system without hard links
                os.rename(path, _older(path, 1))
        os.rename(new_of(path), path)
    except OSError:
        finish(path)
        raise
    sync_folder(path)


def finish(path: Path) -> None:
    """What a rotation that was cut off has left is put in order."""
    new, older = new_of(path), _older(path, 1)
    if os.path.lexists(path):
        if _is_same(path, older):
            older.unlink()
        with suppress(FileNotFoundError):
            new.unlink()
    elif new.is_file() and not new.is_symlink():
        os.rename(new, path)


def retire(path: Path, keep: int) -> Path:
    """A damaged file is kept as generation 1; nothing stands in its place now."""
    _make_room(path, max(keep, 1))
    os.rename(path, _older(path, 1))
    sync_folder(path)
    return _older(path, 1)


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _make_room(path: Path, keep: int) -> None:
    """Generation 1 is free; only when all are taken the oldest goes."""
    taken = 1
    while taken < keep and os.path.lexists(_older(path, taken)):
        taken += 1
    for number in range(taken - 1, 0, -1):
        os.rename(_older(path, number), _older(path, number + 1))
    if taken == 1 == keep:
        with suppress(FileNotFoundError):
            _older(path, 1).unlink()


def _is_same(path: Path, other: Path) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.lstat(other))
    except FileNotFoundError:
        return False
