"""Who the bot is, what it offers, and what it may know of a chat."""

from __future__ import annotations

import json
import re
from typing import Any

from monitor.demo.botapi.call import Call
from monitor.demo.botapi.people import as_user
from monitor.demo.botapi.refusal import bad
from monitor.demo.botapi.rows import Row

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
MOST_COMMANDS = 100


def get_me(call: Call) -> Row:
    return as_user(call.bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def log_out(call: Call) -> bool:  # noqa: ARG001 -- the cloud forgets the bot; ours has none to forget
    return True


def close(call: Call) -> bool:
    call.world.updates.interrupt(call.bot["id"], "terminated by close")
    return True


def set_my_commands(call: Call) -> bool:
    commands = call.json("commands", "commands") if call.word("commands") else []
    if not isinstance(commands, list):
        raise bad("expected an Array of BotCommand")
    if len(commands) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    kept = dict(call.bot["commands"]) | {_scope(call): [_command(c) for c in commands]}
    call.world.bots.change(call.bot["token"], commands=kept)
    return True


def get_my_commands(call: Call) -> list[Row]:
    commands: list[Row] = call.bot["commands"].get(_scope(call), [])
    return commands


def delete_my_commands(call: Call) -> bool:
    kept = {k: v for k, v in call.bot["commands"].items() if k != _scope(call)}
    call.world.bots.change(call.bot["token"], commands=kept)
    return True


def _command(value: Any) -> Row:
    if not isinstance(value, dict):
        raise bad("can't parse BotCommand: expected an Object")
    for name in ("command", "description"):
        if name not in value:
            raise bad(f"can't parse BotCommand: Can't find field \"{name}\"")
        if not isinstance(value[name], str):
            raise bad(f'can\'t parse BotCommand: Field "{name}" must be of type String')
    command, description = value["command"].removeprefix("/").lower(), value["description"]
    if not _COMMAND.fullmatch(command):
        raise bad("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= 256:
        raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": command, "description": description}


def _scope(call: Call) -> str:
    """Where and in which language a list of commands is shown, as one key."""
    scope = {"type": "default"}
    if call.word("scope"):
        scope = call.json("scope", "BotCommandScope")
    if not isinstance(scope, dict):
        raise bad("can't parse BotCommandScope: BotCommandScope must be an Object")
    needs = _SCOPES.get(scope.get("type", ""))
    if needs is None:
        raise bad("can't parse BotCommandScope: Unsupported type specified")
    if "chat_id" in needs:
        if not scope.get("chat_id"):
            raise bad("can't parse BotCommandScope: Empty chat_id specified")
        call.world.chats.place(call.bot, str(scope["chat_id"]), write=False)
    picked = {name: str(scope.get(name, "")) for name in ("type", *needs)}
    return json.dumps([picked, call.word("language_code")], sort_keys=True)


def get_chat(call: Call) -> Row:
    place = call.place(write=False)
    chat = place.chat | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": False,
            "limited_gifts": False,
            "unique_gifts": False,
            "premium_subscription": False,
            "gifts_from_channels": False,
        },
    }
    group = call.world.chats.group(chat["id"])
    if group is not None and group["pinned"]:
        pinned = call.world.messages.find(place.room, group["pinned"])
        chat |= {"pinned_message": pinned["message"]} if pinned else {}
    return chat
