"""What comes in from Telegram, as little of it as is needed; everything else is left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AT_ONCE = 50  # updates in one answer; when there are so many, there may be more
_TEXT, _NAME = 300, 40


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update: a text in a chat, a pressed button, or nothing that we know (no user)."""

    update: int
    user: int = 0
    name: str = ""
    chat: int = 0
    text: str = ""
    date: float = 0.0  # of the text, as Telegram says; a press has none
    query: str = ""  # of a press: what it is answered by
    data: str = ""

    @property
    def is_private(self) -> bool:
        return self.chat == self.user


def incoming(raw: Mapping[str, Any], me: str = "") -> Incoming:
    """Also of an update that nobody understands: its number must be known to go on behind it."""
    nothing = Incoming(int(raw["update_id"]))
    try:
        if "callback_query" in raw:
            return _press(nothing.update, raw["callback_query"])
        if "message" in raw:
            return _text(nothing.update, raw["message"], me)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return nothing


def _press(update: int, query: Mapping[str, Any]) -> Incoming:
    return Incoming(
        update,
        int(query["from"]["id"]),
        _name(query["from"]),
        int(query["message"]["chat"]["id"]),
        query=str(query["id"]),
        data=str(query.get("data") or "")[:64],
    )


def _text(update: int, message: Mapping[str, Any], me: str) -> Incoming:
    """Who speaks for a channel or a group is nobody whom we know."""
    return Incoming(
        update,
        0 if "sender_chat" in message else int(message["from"]["id"]),
        _name(message["from"]),
        int(message["chat"]["id"]),
        _to_me(str(message.get("text") or "")[:_TEXT], me),
        float(message["date"]),
    )


def _to_me(text: str, me: str) -> str:
    """`/status@me` is for me, `/status@other` for nobody here."""
    command, blank, rest = text.partition(" ")
    name, at, bot = command.partition("@")
    if not command.startswith("/") or not at:
        return text
    return f"{name}{blank}{rest}" if bot.lower() == me.lower() else ""


def _name(person: Mapping[str, Any]) -> str:
    return str(person.get("first_name") or person.get("username") or "")[:_NAME]
