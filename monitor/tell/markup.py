"""A message as rows of styled words; markup is made after cutting, so that it is never cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

MOST = 4096  # UTF-16 units, as Telegram counts
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: plain words, or pairs of (tag, words); who is cut first has the least weight."""

    parts: tuple[tuple[str, str], ...]  # tag is "", "b", "i" or "pre"
    weight: int = 1

    @property
    def text(self) -> str:
        return "".join(words for _, words in self.parts)


def row(text: str, tag: str = "", weight: int = 1) -> Row:
    return Row(((tag, text),), weight)


def units(text: str) -> int:
    """How long Telegram thinks it is."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitted(rows: Iterable[Row], most: int = MOST) -> list[Row]:
    """As many rows as fit, the lightest and last of them dropped or cut first."""
    kept = [replace(one, parts=tuple((tag, _sendable(t)) for tag, t in one.parts)) for one in rows]
    kept = [one for one in kept if one.text.strip()]
    while (over := _length(kept) - most) > 0:
        lightest = min(range(len(kept)), key=lambda i: (kept[i].weight, -i))
        tag, words = kept[lightest].parts[-1]
        room = units(words) - over - 1
        if room >= 16:
            parts = (*kept[lightest].parts[:-1], (tag, f"{_cut(words, room)}…"))
            kept[lightest] = Row(parts, kept[lightest].weight)
        else:
            del kept[lightest]
    return kept


def _length(rows: Sequence[Row]) -> int:
    return sum(units(one.text) + 1 for one in rows)


def _cut(text: str, most: int) -> str:
    """At most so many units of it, and no half of a character."""
    while units(text) > most:
        text = text[: max(0, len(text) - max(1, (units(text) - most) // 2))]
    return text


def _sendable(text: str) -> str:
    """Halves of characters, as file names may hold them, cannot be sent."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def html(rows: Iterable[Row]) -> str:
    return "\n".join("".join(_tagged(*part) for part in one.parts) for one in rows)


def plain(rows: Iterable[Row]) -> str:
    return "\n".join(one.text for one in rows)


def to_text(rows: Iterable[Row]) -> str:
    """To be kept until it can be sent."""
    return json.dumps([[one.weight, one.parts] for one in rows])


def from_text(text: str) -> list[Row]:
    return [Row(tuple((t, w) for t, w in parts), weight) for weight, parts in json.loads(text)]


def _tagged(tag: str, words: str) -> str:
    escaped = "".join(_ESCAPED.get(char, char) for char in words)
    return f"<{tag}>{escaped}</{tag}>" if tag and words else escaped
