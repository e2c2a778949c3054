"""Bots, users and the chats between them; who may write where."""

from __future__ import annotations

import random
import re
import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from monitor.demo.botapi.refusal import RefusedError, bad, forbidden, migrated
from monitor.demo.botapi.rows import Row, Rows

_TOKEN = re.compile(r"[1-9][0-9]{0,15}:[A-Za-z0-9_-]{1,80}")
_LETTERS = string.ascii_letters + string.digits + "_-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where messages stand: a private chat is another one for each bot."""

    room: str
    chat: Row  # as it stands in messages


class Bots:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.table("bots")

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def add(self, username: str, token: str | None = None) -> Row:
        free = next(n for n in count(7_000_000_001) if self.by_id(n) is None)
        token = token or f"{free}:AA{''.join(secrets.choice(_LETTERS) for _ in range(33))}"
        if not _TOKEN.fullmatch(token):  # it also names a folder
            raise ValueError(f"a token is a number, a colon and letters, not {token!r}")
        if self._rows.get(token) is not None or self.by_id(int(token.partition(":")[0])):
            raise ValueError(f"there is already a bot {token.partition(':')[0]}")
        row = {
            "id": int(token.partition(":")[0]),
            "token": token,
            "name": username,
            "revoked": False,
            "webhook": {},
            "allowed": None,
            "next_update": random.randrange(100_000_000, 900_000_000),
            "commands": {},
        }
        return self._rows.put(token, row)

    def change(self, token: str, **what: Any) -> Row:
        return self._rows.put(token, (self._rows.get(token) or {}) | what)

    def by_token(self, token: str, revoked: bool = False) -> Row:
        """The bot that asks, or the answer to a token that is nobody's."""
        bot = self._rows.get(token)
        if bot is None or (bot["revoked"] and not revoked):
            number, colon, secret = token.partition(":")
            if number.isdecimal() and not number.startswith("0") and colon and secret:
                raise RefusedError(401, "Unauthorized")
            raise RefusedError(401, "Unauthorized: invalid token specified")
        return bot

    def by_id(self, number: int) -> Row | None:
        return next((bot for bot in self._rows if bot["id"] == number), None)


def as_user(bot: Row) -> Row:
    return {"id": bot["id"], "is_bot": True, "first_name": bot["name"], "username": bot["name"]}


class Chats:
    def __init__(self, rows: Rows, bots: Bots) -> None:
        self._users = rows.table("users")
        self._groups = rows.table("groups")
        self._doors = rows.table("doors")
        self._bots = bots

    # --- users -----------------------------------------------------------------------------------

    def add_user(self, name: str, met: bool, **more: str | int) -> Row:
        free = next(n for n in count(500_000_001 + len(self._users)) if self.user(n) is None)
        number = int(more.pop("id", 0)) or free
        user = {"id": number, "is_bot": False, "first_name": name, **more}
        return self._users.put(number, {"user": user, "met": met, "gone": False})

    def user(self, number: int) -> Row | None:
        return self._users.get(number)

    def users(self) -> list[Row]:
        return list(self._users)

    def meet(self, bot: int, user: int) -> None:
        if self._doors.get(f"{bot}:{user}") is None:
            self._doors.put(f"{bot}:{user}", {"open": True})

    def block(self, bot: int, user: int, blocked: bool) -> None:
        self._doors.put(f"{bot}:{user}", {"open": not blocked})

    def deactivate(self, user: int, gone: bool) -> None:
        row = self._users.get(user)
        if row is not None:
            self._users.put(user, row | {"gone": gone})

    # --- groups and channels ---------------------------------------------------------------------

    def add_group(self, kind: str, title: str, bots: dict[str, str], **more: str | int) -> Row:
        base = -4_000_000_000 if kind == "group" else -1_002_000_000_000
        free = next(n for n in count(base - 1 - len(self._groups), -1) if self.group(n) is None)
        number = int(more.pop("id", 0)) or free
        chat: Row = {"id": number, "type": kind, "title": title, **more}
        return self._groups.put(number, {"chat": chat, "bots": bots, "to": 0, "pinned": 0})

    def group(self, number: int) -> Row | None:
        return self._groups.get(number)

    def groups(self) -> list[Row]:
        return list(self._groups)

    def save(self, group: Row) -> None:
        self._groups.put(group["chat"]["id"], group)

    def migrate(self, number: int) -> Row:
        """The group is a supergroup from now on, under another number."""
        old = self._groups.get(number)
        if old is None or old["chat"]["type"] != "group":
            raise bad("chat not found")
        fresh = self.add_group("supergroup", old["chat"]["title"], dict(old["bots"]))
        self.save(old | {"to": fresh["chat"]["id"]})
        return fresh

    # --- who may write where ---------------------------------------------------------------------

    def place(self, bot: Row, word: str, write: bool = True) -> Place:
        """The chat that a bot means by `chat_id`, or why it may not be there."""
        if not word:
            raise bad("chat_id is empty")
        if word.startswith("@"):
            named = [g for g in self._groups if g["chat"].get("username") == word[1:]]
            if not named:
                raise bad("chat not found")
            return self._in_group(bot, named[0], write)
        number = _number(word)
        if number < 0 and (group := self._groups.get(number)) is not None:
            return self._in_group(bot, group, write)
        user = self._users.get(number)
        if user is not None:
            return self._in_private(bot, user, write)
        if number > 0 and self._bots.by_id(number) is not None:
            raise forbidden("bots can't send messages to bots")
        raise bad("chat not found")

    def _in_private(self, bot: Row, row: Row, write: bool) -> Place:
        user = row["user"]
        door = self._doors.get(f"{bot['id']}:{user['id']}")
        if door is None and not row["met"]:
            raise bad("chat not found")
        if write and row["gone"]:
            raise forbidden("user is deactivated")
        if write and door is not None and not door["open"]:
            raise forbidden("bot was blocked by the user")
        return private(bot["id"], user)

    def _in_group(self, bot: Row, group: Row, write: bool) -> Place:
        chat = group["chat"]
        status = group["bots"].get(str(bot["id"]), "left")
        if group["to"] and write:
            raise migrated(group["to"])
        if status == "kicked":
            raise forbidden(f"bot was kicked from the {chat['type']} chat")
        if status == "left":
            raise forbidden(f"bot is not a member of the {chat['type']} chat")
        if write and chat["type"] == "channel" and status != "administrator":
            raise bad("need administrator rights in the channel chat")
        return Place(str(chat["id"]), chat)


def private(bot: int, user: Row) -> Place:
    names: Row = {k: user[k] for k in ("first_name", "last_name", "username") if k in user}
    return Place(f"{bot}/{user['id']}", {"id": user["id"], "type": "private", **names})


def _number(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        return 0
