"""The one importer of hyperscan: all patterns at once over whole chunks, its database kept on disk."""

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
    from collections.abc import Callable, Iterable
    from pathlib import Path

FORM = 2  # of what we keep on disk
KEPT = 6  # databases on disk; older ones are of rules that are gone


def available() -> bool:
    """Whether Hyperscan is on this machine."""
    return hyperscan is not None


class Block:
    """One compiled database of patterns, or of fixed texts, which it finds much faster."""

    def __init__(
        self,
        sources: Iterable[tuple[bytes, bool]],
        cache: Path | None = None,
        fewest: Callable[[Iterable[tuple[bytes, bool]]], list[tuple[bytes, bool]]] | None = None,
    ) -> None:
        self._database = _load(sorted(sources) if fewest else list(sources), cache, fewest)
        self._database.scratch = hyperscan.Scratch(self._database)
        self._found: list[tuple[int, int]] = []
        # Kept in an attribute: the binding does not hold a reference of its own while it scans.
        self._on_match = self._note

    def _note(self, number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        self._found.append((end - 1, number))

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """(Offset of the last byte, number of the pattern) of everything found."""
        found: list[tuple[int, int]] = []
        self._found = found
        self._database.scan(data, match_event_handler=self._on_match)
        return found


def _load(sources: list[tuple[bytes, bool]], cache: Path | None, fewest: Any) -> Any:
    """The database from the disk if it is of these patterns, this library and this processor."""

    def fresh_one() -> Any:
        return _compile(fewest(sources) if fewest else sources, fixed=bool(fewest))

    if cache is None:
        return fresh_one()
    key = hashlib.sha256(repr((FORM, sources, bool(fewest), _machine())).encode()).hexdigest()[:32]
    path = cache / f"rules-{key}.hs"
    try:
        return hyperscan.loadb(path.read_bytes(), hyperscan.HS_MODE_BLOCK)
    except (OSError, hyperscan.error):
        fresh = fresh_one()
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


def _compile(sources: list[tuple[bytes, bool]], *, fixed: bool) -> Any:
    # Fixed texts are wanted wherever they stand in a chunk, patterns once for the line they are
    # asked about: a pattern that matches at every byte would be told as often.
    once = 0 if fixed else hyperscan.HS_FLAG_SINGLEMATCH
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[source for source, _ in sources],
        ids=list(range(len(sources))),
        flags=[once | (0 if case else hyperscan.HS_FLAG_CASELESS) for _, case in sources],
        literal=fixed,
    )
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
