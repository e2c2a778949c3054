"""What a keyboard may be, in the server's words when it may not."""

from __future__ import annotations

import json
from typing import Any

from monitor.demo.botapi.refusal import bad
from monitor.demo.botapi.rows import Row

BUTTONS = 100
ROW = 8
DATA = 64  # bytes

_ACTIONS = ("url", "callback_data", "web_app", "login_url", "callback_game", "pay", "copy_text")
_INLINE = (
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
)


def markup(word: str) -> Row | None:
    """A `reply_markup` as it will be shown, None when there is none."""
    if not word:
        return None
    try:
        value = json.loads(word)
    except (ValueError, RecursionError):
        raise bad("can't parse reply keyboard markup JSON object") from None
    if not isinstance(value, dict):
        raise bad("object expected as reply markup")
    if "keyboard" in value:
        _keyboard(value["keyboard"])
    if "inline_keyboard" not in value:
        return value
    return _inline(value["inline_keyboard"])


def _inline(rows: Any) -> Row:
    if not isinstance(rows, list):
        raise bad('field "inline_keyboard" must be of type Array')
    if not all(isinstance(row, list) for row in rows):
        raise bad('Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    if sum(map(len, rows)) > BUTTONS or any(len(row) > ROW for row in rows):
        raise bad("reply markup is too long")
    for row in rows:
        for button in row:
            _button(button)
    kept = [row for row in rows if row]
    return {"inline_keyboard": kept} if kept else {}


def _keyboard(rows: Any) -> None:
    if not isinstance(rows, list):
        raise bad('field "keyboard" must be of type Array')
    for row in rows:
        if not isinstance(row, list):
            raise bad('field "keyboard" must be an Array of Arrays')
        for button in row:
            if not isinstance(button, (str, dict)):
                raise bad(
                    "can't parse keyboard button: KeyboardButton must be a String or an Object"
                )
            if isinstance(button, dict) and not isinstance(button.get("text"), str):
                raise bad("can't parse keyboard button: Can't find field \"text\"")


def _button(button: Any) -> None:
    start = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad(start + "InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise bad(start + 'Can\'t find field "text"')
    for name in ("text", "url", "callback_data"):
        if name in button and not isinstance(button[name], str):
            raise bad(start + f'Field "{name}" must be of type String')
    if not button["text"].strip():
        raise bad("BUTTON_TEXT_INVALID")
    if not any(button.get(name) for name in _ACTIONS) and not any(n in button for n in _INLINE):
        raise bad(start + "Text buttons are unallowed in the inline keyboard")
    if len(button.get("callback_data", "").encode()) > DATA:
        raise bad("BUTTON_DATA_INVALID")
    if url := button.get("url"):
        scheme = url.partition(":")[0].lower()
        if any(c.isspace() for c in url) or ("." not in url and scheme != "tg"):
            raise bad(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
