"""MarkdownV2 as the server reads it, with its words about what it cannot read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from monitor.demo.botapi.entities import Entity, MarkupError, link, ordered, units

_RESERVED = "_*[]()~`>#+-=|{}.!"
_TYPES = {
    "Bold": "bold",
    "Italic": "italic",
    "Underline": "underline",
    "Strikethrough": "strikethrough",
    "Spoiler": "spoiler",
    "Code": "code",
    "Pre": "pre",
    "PreCode": "pre",
}
_MARKS = {
    "Bold": "*",
    "Italic": "_",
    "Underline": "__",
    "Strikethrough": "~",
    "Spoiler": "||",
    "Code": "`",
    "Pre": "```",
    "PreCode": "```",
    "TextUrl": "]",
    "CustomEmoji": "]",
}
_VERBATIM = ("Code", "Pre", "PreCode")
_LANGUAGE = re.compile(r"([^\s`]+)(?=\s)")
_NEWLINE = re.compile(r"\r\n|\n\r|\r|\n")


@dataclass(slots=True)
class _Open:
    kind: str
    start: int  # UTF-16 units in the text
    byte: int  # where its mark stands in the source
    at: int  # index of what it holds in the pieces written so far
    language: str = ""


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[str] = []
        self.size = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []
        self.new_line = True  # whether a quotation may begin here

    def here(self, mark: str) -> bool:
        return self.text.startswith(mark, self.at)

    def byte(self, at: int) -> int:
        return len(self.text[:at].encode("utf-8", "surrogatepass"))

    def put(self, text: str) -> None:
        self.out.append(text)
        self.size += units(text)

    def inside(self, kind: str) -> _Open | None:
        return next((o for o in self.open if o.kind == kind), None)

    @property
    def top(self) -> str:
        return self.open[-1].kind if self.open else ""


def parse(text: str) -> tuple[str, list[Entity]]:
    reader = _Reader(text)
    while reader.at < len(text):
        _step(reader)
    quote = reader.inside("BlockQuote")
    if quote is not None and reader.top != "BlockQuote":
        _end_by_mark(reader)
    if reader.top == "BlockQuote":
        _end_quote(reader, "blockquote")
    if reader.open:
        left = reader.open[-1]
        raise MarkupError(f"Can't find end of {left.kind} entity at byte offset {left.byte}")
    return "".join(reader.out), ordered(reader.entities)


def _step(reader: _Reader) -> None:
    text, at = reader.text, reader.at
    c = text[at]
    if c == "\\" and "\0" < text[at + 1 : at + 2] <= "~":
        reader.put(text[at + 1])
        reader.at += 2
        reader.new_line = False
        return
    if reader.top in _VERBATIM:
        if c == "`":
            _end(reader) if _closes(reader) else _begin(reader, c)
        else:
            reader.put(c)
            reader.at += 1
        reader.new_line = c in "\r\n"
        return
    if c in "\r\n":
        _line_ends(reader, c)
        return
    if c not in _RESERVED:
        reader.put(c)
        reader.at += 1
        reader.new_line = False
        return
    if c == ">" and reader.new_line:
        reader.at += 1
        reader.new_line = False
        if not reader.inside("BlockQuote"):
            _open(reader, "BlockQuote", at)
        return
    if _closes(reader):
        _end(reader)
    else:
        _begin(reader, c)


def _line_ends(reader: _Reader, c: str) -> None:
    reader.put(c)
    reader.at += 1
    reader.new_line = True
    if c == "\n" and not reader.here(">") and reader.inside("BlockQuote"):
        if reader.top != "BlockQuote":
            _end_by_mark(reader)
        if reader.top == "BlockQuote":
            _end_quote(reader, "blockquote")
        elif reader.open:
            left = reader.open[-1]
            raise MarkupError(f"Can't find end of {left.kind} entity at byte offset {left.byte}")


def _end_by_mark(reader: _Reader) -> None:
    """A quotation that ends with a lone `||` is an expandable one."""
    spoiler = reader.open[-1]
    if spoiler.kind != "Spoiler" or reader.open[-2].kind != "BlockQuote":
        return
    if not "".join(reader.out[spoiler.at :]).strip("\r\n"):
        reader.open.pop()
        _end_quote(reader, "expandable_blockquote")


def _end_quote(reader: _Reader, type: str) -> None:
    opened = reader.open.pop()
    if reader.size > opened.start:
        reader.entities.append(Entity(type, opened.start, reader.size - opened.start))


def _closes(reader: _Reader) -> bool:
    mark = _MARKS.get(reader.top)
    if mark is None or not reader.here(mark):
        return False
    return reader.top != "Italic" or not reader.here("__")


def _open(reader: _Reader, kind: str, at: int, language: str = "") -> None:
    reader.open.append(_Open(kind, reader.size, reader.byte(at), len(reader.out), language))


def _begin(reader: _Reader, c: str) -> None:
    at = reader.at
    kinds = {
        "_": "Underline" if reader.here("__") else "Italic",
        "*": "Bold",
        "~": "Strikethrough",
        "|": "Spoiler" if reader.here("||") else "",
        "[": "TextUrl",
        "!": "CustomEmoji" if reader.here("![") else "",
        "`": "Pre" if reader.here("```") else "Code",
    }
    kind = kinds.get(c, "")
    if not kind:
        raise MarkupError(
            f"Character '{c}' is reserved and must be escaped with the preceding '\\'"
        )
    reader.at += {"TextUrl": 1, "CustomEmoji": 2}.get(kind) or len(_MARKS[kind])
    language = ""
    if kind == "Pre":
        kind, language = _language(reader)
    _open(reader, kind, at, language)
    if kind != "Bold":  # `**` before `>` parts two quotations and leaves the line new
        reader.new_line = False


def _language(reader: _Reader) -> tuple[str, str]:
    match = _LANGUAGE.match(reader.text, reader.at)
    if match:
        reader.at = match.end()
    if newline := _NEWLINE.match(reader.text, reader.at):
        reader.at = newline.end()
    return ("PreCode", match[1]) if match else ("Pre", "")


def _end(reader: _Reader) -> None:
    opened = reader.open.pop()
    reader.at += len(_MARKS[opened.kind])
    length = reader.size - opened.start
    match opened.kind:
        case "TextUrl":
            held = "".join(reader.out[opened.at :])
            url = _address(reader, "a URL") if reader.here("(") else held
            entity = link(opened.start, length, url) if url else None
        case "CustomEmoji":
            if not reader.here("("):
                raise MarkupError("Custom emoji entity must contain a tg://emoji URL")
            number = _emoji(_address(reader, "a custom emoji URL"))
            entity = Entity("custom_emoji", opened.start, length, emoji=number)
        case _:
            entity = Entity(_TYPES[opened.kind], opened.start, length, language=opened.language)
    if length and entity is not None:
        reader.entities.append(entity)


def _address(reader: _Reader, what: str) -> str:
    reader.at += 1
    start = reader.at
    url = []
    while reader.at < len(reader.text) and not reader.here(")"):
        if reader.here("\\") and "\0" < reader.text[reader.at + 1 : reader.at + 2] <= "~":
            reader.at += 1
        url.append(reader.text[reader.at])
        reader.at += 1
    if not reader.here(")"):
        raise MarkupError(f"Can't find end of {what} at byte offset {reader.byte(start)}")
    reader.at += 1
    return "".join(url)


def _emoji(url: str) -> str:
    try:
        split = urlsplit(url)
    except ValueError:
        raise MarkupError("Custom emoji entity must contain a tg://emoji URL") from None
    if split.scheme.lower() != "tg":
        raise MarkupError("Custom emoji URL must have scheme tg")
    if (split.netloc or split.path).strip("/").lower() != "emoji":
        raise MarkupError('Custom emoji URL must have host "emoji"')
    numbers = parse_qs(split.query).get("id")
    if not numbers:
        raise MarkupError("Custom emoji URL must have an emoji identifier")
    if not numbers[0].isdecimal() or numbers[0].startswith("0"):
        raise MarkupError("Invalid custom emoji identifier specified")
    return numbers[0]
