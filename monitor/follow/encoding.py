"""How the lines of a file end and become UTF-8, told by its first bytes."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Encoding:
    """Where lines end in bytes of this encoding; every position is counted from a line's start."""

    name: str
    bom: bytes
    newline: bytes

    @property
    def is_bytes(self) -> bool:
        """Whether its lines are UTF-8 as they stand."""
        return len(self.newline) == 1

    def last(self, data: bytes | bytearray, low: int, high: int) -> int:
        """Where the last whole line in data[low:high] ends; `low` when there is none."""
        unit = len(self.newline)
        at = data.rfind(self.newline, low, high)
        while at >= 0 and (at - low) % unit:
            at = data.rfind(self.newline, low, at + unit - 1)
        return low if at < 0 else at + unit

    def first(self, data: bytes | bytearray, low: int, high: int) -> int:
        """Where the first whole line in data[low:high] ends; `low` when there is none."""
        unit = len(self.newline)
        at = data.find(self.newline, low, high)
        while at >= 0 and (at - low) % unit:
            at = data.find(self.newline, at + 1, high)
        return low if at < 0 else at + unit

    def overlong(self, data: bytes | bytearray, low: int, high: int, cap: int) -> int:
        """Where the first line of more than `cap` bytes starts in data[low:high]; -1 when none does."""
        while high - low > cap:
            end = self.last(data, low, low + cap + len(self.newline))
            if end == low:
                return low
            low = end
        return -1

    def utf8(self, data: bytes) -> bytes:
        """The same text in UTF-8; what cannot be read becomes U+FFFD."""
        return data.decode(self.name, "replace").encode("utf-8", "replace")


PLAIN = Encoding("utf-8", b"", b"\n")
MARKED = (
    Encoding("utf-8", BOM_UTF8, b"\n"),
    Encoding("utf-16-le", BOM_UTF16_LE, b"\n\x00"),
    Encoding("utf-16-be", BOM_UTF16_BE, b"\x00\n"),
)


def encoding_of(start: bytes) -> Encoding:
    """The encoding that the byte order mark names; UTF-8 without one."""
    return next((marked for marked in MARKED if start.startswith(marked.bom)), PLAIN)
