"""What a text may be, in the server's words when it may not."""

from __future__ import annotations

import json
from typing import Any

from monitor.demo.botapi import html, markdown, markdown_old
from monitor.demo.botapi.entities import Entity, MarkupError, found, trimmed, units
from monitor.demo.botapi.refusal import bad
from monitor.demo.botapi.rows import Row

TEXT = 4096
CAPTION = 1024
BEFORE_PARSING = 32768  # bytes, markup included
ENTITIES = 100
ANSWER = 200

_KINDS = frozenset(
    {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold"}
    | {"italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"}
    | {"code", "pre", "text_link", "text_mention", "custom_emoji", "date_time"}
)


def formatted(text: str, mode: str, entities: str, most: int, name: str) -> tuple[str, list[Row]]:
    """The text as it will be shown, and its entities."""
    if len(text.encode("utf-8", "replace")) > BEFORE_PARSING:
        raise bad(f"{name} is too long")
    try:
        plain, marked = _parsed(text, mode, entities)
    except MarkupError as error:
        raise bad(f"can't parse entities: {error}") from None
    plain, marked = trimmed(plain, marked)
    if units(plain) > most:
        raise bad(f"{name} is too long")
    return plain, [entity.row() for entity in found(plain, marked)[:ENTITIES]]


def _parsed(text: str, mode: str, entities: str) -> tuple[str, list[Entity]]:
    match mode.lower():
        case "" | "none":
            return text, given_entities(entities)
        case "html":
            return html.parse(text)
        case "markdownv2":
            return markdown.parse(text)
        case "markdown":
            return markdown_old.parse(text)
    raise bad("unsupported parse_mode")


def given_entities(word: str) -> list[Entity]:
    """Entities that the bot counted itself; a kind that nobody knows is left out."""
    if not word:
        return []
    try:
        rows = json.loads(word)
    except ValueError:
        raise bad("can't parse entities JSON object") from None
    if not isinstance(rows, list):
        raise bad("expected an Array of MessageEntity")
    found = [_given_entity(row) for row in rows]
    return [entity for entity in found if entity.type in _KINDS and entity.length > 0]


def _given_entity(row: Any) -> Entity:
    if not isinstance(row, dict):
        raise bad("can't parse MessageEntity: MessageEntity must be an Object")
    for name, kind, what in (
        ("type", str, "String"),
        ("offset", int, "Number"),
        ("length", int, "Number"),
    ):
        if name not in row:
            raise bad(f"can't parse MessageEntity: Can't find field \"{name}\"")
        if not isinstance(row[name], kind):
            raise bad(f'can\'t parse MessageEntity: Field "{name}" must be of type {what}')
    user = row.get("user") or {}
    return Entity(
        row["type"],
        row["offset"],
        row["length"],
        str(row.get("url", "")),
        str(row.get("language", "")),
        int(user.get("id", 0)) if isinstance(user, dict) else 0,
        str(row.get("custom_emoji_id", "")),
    )
