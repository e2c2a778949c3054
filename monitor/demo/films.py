"""Small films and pictures that play, each different from the others."""

from __future__ import annotations

import struct
from importlib.resources import files

_SAMPLES = files("monitor.demo")


def film(number: int, more: int = 0) -> bytes:
    """Two seconds of MP4; a box that players skip makes it one of its kind, and longer by `more`."""
    inside = struct.pack(">Q", number) + bytes(range(1, 256)) * (more // 255)
    return (
        (_SAMPLES / "sample.mp4").read_bytes()
        + struct.pack(">I4s", 8 + len(inside), b"free")
        + inside
    )


def picture(number: int) -> bytes:
    """A JPEG with a comment of its own."""
    whole = (_SAMPLES / "sample.jpg").read_bytes()
    return whole[:2] + struct.pack(">2sHQ", b"\xff\xfe", 10, number) + whole[2:]
