"""The one importer of hyperscan: all patterns at once over whole chunks, its database kept on disk."""

from __future__ import annotations

import hashlib
import os
import platform
from typing import TYPE_CHECKING, Any

try:
    import hyperscan
except ImportError:  # no wheel for this machine: the next tier serves
    hyperscan = None

if TYPE_CHECKING:
    from pathlib import Path


def available() -> bool:
    """Whether Hyperscan is on this machine."""
    return hyperscan is not None


class Block:
    """One compiled database; `hits` gives (offset of the last byte, pattern number) of all found."""

    def __init__(self, sources: list[bytes], cache: Path | None = None) -> None:
        self._database = _load(sources, cache)
        self._scratch = hyperscan.Scratch(self._database)
        self._database.scratch = self._scratch
        self._found: list[tuple[int, int]] = []
        # Kept in an attribute: the binding does not hold a reference of its own while it scans.
        self._on_match = self._note

    def _note(self, number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        self._found.append((end - 1, number))

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        self._found = []
        if data:
            self._database.scan(data, match_event_handler=self._on_match)
        return self._found


def _load(sources: list[bytes], cache: Path | None) -> Any:
    """The database from the disk if it is of these patterns, this library and this processor."""
    if cache is None:
        return _compile(sources)
    key = hashlib.sha256(b"\0".join([*sources, _machine().encode()])).hexdigest()[:32]
    path = cache / f"rules-{key}.hs"
    try:
        fresh = hyperscan.loadb(path.read_bytes(), hyperscan.HS_MODE_BLOCK)
    except (OSError, hyperscan.error):
        fresh = None
    if fresh is None:
        fresh = _compile(sources)
        _keep(path, hyperscan.dumpb(fresh))
    return fresh


def _keep(path: Path, data: bytes) -> None:
    """Whole or not at all, readable by us only; a full disk costs only the next start its speed."""
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for stale in path.parent.glob("rules-*.hs"):
            if stale.stat().st_mtime < path.parent.stat().st_mtime - 30 * 86_400:
                stale.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)


def _compile(sources: list[bytes]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=sources, ids=list(range(len(sources))), flags=0)
    return database


def _machine() -> str:
    """What a compiled database depends on besides its patterns."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            flags = next((row for row in file if row.startswith(("flags", "Features"))), "")
    except OSError:
        flags = ""
    version = getattr(hyperscan, "__version__", "")
    return f"{version} {platform.machine()} {hashlib.sha256(flags.encode()).hexdigest()}"
