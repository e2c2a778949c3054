"""Where a home is, and where in it the monitor keeps its things."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

_LONGEST = 100  # bytes; the kernel takes 107 for the address of a Unix socket
_SHORT = "/tmp"  # the same for every asker, whatever its TMPDIR


def find_home(given: str | None, environ: Mapping[str, str]) -> Path:
    """`--home`, else VIGIA_HOME, else the checkout we run from, else where we stand."""
    if named := given or environ.get("VIGIA_HOME"):
        return Path(named).expanduser().absolute()
    checkout = Path(__file__).resolve().parent.parent
    return checkout if (checkout / "setup.cfg").is_file() else Path.cwd()


def data_folder(home: Path) -> Path:
    """Where the monitor of that home keeps what it must remember."""
    return home / "data" / "monitor"


def rules_cache(home: Path) -> Path:
    """Where proved and compiled rules are kept; VIGIA_CACHE lets several homes share them."""
    shared = os.environ.get("VIGIA_CACHE")
    return Path(shared).expanduser().absolute() if shared else data_folder(home) / "rules"


def socket_path(home: Path, name: str) -> Path:
    """Where a socket of that home stands; a deep home gets a short place, known by its name."""
    path = data_folder(home) / name
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    return _short_place(home, os.geteuid()) / name


def socket_path_for(home: Path, name: str, uid: int) -> Path:
    """The same for one whom we let run as another user: our own folders are closed to him."""
    return socket_path(home, name) if uid == os.geteuid() else _short_place(home, uid) / name


def _short_place(home: Path, uid: int) -> Path:
    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(_SHORT) / f"vigia-{uid}-{short}"
