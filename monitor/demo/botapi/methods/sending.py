"""Messages that a bot writes, forwards or copies."""

from __future__ import annotations

from typing import Any

from monitor.demo.botapi import keyboards, limits
from monitor.demo.botapi.call import Call
from monitor.demo.botapi.people import Place
from monitor.demo.botapi.refusal import bad
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import say

_ACTIONS = frozenset(
    {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"}
    | {"upload_document", "choose_sticker", "find_location", "record_video_note"}
    | {"upload_video_note", "record_audio", "upload_audio"}
)
_OF_THE_PLACE = frozenset(
    {"message_id", "date", "chat", "from", "sender_chat", "edit_date", "reply_to_message"}
    | {"reply_markup", "media_group_id", "forward_origin", "pinned_message"}
)


def send_message(call: Call) -> Row:
    text, entities = limits.formatted(
        call.word("text"),
        call.word("parse_mode"),
        call.word("entities"),
        limits.TEXT,
        "message",
    )
    if not text:
        raise bad("message text is empty")
    return deliver(call, {"text": text, "entities": entities})


def deliver(call: Call, content: Row) -> Row:
    """Says it where `chat_id` points, with the keyboard and as the reply that the request asks for."""
    keyboard = keyboards.markup(call.word("reply_markup"))
    place = call.place()
    content = content | reply(call, place)
    if keyboard and "inline_keyboard" in keyboard:
        content["reply_markup"] = keyboard
    if call.flag("protect_content"):
        content["has_protected_content"] = True
    kept = {key: value for key, value in content.items() if value not in (None, [], "")}
    message: Row = say(call.world, call.bot, place, kept)["message"]
    return message


def reply(call: Call, place: Place) -> Row:
    """The message that is replied to, without what it replies to itself."""
    number, lenient = call.number("reply_to_message_id"), call.flag("allow_sending_without_reply")
    if call.word("reply_parameters"):
        asked = call.json("reply_parameters", "reply parameters")
        if not isinstance(asked, dict):
            raise bad("object expected as reply parameters")
        number = as_number(asked.get("message_id", 0))
        lenient = bool(asked.get("allow_sending_without_reply"))
    if not number:
        return {}
    row = call.world.messages.find(place.room, number)
    if row is None:
        if lenient:
            return {}
        raise bad("message to be replied not found")
    shown = {k: v for k, v in row["message"].items() if k != "reply_to_message"}
    return {"reply_to_message": shown}


def as_number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def send_chat_action(call: Call) -> bool:
    if call.word("action").lower() not in _ACTIONS:
        raise bad("wrong parameter action in request")
    call.place()
    return True


def forward_message(call: Call) -> Row:
    row = source(call, "message to forward")
    old = row["message"]
    if "sender_chat" in old:
        origin: Row = {"type": "channel", "chat": old["chat"], "message_id": old["message_id"]}
    else:
        origin = {"type": "user", "sender_user": old["from"]}
    origin = old.get("forward_origin") or origin | {"date": old["date"]}
    return deliver(call, _content(old) | {"forward_origin": origin})


def copy_message(call: Call) -> Row:
    content = _content(source(call, "message to copy")["message"])
    if "caption" in call.said.words and "text" not in content:
        caption, entities = limits.formatted(
            call.word("caption"),
            call.word("parse_mode"),
            call.word("caption_entities"),
            limits.CAPTION,
            "message caption",
        )
        content |= {"caption": caption, "caption_entities": entities}
    return {"message_id": deliver(call, content)["message_id"]}


def source(call: Call, what: str) -> Row:
    """The message that is meant by `from_chat_id` and `message_id`."""
    place = call.place(write=False, name="from_chat_id")
    number = call.number("message_id")
    if not number:
        raise bad("message identifier is not specified")
    row = call.world.messages.find(place.room, number)
    if row is None:
        raise bad(f"{what} not found")
    return row


def _content(message: Row) -> Row:
    return {key: value for key, value in message.items() if key not in _OF_THE_PLACE}
