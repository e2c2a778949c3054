"""What people do in this Telegram: they write, send files, press buttons, change their minds, leave."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from monitor.demo.botapi.attachment import attachment
from monitor.demo.botapi.body import Said, Upload
from monitor.demo.botapi.entities import found
from monitor.demo.botapi.files import FOLDERS, for_bot
from monitor.demo.botapi.people import Place
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import World, hear, listeners, room_of, tell


class OrderError(Exception):
    """An order that cannot be carried out; the message says why."""


def write(world: World, said: Said) -> Row:
    """A text; `chat` is the user's private chat with `bot` unless it is said."""
    user, place = _where(world, said)
    text = said.words.get("text", "")
    if not text:
        raise OrderError("there is no text")
    content = {"text": text, "entities": [e.row() for e in found(text, [])]}
    return hear(world, place, user, _kept(content) | _reply(world, place, said))


def send(world: World, said: Said) -> Row:
    """A file: an upload, a file of this machine, or so many bytes that nobody has to carry."""
    user, place = _where(world, said)
    return hear(world, place, user, _file(world, said, said.words) | _reply(world, place, said))


def send_album(world: World, said: Said) -> list[Row]:
    """Several files as one album; each item says what `send` would be told."""
    user, place = _where(world, said)
    group = {"media_group_id": str(secrets.randbits(53))}
    items = loads(said.words.get("items", "[]"))
    contents = [_file(world, said, item) | group for item in items]
    return [hear(world, place, user, content) for content in contents]


def edit(world: World, said: Said) -> Row:
    _, place = _where(world, said)
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
    """A button of a message, by its data or by what stands on it."""
    user, place = _where(world, said)
    row = world.messages.find(place.room, whole(said, "message_id"))
    if row is None:
        raise OrderError("there is no such message")
    wanted = said.words.get("button", "")
    rows = row["message"].get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [b for line in rows for b in line]
    chosen = [b for b in buttons if wanted in {b.get("callback_data"), b["text"]}]
    if not chosen or "callback_data" not in chosen[0]:
        there = ", ".join(repr(b["text"]) for b in buttons) or "none"
        raise OrderError(f"no button {wanted!r} to press; there are: {there}")
    bot = world.bots.by_id(row["by"])
    if bot is None:
        raise OrderError("that message is not a bot's")
    data = chosen[0]["callback_data"]
    pressed = world.presses.add(bot["id"], user, row["message"], data, time.time())
    world.updates.add(bot, "callback_query", for_bot(pressed["query"], bot["id"]))
    return pressed


def delete(world: World, said: Said) -> Row:
    _, place = _where(world, said)
    row = world.messages.find(place.room, whole(said, "message_id"))
    if row is None:
        raise OrderError("there is no such message")
    world.messages.delete(row, time.time())
    return row


def block(world: World, said: Said) -> bool:
    """The user shuts the bot out, or lets it in again; the bot is told."""
    user, blocked = whole(said, "user"), said.words.get("blocked", "true") == "true"
    bot = _bot(world, said)
    world.chats.block(bot["id"], user, blocked)
    row = world.chats.user(user)
    place = room_of(world, user, bot["id"])
    if row is not None and place is not None:
        was, is_now = ("member", "kicked") if blocked else ("kicked", "member")
        _standing(world, bot, place, row["user"], was, is_now)
    return True


def move(world: World, said: Said) -> bool:
    """A bot's standing in a group or channel becomes another one."""
    group = world.chats.group(whole(said, "chat"))
    if group is None:
        raise OrderError("there is no such group or channel")
    bot, status = _bot(world, said), said.words.get("status", "member")
    was = group["bots"].get(str(bot["id"]), "left")
    world.chats.save(group | {"bots": group["bots"] | {str(bot["id"]): status}})
    place = Place(str(group["chat"]["id"]), group["chat"])
    person = next((u["user"] for u in world.chats.users()), None)
    if person is not None:
        _standing(world, bot, place, person, was, status)
    return True


def migrate(world: World, said: Said) -> Row:
    number = whole(said, "chat")
    old = world.chats.group(number)
    if old is None or old["chat"]["type"] != "group":
        raise OrderError("only a group becomes a supergroup")
    fresh = world.chats.migrate(number)
    person: Row = next((u["user"] for u in world.chats.users()), {})
    before, after = Place(str(number), old["chat"]), Place(str(fresh["chat"]["id"]), fresh["chat"])
    hear(world, before, person, {"migrate_to_chat_id": fresh["chat"]["id"]})
    hear(world, after, person, {"migrate_from_chat_id": number})
    return fresh


def _standing(world: World, bot: Row, place: Place, by: Row, was: str, is_now: str) -> None:
    from_to = {"old_chat_member": _member(bot, was), "new_chat_member": _member(bot, is_now)}
    change = {"chat": place.chat, "from": by, "date": int(time.time())} | from_to
    world.updates.add(bot, "my_chat_member", change)


def _member(bot: Row, status: str) -> Row:
    user = {"id": bot["id"], "is_bot": True, "first_name": bot["name"], "username": bot["name"]}
    member: Row = {"user": user, "status": status}
    if status == "kicked":
        member["until_date"] = 0
    if status == "administrator":
        rights = (
            *("be_edited", "manage_chat", "delete_messages", "manage_video_chats"),
            *("restrict_members", "promote_members", "change_info", "invite_users"),
            *("post_stories", "edit_stories", "delete_stories", "pin_messages"),
            *("post_messages", "edit_messages", "send_welcome_messages"),
        )
        member |= {f"can_{right}": True for right in rights} | {"is_anonymous": False}
    return member


# --- how an order is read ------------------------------------------------------------------------


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


def _bot(world: World, said: Said) -> Row:
    number = whole(said, "bot")
    bot = world.bots.by_id(number) if number else next(iter(world.bots), None)
    if bot is None:
        raise OrderError("there is no such bot")
    return bot


def _where(world: World, said: Said) -> tuple[Row, Place]:
    """Who does it, and where: what one writes to a bot also opens the door to it."""
    number = whole(said, "user")
    row = world.chats.user(number)
    if row is None:
        raise OrderError(f"there is no user {number}")
    bot = _bot(world, said)
    place = room_of(world, whole(said, "chat") or number, bot["id"])
    if place is None:
        raise OrderError("there is no such chat")
    if place.chat["type"] == "private":
        world.chats.meet(bot["id"], number)
    if not listeners(world, place):
        raise OrderError("no bot is there to hear it")
    return row["user"], place


def _reply(world: World, place: Place, said: Said) -> Row:
    number = whole(said, "reply_to")
    row = world.messages.find(place.room, number) if number else None
    if row is None:
        return {}
    return {
        "reply_to_message": {k: v for k, v in row["message"].items() if k != "reply_to_message"}
    }


def _file(world: World, said: Said, words: dict[str, Any]) -> Row:
    kind = words.get("kind", "document")
    if kind not in FOLDERS:
        raise OrderError(f"kind must be one of {', '.join(FOLDERS)}")
    source, name, mime = _bytes(world, said, words)
    name = str(words.get("name") or name)
    file = world.files.keep(source, kind, name, str(words.get("mime") or mime))
    caption = str(words.get("caption") or "")
    entities = [e.row() for e in found(caption, [])]
    content = attachment(world.files, file, words)
    return _kept(content | {"caption": caption, "caption_entities": entities})


def _bytes(world: World, said: Said, words: dict[str, Any]) -> tuple[Path, str, str]:
    """Where the bytes stand now, ours to take: what `size` adds to them takes no place on the disk."""
    upload: Upload | None = said.uploads.get(str(words.get("field") or "file"))
    if upload is not None:
        source, name, mime = upload.path, upload.name, upload.type
    else:
        handle, copy = tempfile.mkstemp(dir=world.files.incoming)
        os.close(handle)
        source, name, mime = Path(copy), "", ""
        if path := words.get("path"):
            shutil.copyfile(str(path), copy)
            name = Path(str(path)).name
    if size := int(words.get("size") or 0):
        os.truncate(source, max(size, source.stat().st_size))
    return source, name, mime


def _kept(content: Row) -> Row:
    return {key: value for key, value in content.items() if value not in (None, [], "")}
