"""HTML as the server reads it, with its words about what it cannot read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.demo.botapi.entities import Entity, MarkupError, link, ordered, units

_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot)|#([0-9]{1,9})|#x([0-9a-fA-F]{1,8}));?")
_WORD = re.compile(r"[A-Za-z0-9.-]*")
_SPACES = " \t\r\n\0\v"


@dataclass(slots=True)
class _Open:
    tag: str
    argument: str
    start: int  # UTF-16 units: where the entity begins in the text


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[str] = []
        self.size = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def byte(self, at: int) -> int:
        return len(self.text[:at].encode("utf-8", "surrogatepass"))

    def put(self, text: str) -> None:
        self.out.append(text)
        self.size += units(text)

    def skip(self) -> None:
        while self.peek() and self.peek() in _SPACES:
            self.at += 1

    def until(self, stops: str) -> str:
        start = self.at
        while self.peek() and self.peek() not in stops:
            self.at += 1
        return self.text[start : self.at]

    def reference(self) -> str:
        """The character that stands behind `&...;`, else the `&` itself."""
        match = _REFERENCE.match(self.text, self.at)
        if match:
            code = int(match[2]) if match[2] else int(match[3], 16) if match[3] else 0
            if match[1] or 0 < code < 0x10FFFF:
                self.at = match.end()
                if 0xD800 <= code <= 0xDFFF:
                    raise MarkupError(
                        "Text contains invalid Unicode characters after decoding HTML entities,"
                        " check for unmatched surrogate code units"
                    )
                return _NAMED[match[1]] if match[1] else chr(code)
        self.at += 1
        return "&"


def parse(text: str) -> tuple[str, list[Entity]]:
    reader = _Reader(text)
    while reader.peek():
        match reader.peek():
            case "&":
                reader.put(reader.reference())
            case "<" if reader.text.startswith("</", reader.at):
                _close(reader)
            case "<":
                _begin(reader)
            case _:
                reader.put(reader.until("&<"))
    if reader.open:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{reader.open[-1].tag}"')
    return "".join(reader.out), ordered(_nested_code(reader.entities))


def _begin(reader: _Reader) -> None:
    start = reader.byte(reader.at)
    reader.at += 1
    tag = reader.until(_SPACES + ">").lower()
    if not reader.peek():
        raise MarkupError(f"Unclosed start tag at byte offset {start}")
    if tag not in _TYPES:
        raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {start}')
    argument = ""
    while reader.peek() != ">":
        reader.skip()
        if reader.peek() == ">":
            break
        name, value = _attribute(reader, tag, start)
        argument = _argument(tag, name, value) or argument
    if tag == "span" and not argument:
        raise MarkupError(f'Tag "span" must have class "tg-spoiler" at byte offset {start}')
    reader.at += 1
    reader.open.append(_Open(tag, argument, reader.size))


def _attribute(reader: _Reader, tag: str, start: int) -> tuple[str, str]:
    name = reader.until(_SPACES + "=>").lower()
    if not name:
        raise MarkupError(f'Empty attribute name in the tag "{tag}" at byte offset {start}')
    reader.skip()
    if not reader.peek():
        raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {start}')
    if reader.peek() != "=":
        return name, ""
    reader.at += 1
    reader.skip()
    if not reader.peek():
        raise MarkupError(f'Unclosed start tag "{tag}" at byte offset {start}')
    if reader.peek() in "'\"":
        value = _quoted(reader)
    else:
        token = reader.byte(reader.at)
        value = (_WORD.match(reader.text, reader.at) or [""])[0].lower()
        reader.at += len(value)
        if reader.peek() and reader.peek() not in _SPACES + ">":
            raise MarkupError(f"Unexpected end of name token at byte offset {token}")
    if not reader.peek():
        raise MarkupError(f"Unclosed start tag at byte offset {start}")
    return name, value


def _quoted(reader: _Reader) -> str:
    quote = reader.peek()
    reader.at += 1
    value = []
    while reader.peek() and reader.peek() != quote:
        value.append(reader.reference() if reader.peek() == "&" else reader.until("&" + quote))
    reader.at += 1
    return "".join(value)


def _argument(tag: str, name: str, value: str) -> str:
    match tag, name:
        case ("a", "href") | ("tg-emoji", "emoji-id"):
            return value
        case "code", "class" if value.startswith("language-"):
            return value.removeprefix("language-")
        case "span", "class" if value == "tg-spoiler":
            return value
        case "blockquote", "expandable":
            return "expandable"
    return ""


def _close(reader: _Reader) -> None:
    start = reader.byte(reader.at)
    if not reader.open:
        raise MarkupError(f"Unexpected end tag at byte offset {start}")
    reader.at += 2
    tag = reader.until(_SPACES + ">").lower()
    reader.skip()
    if reader.peek() != ">":
        raise MarkupError(f"Unclosed end tag at byte offset {start}")
    reader.at += 1
    opened = reader.open.pop()
    if tag and tag != opened.tag:
        raise MarkupError(
            f'Unmatched end tag at byte offset {start}, expected "</{opened.tag}>", found "</{tag}>"'
        )
    if reader.size > opened.start and (entity := _entity(reader, opened)):
        reader.entities.append(entity)


def _entity(reader: _Reader, opened: _Open) -> Entity | None:
    type, start, length = _TYPES[opened.tag], opened.start, reader.size - opened.start
    match opened.tag:
        case "a":
            return link(start, length, opened.argument or _tail("".join(reader.out), length))
        case "code":
            return Entity(type, start, length, language=opened.argument)
        case "tg-emoji":
            if not opened.argument.isdecimal():
                raise MarkupError("Invalid custom emoji identifier specified")
            return Entity(type, start, length, emoji=opened.argument)
        case "blockquote" if opened.argument:
            return Entity("expandable_blockquote", start, length)
    return Entity(type, start, length)


def _tail(text: str, length: int) -> str:
    return text.encode("utf-16-le")[-2 * length :].decode("utf-16-le")


def _nested_code(entities: list[Entity]) -> list[Entity]:
    """A `code` with a language inside a `pre` of the same text is one `pre` with that language."""
    pres = {(e.offset, e.length) for e in entities if e.type == "pre"}
    spoken = {(e.offset, e.length): e.language for e in entities if e.type == "code" and e.language}
    out = []
    for entity in entities:
        place = (entity.offset, entity.length)
        if entity.type == "code" and entity.language:
            if place in pres:
                continue
            entity = Entity("code", *place)  # noqa: PLW2901
        elif entity.type == "pre" and place in spoken:
            entity = Entity("pre", *place, language=spoken[place])  # noqa: PLW2901
        out.append(entity)
    return out
