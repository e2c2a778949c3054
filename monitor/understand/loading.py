"""Rules as a start needs them: proved and compiled once, then read back in milliseconds."""

from __future__ import annotations

import hashlib
import importlib
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from monitor import __version__
from monitor.understand.rule import Fault, Rules, RulesError

_KEPT = 4  # sets of rules on disk; those that were not used for longest go


def prepared(packs: Sequence[Path], cache: Path) -> Rules:
    """The rules as they were proved and compiled the first time; a wrong set raises RulesError.

    Proving and compiling takes seconds and memory, so a process of its own does it, once for each
    set of rules.
    """
    if (known := kept(packs, cache)) is not None:
        with suppress(OSError):
            os.utime(_place(packs, cache))  # what is used stays, whatever else is tried out
        return known
    command = [sys.executable, "-P", "-m", "monitor.understand.prepare", str(cache)]
    try:
        done = subprocess.run(
            [*command, *map(str, packs)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
    except OSError:  # our own Python may not be executed by this user: then here, at its cost
        loaded: Rules = importlib.import_module("monitor.understand.proving").load(packs)
        return loaded
    try:
        answer = pickle.loads(done.stdout)  # noqa: S301 - our own process wrote it just now
    except (pickle.UnpicklingError, EOFError):
        why = f"the rules could not be prepared (exit code {done.returncode})"
        raise RulesError([Fault(str(packs[0]), 0, why)]) from None
    if not isinstance(answer, Rules):
        raise RulesError(answer)
    return answer


def kept(packs: Sequence[Path], cache: Path) -> Rules | None:
    """The rules as they were proved and compiled before; None when they were not. Only reads."""
    return _read(_place(packs, cache))


def keep(rules: Rules, packs: Sequence[Path], cache: Path) -> None:
    """For the next start; a disk that takes nothing only costs time."""
    place = _place(packs, cache)
    part = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(fd, "wb") as file:
            pickle.dump(rules, file)
        part.replace(place)
        for old in sorted(cache.glob("*.rules"), key=lambda path: -path.stat().st_mtime)[_KEPT:]:
            old.unlink()


def _place(packs: Sequence[Path], cache: Path) -> Path:
    """Named by all that the rules are made of: their texts, and the code that reads them."""
    digest = hashlib.sha256(f"{__version__} {sys.version}".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(f"{file.name} {file.stat().st_mtime_ns}".encode())
    for pack in packs:
        for file in sorted(pack.glob("*.toml")) if pack.is_dir() else (pack,):
            digest.update(b"\0" + os.fsencode(file) + b"\0")  # also of one that is not there
            with suppress(OSError):
                digest.update(file.read_bytes())
    return cache / f"{digest.hexdigest()[:32]}.rules"


def _read(kept: Path) -> Rules | None:
    """What we kept ourselves and nobody else could write."""
    try:
        fd = os.open(kept, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if status.st_uid != os.geteuid() or status.st_mode & 0o077:
                return None
            rules = pickle.load(file)  # noqa: S301 - ours, and closed to all others
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError):
        return None
    return rules if isinstance(rules, Rules) else None
