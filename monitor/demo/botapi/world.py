"""All that this Telegram knows, put together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from monitor.demo.botapi.files import Files, for_bot
from monitor.demo.botapi.messages import Messages
from monitor.demo.botapi.people import Bots, Chats, Place, as_user, private
from monitor.demo.botapi.presses import Presses
from monitor.demo.botapi.rows import Row, Rows
from monitor.demo.botapi.updates import Updates


@dataclass(frozen=True, slots=True)
class World:
    rows: Rows
    bots: Bots
    chats: Chats
    messages: Messages
    updates: Updates
    files: Files
    presses: Presses

    @property
    def local(self) -> bool:
        return self.files.local


def open_world(folder: Path, local: bool = False, keep: bool = True) -> World:
    """What stood in the folder before stands there again."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # tokens stand in it
    rows = Rows(folder / "world.jsonl" if keep else None)
    bots = Bots(rows)
    return World(
        rows,
        bots,
        Chats(rows, bots),
        Messages(rows),
        Updates(rows, bots),
        Files(rows, folder, local),
        Presses(rows),
    )


def say(world: World, bot: Row, place: Place, content: Row) -> Row:
    """A bot's own message, kept; no bot is told of it."""
    author: Row = {"from": as_user(bot)}
    if place.chat["type"] == "channel":
        author = {"sender_chat": place.chat}
    return world.messages.add(place, bot["id"], author | content, time.time())


def hear(world: World, place: Place, user: Row, content: Row) -> Row:
    """A person's message, kept, and told to the bots that are there."""
    author: Row = {"from": user}
    if place.chat["type"] == "channel":
        author = {"sender_chat": place.chat}
    row = world.messages.add(place, user["id"], author | content, time.time())
    tell(world, place, "message", row["message"])
    return row


def tell(world: World, place: Place, kind: str, message: Row) -> None:
    if place.chat["type"] == "channel":
        kind = kind.replace("message", "channel_post")
    for bot in listeners(world, place):
        world.updates.add(bot, kind, for_bot(message, bot["id"]))


def listeners(world: World, place: Place) -> list[Row]:
    """The bots that hear what is said there."""
    if place.chat["type"] == "private":
        bot = world.bots.by_id(int(place.room.partition("/")[0]))
        return [bot] if bot is not None else []
    group = world.chats.group(place.chat["id"])
    inside = {n for n, s in (group or {"bots": {}})["bots"].items() if s not in {"left", "kicked"}}
    return [bot for bot in world.bots if str(bot["id"]) in inside]


def room_of(world: World, chat: int, bot: int) -> Place | None:
    """The place that a person means by a chat's number, and for a private chat by the bot."""
    if (group := world.chats.group(chat)) is not None:
        return Place(str(chat), group["chat"])
    user = world.chats.user(chat)
    return private(bot, user["user"]) if user is not None else None
