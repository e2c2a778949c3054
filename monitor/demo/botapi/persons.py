"""What people do in this Telegram: they write, send files, press buttons, change their minds."""

from __future__ import annotations

import secrets
import time

from monitor.demo.botapi.body import Said
from monitor.demo.botapi.entities import found
from monitor.demo.botapi.files import for_bot
from monitor.demo.botapi.orders import OrderError, filed, kept, loads, reply, where, whole
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import World, hear, tell


def write(world: World, said: Said) -> Row:
    """A text; `chat` is the user's private chat with `bot` unless it is said."""
    user, place = where(world, said)
    text = said.words.get("text", "")
    if not text:
        raise OrderError("there is no text")
    content = {"text": text, "entities": [e.row() for e in found(text, [])]}
    return hear(world, place, user, kept(content) | reply(world, place, said))


def send(world: World, said: Said) -> Row:
    """A file: an upload, a file of this machine, or so many bytes that nobody has to carry."""
    user, place = where(world, said)
    return hear(world, place, user, filed(world, said, said.words) | reply(world, place, said))


def send_album(world: World, said: Said) -> list[Row]:
    """Several files as one album; each item says what `send` would be told."""
    user, place = where(world, said)
    group = {"media_group_id": str(secrets.randbits(53))}
    items = loads(said.words.get("items", "[]"))
    contents = [filed(world, said, item) | group for item in items]
    return [hear(world, place, user, content) for content in contents]


def edit(world: World, said: Said) -> Row:
    _, place = where(world, said)
    row = world.messages.find(place.room, whole(said, "message_id"))
    if row is None:
        raise OrderError("there is no such message")
    name = "text" if "text" in row["message"] else "caption"
    text = said.words.get("text", "")
    entities = [e.row() for e in found(text, [])]
    changed = {name: text, "entities" if name == "text" else "caption_entities": entities}
    row = world.messages.change(row, changed, time.time())
    tell(world, place, "edited_message", row["message"])
    return row


def press(world: World, said: Said) -> Row:
    """A button of a message, by its data or by what stands on it; a forger says any `data`."""
    user, place = where(world, said)
    row = world.messages.find(place.room, whole(said, "message_id"))
    if row is None:
        raise OrderError("there is no such message")
    data = said.words.get("data") or _pressable(row, said.words.get("button", ""))
    bot = world.bots.by_id(row["by"])
    if bot is None:
        raise OrderError("that message is not a bot's")
    pressed = world.presses.add(bot["id"], user, row["message"], data, time.time())
    world.updates.add(bot, "callback_query", for_bot(pressed["query"], bot["id"]))
    return pressed


def _pressable(row: Row, wanted: str) -> str:
    rows = row["message"].get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [b for line in rows for b in line]
    chosen = [b for b in buttons if wanted in {b.get("callback_data"), b["text"]}]
    if not chosen or "callback_data" not in chosen[0]:
        there = ", ".join(repr(b["text"]) for b in buttons) or "none"
        raise OrderError(f"no button {wanted!r} to press; there are: {there}")
    return str(chosen[0]["callback_data"])


def delete(world: World, said: Said) -> Row:
    _, place = where(world, said)
    row = world.messages.find(place.room, whole(said, "message_id"))
    if row is None:
        raise OrderError("there is no such message")
    world.messages.delete(row, time.time())
    return row
