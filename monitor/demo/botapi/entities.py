"""Marked-up text as Telegram keeps it: plain text, and entities counted in UTF-16 units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit


class MarkupError(Exception):
    """The text cannot be parsed; the message is the server's."""


@dataclass(frozen=True, slots=True)
class Entity:
    type: str
    offset: int
    length: int
    url: str = ""
    language: str = ""
    user: int = 0
    emoji: str = ""

    @property
    def end(self) -> int:
        return self.offset + self.length

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"type": self.type, "offset": self.offset, "length": self.length}
        if self.url:
            row["url"] = self.url
        if self.language:
            row["language"] = self.language
        if self.user:
            row["user"] = {"id": self.user, "is_bot": False, "first_name": str(self.user)}
        if self.emoji:
            row["custom_emoji_id"] = self.emoji
        return row


_ORDER = {
    "blockquote": 0,
    "expandable_blockquote": 0,
    "pre": 1,
    "code": 2,
    "text_link": 3,
    "bold": 5,
}


def units(text: str) -> int:
    """How long Telegram finds a text: characters beyond the basic plane count twice."""
    return len(text) + sum(c > "\uffff" for c in text)


def ordered(entities: Iterable[Entity]) -> list[Entity]:
    return sorted(entities, key=lambda e: (e.offset, -e.length, _ORDER.get(e.type, 6)))


def link(offset: int, length: int, url: str) -> Entity | None:
    """A link to a page or to a user; nothing where the address leads nowhere."""
    try:
        return _link(offset, length, url)
    except ValueError:  # brackets that are no IPv6 address, a port that is no number
        return None


def _link(offset: int, length: int, url: str) -> Entity | None:
    split = urlsplit(url)
    if split.scheme.lower() == "tg":
        place = split.netloc or split.path.strip("/")
        number = parse_qs(split.query).get("id", [""])[0]
        if place == "user" and number.isdecimal():
            return Entity("text_mention", offset, length, user=int(number))
        return Entity("text_link", offset, length, url)
    if not split.scheme:
        url = f"http://{url}"
        split = urlsplit(url)
    if split.scheme.lower() not in {"http", "https", "ton", "tonsite"} or "." not in split.netloc:
        return None
    return Entity("text_link", offset, length, url if split.path else _with_root(url))


def _with_root(url: str) -> str:
    """The address of a site's root ends with a slash, before what is asked of it."""
    at = min((url.find(c) for c in "?#" if c in url), default=len(url))
    return f"{url[:at]}/{url[at:]}"


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Without the blanks around it, and with the entities moved along."""
    text = text.replace("\r", "").replace("\0", " ")
    left = units(text) - units(text.lstrip())
    text = text.strip()
    size = units(text)
    kept = []
    for entity in entities:
        start, end = max(0, entity.offset - left), min(size, entity.end - left)
        if start < end:
            kept.append(replace(entity, offset=start, length=end - start))
    return text, ordered(kept)


_FOUND = re.compile(
    r"(?P<url>\bhttps?://[^\s<>\"]{1,2000}[^\s<>\".,;:!?')\]])"
    r"|(?P<email>\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,5})"
    r"|(?<![\w/@])(?P<mention>@[A-Za-z]\w{3,31})\b"
    r"|(?<![\w/#])(?P<hashtag>#\w{1,100})"
    r"|(?<![\w/<>@])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z]\w{3,31})?)(?![\w/])",
    re.ASCII,
)
_WHOLE = frozenset({"code", "pre", "text_link", "text_mention"})


def found(text: str, marked: list[Entity]) -> list[Entity]:
    """With the commands, links and names that the server finds by itself outside of what is marked."""
    taken = [e for e in marked if e.type in _WHOLE]
    more = []
    for match in _FOUND.finditer(text):
        start, length = units(text[: match.start()]), units(match[0])
        if all(e.end <= start or start + length <= e.offset for e in taken):
            more.append(Entity(match.lastgroup or "", start, length))
    return ordered([*marked, *more])
