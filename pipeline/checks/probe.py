"""Who can look inside a video: libav by the extra `media`, or ffprobe and ffmpeg of the machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.checks import ffmpeg

_LOOK = 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    packets: int = 0
    promised: int = 0  # frames, as the header says; 0 when it does not
    last: float = 0.0  # seconds at which the last packet ends
    duration: float = 0.0
    width: int = 0
    height: int = 0
    error: str = ""


def packets(path: Path, limit: float, alive: Callable[[], None]) -> Seen | None:
    """Every packet counted, none decoded; None when nobody can or it took too long."""
    return _inside(path, "packets", limit, alive)


def decode(path: Path, limit: float, alive: Callable[[], None]) -> Seen | None:
    """Every frame decoded: seconds of work for a minute of video."""
    return _inside(path, "decode", limit, alive)


def _inside(path: Path, how: str, limit: float, alive: Callable[[], None]) -> Seen | None:
    ours = find_spec("av") is not None
    if not ours and not ffmpeg.is_here():
        return None
    inside = [sys.executable, "-m", "pipeline.checks.inside", str(path), how]
    command = inside if ours else ffmpeg.command(path, how)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        out = _wait(process, time.monotonic() + limit, alive)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if out is None or process.returncode in ffmpeg.CANNOT:
        return None
    if process.returncode:
        return Seen(error=f"looking inside ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out) if ours else ffmpeg.read(out)
    return Seen(**found)


def _wait(process: subprocess.Popen[bytes], end: float, alive: Callable[[], None]) -> bytes | None:
    while time.monotonic() < end:
        alive()
        try:
            out, _ = process.communicate(timeout=_LOOK)
        except subprocess.TimeoutExpired:
            continue
        return out
    return None
