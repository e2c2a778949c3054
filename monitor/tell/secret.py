"""The secret of a home, by which it knows its own buttons again."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

_LENGTH = 32
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def secret_at(path: Path) -> bytes:
    """The one that is kept, readable by us alone; else a new one, also when it cannot be kept."""
    with contextlib.suppress(OSError):
        if kept := _kept(path):
            return kept
    secret = secrets.token_bytes(_LENGTH)
    with contextlib.suppress(OSError):
        _keep(path, secret)
    return secret


def _kept(path: Path) -> bytes | None:
    file = os.open(path, os.O_RDONLY | _FLAGS)
    try:
        status = os.fstat(file)
        ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        secret = os.read(file, _LENGTH + 1) if ours and not status.st_mode & 0o077 else b""
    finally:
        os.close(file)
    return secret if len(secret) == _LENGTH else None


def _keep(path: Path, secret: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    try:
        os.write(file, secret)
        os.fsync(file)
    finally:
        os.close(file)
    os.replace(new, path)
