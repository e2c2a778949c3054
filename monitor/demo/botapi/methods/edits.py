"""What a bot changes of what stands in a chat already."""

from __future__ import annotations

import time

from monitor.demo.botapi import keyboards, limits
from monitor.demo.botapi.call import Call
from monitor.demo.botapi.methods.sending import as_number
from monitor.demo.botapi.people import Place
from monitor.demo.botapi.refusal import NOT_MODIFIED, bad
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import say

_MEDIA = ("photo", "video", "document", "audio", "voice", "animation")


def edit_message_text(call: Call) -> Row:
    text, entities = limits.formatted(
        call.word("text"), call.word("parse_mode"), call.word("entities"), limits.TEXT, "message"
    )
    if not text:
        raise bad("message text is empty")
    row = _own(call)
    if "text" not in row["message"]:
        raise bad("there is no text in the message to edit")
    return _change(call, row, {"text": text, "entities": entities})


def edit_message_caption(call: Call) -> Row:
    caption, entities = limits.formatted(
        call.word("caption"),
        call.word("parse_mode"),
        call.word("caption_entities"),
        limits.CAPTION,
        "message caption",
    )
    row = _own(call)
    if not any(kind in row["message"] for kind in _MEDIA):
        raise bad("there is no caption in the message to edit")
    return _change(call, row, {"caption": caption, "caption_entities": entities})


def edit_message_reply_markup(call: Call) -> Row:
    return _change(call, _own(call), {})


def _own(call: Call) -> Row:
    """The bot's own message that the request means."""
    if call.word("inline_message_id"):
        raise bad("MESSAGE_ID_INVALID")
    place = call.place()
    row = _found(call, place, "message to edit")
    if row["by"] != call.bot["id"]:
        raise bad("message can't be edited")
    return row


def _found(call: Call, place: Place, what: str) -> Row:
    number = call.number("message_id")
    if not number:
        raise bad("message identifier is not specified")
    row = call.world.messages.find(place.room, number)
    if row is None:
        raise bad(f"{what} not found")
    return row


def _change(call: Call, row: Row, content: Row) -> Row:
    """An edit without a keyboard takes the keyboard away."""
    keyboard = keyboards.markup(call.word("reply_markup")) or {}
    if keyboard and "inline_keyboard" not in keyboard:
        raise bad("inline keyboard expected")
    wanted = content | {"reply_markup": keyboard or None}
    old = row["message"]
    if all((old.get(key) or None) == (value or None) for key, value in wanted.items()):
        raise bad(NOT_MODIFIED)
    message: Row = call.world.messages.change(row, wanted, time.time())["message"]
    return message


def delete_message(call: Call) -> bool:
    place = call.place()
    row = _found(call, place, "message to delete")
    if row["by"] != call.bot["id"] and not _may_delete(call, place):
        raise bad("message can't be deleted")
    call.world.messages.delete(row, time.time())
    return True


def _may_delete(call: Call, place: Place) -> bool:
    group = call.world.chats.group(place.chat["id"])
    return group is None or group["bots"].get(str(call.bot["id"])) == "administrator"


def delete_messages(call: Call) -> bool:
    numbers = call.json("message_ids", "message_ids")
    if not isinstance(numbers, list) or not numbers:
        raise bad("message identifiers are not specified")
    place = call.place()
    for number in numbers:
        row = call.world.messages.find(place.room, as_number(number))
        if row is not None and (row["by"] == call.bot["id"] or _may_delete(call, place)):
            call.world.messages.delete(row, time.time())
    return True


def pin_chat_message(call: Call) -> bool:
    place = call.place()
    row = _found(call, place, "message to pin")
    group = call.world.chats.group(place.chat["id"])
    if group is not None:
        if not _may_delete(call, place):
            raise bad("not enough rights to manage pinned messages in the chat")
        call.world.chats.save(group | {"pinned": row["message"]["message_id"]})
    if place.chat["type"] != "channel":
        pinned = {k: v for k, v in row["message"].items() if k != "reply_to_message"}
        say(call.world, call.bot, place, {"pinned_message": pinned})
    return True


def unpin_chat_message(call: Call) -> bool:
    return unpin_all_chat_messages(call)


def unpin_all_chat_messages(call: Call) -> bool:
    group = call.world.chats.group(call.place().chat["id"])
    if group is not None:
        call.world.chats.save(group | {"pinned": 0})
    return True
