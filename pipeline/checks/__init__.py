"""Is a file whole? Its size first, then its container, then what its packets say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import BrokenFileError


@dataclass(frozen=True, slots=True)
class Found:
    level: str  # size, container, packets, decoded
    duration: float = 0.0
    width: int = 0
    height: int = 0


def check(path: Path, size: int, limit: float, safe_point: Callable[[], None]) -> Found:  # noqa: ARG001
    """What it is; BrokenFileError when it is not whole."""
    there = path.stat().st_size
    if there == 0:
        raise BrokenFileError(str(path), "it is empty")
    if size and there != size:
        raise BrokenFileError(str(path), f"truncated: it has {there} bytes of {size}")
    return Found("size")
