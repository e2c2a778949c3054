"""The size of a picture, from its first bytes."""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"


def dimensions(head: bytes) -> tuple[int, int] | None:
    if head.startswith(_PNG) and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    return _jpeg(head) if head.startswith(b"\xff\xd8") else None


def kind(head: bytes) -> str | None:
    """The type of a picture that a browser may show; nothing else is shown in place."""
    marks = {_PNG: "image/png", b"\xff\xd8": "image/jpeg", b"GIF8": "image/gif"}
    found = [type for mark, type in marks.items() if head.startswith(mark)]
    return found[0] if found else None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker, length = head[at + 1], struct.unpack(">H", head[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None
