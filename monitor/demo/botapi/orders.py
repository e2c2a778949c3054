"""How an order to this Telegram is read: who does it, where, and with which file."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from monitor.demo.botapi.attachment import attachment
from monitor.demo.botapi.body import Said, Upload
from monitor.demo.botapi.entities import found
from monitor.demo.botapi.files import FOLDERS
from monitor.demo.botapi.people import Place
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import World, listeners, room_of


class OrderError(Exception):
    """An order that cannot be carried out; the message says why."""


def whole(said: Said, name: str) -> int:
    try:
        return int(said.words.get(name) or 0)
    except ValueError:
        raise OrderError(f"{name} is not a number") from None


def loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise OrderError("that is not JSON") from None


def the_bot(world: World, said: Said) -> Row:
    number = whole(said, "bot")
    bot = world.bots.by_id(number) if number else next(iter(world.bots), None)
    if bot is None:
        raise OrderError("there is no such bot")
    return bot


def where(world: World, said: Said) -> tuple[Row, Place]:
    """Who does it, and where: what one writes to a bot also opens the door to it."""
    number = whole(said, "user")
    row = world.chats.user(number)
    if row is None:
        raise OrderError(f"there is no user {number}")
    bot = the_bot(world, said)
    place = room_of(world, whole(said, "chat") or number, bot["id"])
    if place is None:
        raise OrderError("there is no such chat")
    if place.chat["type"] == "private":
        world.chats.meet(bot["id"], number)
    if not listeners(world, place):
        raise OrderError("no bot is there to hear it")
    return row["user"], place


def reply(world: World, place: Place, said: Said) -> Row:
    number = whole(said, "reply_to")
    row = world.messages.find(place.room, number) if number else None
    if row is None:
        return {}
    return {
        "reply_to_message": {k: v for k, v in row["message"].items() if k != "reply_to_message"}
    }


def filed(world: World, said: Said, words: dict[str, Any]) -> Row:
    kind = words.get("kind", "document")
    if kind not in FOLDERS:
        raise OrderError(f"kind must be one of {', '.join(FOLDERS)}")
    source, name, mime = _bytes(world, said, words)
    name = str(words.get("name") or name)
    file = world.files.keep(source, kind, name, str(words.get("mime") or mime))
    caption = str(words.get("caption") or "")
    entities = [e.row() for e in found(caption, [])]
    content = attachment(world.files, file, words)
    return kept(content | {"caption": caption, "caption_entities": entities})


def _bytes(world: World, said: Said, words: dict[str, Any]) -> tuple[Path, str, str]:
    """Where the bytes stand now, ours to take: what `size` adds to them takes no place on the disk."""
    size = int(words.get("size") or 0)
    upload: Upload | None = said.uploads.get(str(words.get("field") or "file"))
    if upload is not None:
        source, name, mime = upload.path, upload.name, upload.type
    else:
        handle, copy = tempfile.mkstemp(dir=world.files.incoming)
        os.close(handle)
        source, name, mime = Path(copy), "", ""
        if handed := words.get("handed"):
            os.replace(world.files.handed(str(handed)), source)
    if size:
        os.truncate(source, max(size, source.stat().st_size))
    return source, name, mime


def kept(content: Row) -> Row:
    return {key: value for key, value in content.items() if value not in (None, [], "")}
