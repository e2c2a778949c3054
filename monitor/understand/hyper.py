"""The one importer of hyperscan: many fixed texts at once over whole chunks, kept compiled on disk."""

from __future__ import annotations

import hashlib
import os
import platform
from contextlib import suppress
from typing import TYPE_CHECKING, Any

try:
    import hyperscan
except ImportError:  # no wheel for this machine: the next tier serves
    hyperscan = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from monitor.understand.rule import Text

FORM = 4  # of what we keep on disk
KEPT = 6  # compiled forms on disk; those that were not used for longest go


def available() -> bool:
    """Whether Hyperscan is on this machine."""
    return hyperscan is not None


class Texts:
    """Finds where any of many texts stands."""

    def __init__(self, texts: Sequence[Text], cache: Path | None = None) -> None:
        self._database = _load(texts, cache)
        self._database.scratch = hyperscan.Scratch(self._database)
        self._found: list[int] = []
        # Kept in an attribute: the binding does not hold a reference of its own while it scans.
        self._on_match = self._note

    def _note(self, _id: int, _start: int, end: int, _flags: int, _context: object) -> None:
        self._found.append(end - 1)

    def places(self, data: bytes) -> list[int]:
        """The offsets of the last byte of everything found."""
        found: list[int] = []
        self._found = found
        self._database.scan(data, match_event_handler=self._on_match)
        return found


def _load(texts: Sequence[Text], cache: Path | None) -> Any:
    """The database from the disk if it is of these texts, this library and this processor."""
    if cache is None:
        return _compile(texts)
    key = hashlib.sha256(repr((FORM, texts, _machine())).encode()).hexdigest()[:32]
    path = cache / f"rules-{key}.hs"
    try:
        known = hyperscan.loadb(path.read_bytes(), hyperscan.HS_MODE_BLOCK)
        with suppress(OSError):
            os.utime(path)  # what is used stays, whatever else is tried out
        return known
    except (OSError, hyperscan.error):
        fresh = _compile(texts)
    _keep(path, hyperscan.dumpb(fresh))
    return fresh


def _keep(path: Path, data: bytes) -> None:
    """Whole or not at all, readable by us only; a full disk costs only the next start its speed."""
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        old = sorted(path.parent.glob("rules-*.hs"), key=lambda each: each.stat().st_mtime)
        for stale in old[:-KEPT]:
            stale.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()


def _compile(texts: Sequence[Text]) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[text for text, _ in texts],
        ids=list(range(len(texts))),
        flags=[0 if case else hyperscan.HS_FLAG_CASELESS for _, case in texts],
        literal=True,
    )
    return database


def _machine() -> str:
    """What a compiled database depends on besides its texts."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            flags = next((row for row in file if row.startswith(("flags", "Features"))), "")
    except OSError:
        flags = ""
    version = getattr(hyperscan, "__version__", "")
    return f"{version} {platform.machine()} {hashlib.sha256(flags.encode()).hexdigest()}"
