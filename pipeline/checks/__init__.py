"""Is a file whole? Its size, its container, its packets; and all of it decoded when in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.checks import containers, probe, zeros
from pipeline.model import BrokenFileError

# A run of zeros this long does not happen in what is compressed. Downloads have come with such holes.
HOLE = 32 << 10
_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out, and by which level: size, container, packets, decoded."""

    level: str
    duration: float = 0.0
    width: int = 0
    height: int = 0


def check(path: Path, size: int, limit: float, alive: Callable[[], None]) -> Found:
    """What it is; BrokenFileError when it is not whole."""
    there = path.stat().st_size
    if there == 0:
        raise BrokenFileError(str(path), "it is empty")
    if size and there != size:
        raise BrokenFileError(str(path), f"truncated: it has {there} bytes of {size}")
    container = containers.check(path)
    if container is None:
        return Found("size")
    hole = zeros.longest(path, container.dense, alive) if container.dense else 0
    if not container.moving:
        if hole >= HOLE:
            raise BrokenFileError(str(path), f"corrupt: {hole} zeros in a row in its data")
        return Found("container", width=container.width, height=container.height)
    return _moving(path, container, hole, limit, alive)


def _moving(
    path: Path,
    container: containers.Container,
    hole: int,
    limit: float,
    alive: Callable[[], None],
) -> Found:
    """Video and sound: what the header promises must come out of the packets."""
    seen = probe.packets(path, limit, alive)
    if seen is None:  # nobody here can look inside
        if hole >= HOLE:
            raise BrokenFileError(str(path), f"corrupt: {hole} zeros in a row in its data")
        return Found("container", container.duration)
    if seen.error:
        raise BrokenFileError(str(path), f"corrupt: {seen.error}")
    if why := _missing(seen):
        raise BrokenFileError(str(path), why)
    found = Found("packets", seen.duration, seen.width, seen.height)
    if hole < HOLE:
        return found
    decoded = probe.decode(path, limit, alive)
    if decoded is None:
        return found
    if decoded.error:
        raise BrokenFileError(str(path), f"corrupt: {hole} zeros in a row, and {decoded.error}")
    return Found("decoded", seen.duration, seen.width, seen.height)


def _missing(seen: probe.Seen) -> str:
    """What was promised and is not there, in words."""
    if seen.promised and seen.packets < seen.promised * (1 - _TOLERANCE):
        return f"truncated: {seen.packets} of {seen.promised} frames"
    if seen.duration and seen.last < seen.duration * (1 - _TOLERANCE) - 1.0:
        return f"truncated: it ends at {seen.last:.1f} s of {seen.duration:.1f} s"
    return ""
