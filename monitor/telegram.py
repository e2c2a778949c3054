"""The process that sends: a request per line on stdin, its classified result per line on stdout.

It remembers nothing; the monitor may end it at any moment and start another. The first line is
whom to be: `{"token": …, "base_url": …, "patience": seconds}`. What comes in from Telegram is asked
for like everything else, with the number behind the last update that the monitor has written down.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import select
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from telegram import (
    Bot,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from monitor.redact import redact
from monitor.tell.answers import Answer, Came
from monitor.tell.elsewhere import notified, posted
from monitor.tell.incoming import AT_ONCE, incoming

_NOT_SENT = ("ConnectTimeout", "ConnectError", "PoolTimeout", "ProxyError", "UnsupportedProtocol")
_CONNECT, _ANSWER = 5.0, 10.0

_SAYS = (
    ("chat not found", Came.CHAT_NOT_FOUND),
    ("peer_id_invalid", Came.CHAT_NOT_FOUND),
    ("message is not modified", Came.NOT_MODIFIED),
    ("message to edit not found", Came.EDIT_GONE),
    ("message can't be edited", Came.EDIT_GONE),
    ("message_id_invalid", Came.EDIT_GONE),
    ("can't parse entities", Came.CANT_PARSE),
    ("can't find end", Came.CANT_PARSE),
    ("unsupported start tag", Came.CANT_PARSE),
)


class Sender:
    """Does what one line asks for."""

    def __init__(self, who: Mapping[str, Any]) -> None:
        base = who.get("base_url") or "https://api.telegram.org"
        answer = float(who.get("patience") or _ANSWER)
        request = HTTPXRequest(
            connect_timeout=min(_CONNECT, answer),
            read_timeout=answer,
            write_timeout=answer,
            pool_timeout=_CONNECT,
            httpx_kwargs={"follow_redirects": False},
        )
        token = who.get("token") or ""
        hears = HTTPXRequest(connection_pool_size=1, httpx_kwargs={"follow_redirects": False})
        bot = Bot(
            token or "0:0", base_url=f"{base}/bot", request=request, get_updates_request=hears
        )
        self._bot = bot if token else None
        self._answer = answer
        self._requests = (request, hears)
        self._me = ""

    async def do(self, ask: Mapping[str, Any]) -> Answer:
        """Whatever goes wrong is an answer."""
        try:
            if ask["do"] == "webhook":
                return await posted(ask["url"], ask["json"])
            if ask["do"] == "apprise":
                return await notified(ask["url"], ask["title"], ask["text"])
            if self._bot is None:
                return Answer(Came.UNAUTHORIZED, why="there is no token")
            return await self._told(self._bot, ask)
        except Exception as error:  # noqa: BLE001 - one broken request must not end the others
            return Answer(Came.MAYBE, why=_words(error))

    async def _told(self, bot: Bot, ask: Mapping[str, Any]) -> Answer:
        try:
            for request in self._requests:
                await request.initialize()
            if ask["do"] == "updates":
                return await self._updates(bot, int(ask["offset"]), int(ask["wait"]))
            return Answer(Came.OK, message=await _call(bot, ask))
        except InvalidToken as error:  # also said of an unknown method, or by a server in between
            return await _of_token(bot, error)
        except TelegramError as error:
            return classified(error)

    async def _updates(self, bot: Bot, offset: int, wait: int) -> Answer:
        """As they are: one that this library cannot read must not stand in the way of the others."""
        self._me = self._me or str((await bot.get_me()).username)
        words = {
            "offset": offset,
            "limit": AT_ONCE,
            "timeout": wait,
            "allowed_updates": ["message", "callback_query"],
        }
        raw: Any = await bot.do_api_request(
            "get_updates",
            words,
            connect_timeout=_CONNECT,
            read_timeout=wait + self._answer,
            write_timeout=self._answer,
            pool_timeout=_CONNECT,
        )
        return Answer(Came.OK, updates=tuple(incoming(one, self._me) for one in raw))


async def _call(bot: Bot, ask: Mapping[str, Any]) -> int | None:
    match ask["do"]:
        case "probe":
            await bot.get_me()
            return None
        case "answer":
            await bot.answer_callback_query(str(ask["query"]), str(ask["text"])[:200])
            return None
        case "commands":
            commands = [(name, words) for name, words in ask["commands"]]
            await bot.set_my_commands(commands, BotCommandScopeChat(int(ask["chat"])))
            return None
    return await _written(bot, ask)


async def _written(bot: Bot, ask: Mapping[str, Any]) -> int:
    chat, text = int(ask["chat"]), str(ask["text"])
    markup = "HTML" if ask.get("html") else None
    preview = LinkPreviewOptions(is_disabled=True)
    keys = _keyboard(ask.get("keys"))
    if ask["do"] == "edit":
        number = int(ask["message"])
        await bot.edit_message_text(
            text,
            chat,
            number,
            parse_mode=markup,
            link_preview_options=preview,
            reply_markup=keys,
        )
        return number
    to = ask.get("reply_to")
    under = ReplyParameters(int(to), allow_sending_without_reply=True) if to else None
    sent = await bot.send_message(
        chat,
        text,
        parse_mode=markup,
        disable_notification=not ask.get("loud"),
        reply_parameters=under,
        link_preview_options=preview,
        reply_markup=keys,
    )
    return sent.message_id


def _keyboard(rows: Any) -> InlineKeyboardMarkup | None:
    """Without one, an edit takes away the buttons that are there."""
    if not rows:
        return None
    buttons = [[InlineKeyboardButton(text, callback_data=data) for text, data in r] for r in rows]
    return InlineKeyboardMarkup(buttons)


async def _of_token(bot: Bot, error: InvalidToken) -> Answer:
    """Only who is refused twice, and for who it is, is refused."""
    try:
        await bot.get_me()
    except InvalidToken:
        return Answer(Came.UNAUTHORIZED, why=_words(error))
    except TelegramError:
        pass
    return Answer(Came.NETWORK, why=_words(error))


def classified(error: TelegramError) -> Answer:
    """The narrow ones first: BadRequest and TimedOut are kinds of NetworkError here."""
    why = _words(error)
    match error:
        case RetryAfter():
            wait = error.retry_after
            seconds = wait.total_seconds() if hasattr(wait, "total_seconds") else float(wait)
            return Answer(Came.RETRY_AFTER, seconds=seconds, why=why)
        case ChatMigrated():
            return Answer(Came.MIGRATED, chat=error.new_chat_id, why=why)
        case Forbidden():
            return Answer(Came.FORBIDDEN, why=why)
        case BadRequest():
            said = str(error).lower()
            came = next((came for words, came in _SAYS if words in said), Came.BAD_REQUEST)
            return Answer(came, why=why)
        case Conflict():
            return Answer(Came.CONFLICT, why=why)
        case TimedOut() | NetworkError():
            return Answer(Came.MAYBE if _may_have_arrived(error) else Came.NETWORK, why=why)
    return Answer(Came.NETWORK if _is_no_answer_of_telegram(error) else Came.MAYBE, why=why)


def _may_have_arrived(error: TelegramError) -> bool:
    """An answer that says no is a no; without any, only who could not connect knows."""
    cause = error.__cause__
    return cause is not None and type(cause).__name__ not in (*_NOT_SENT, "TelegramError")


def _is_no_answer_of_telegram(error: TelegramError) -> bool:
    """A page in place of JSON is from somebody in between; half a JSON is half an answer."""
    document = getattr(error.__cause__, "doc", "")
    return isinstance(document, str) and document.lstrip()[:1] == "<"


def _words(error: Exception) -> str:
    return redact(f"{type(error).__name__}: {error}")[:300]


# --- the pipe ----------------------------------------------------------------------------------


async def serve() -> None:
    """Until the other end closes: then nobody waits for an answer."""
    reader = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    say = _voice()
    sender = Sender(json.loads(await reader.readline()))
    say({"ready": True})
    tasks: set[asyncio.Task[None]] = set()

    async def answer(ask: Mapping[str, Any]) -> None:
        result = await sender.do(ask)
        say({"id": ask["id"], **_shown(result)})

    while line := await reader.readline():
        task = asyncio.create_task(answer(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def _shown(answer: Answer) -> dict[str, Any]:
    return {
        "came": str(answer.came),
        "message": answer.message,
        "seconds": answer.seconds,
        "chat": answer.chat,
        "why": answer.why,
        "updates": [asdict(one) for one in answer.updates],
    }


def _voice() -> Any:
    """Writes lines where stdout was; whatever else is printed goes nowhere."""
    ours = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    def say(what: Mapping[str, Any]) -> None:
        rest = memoryview(json.dumps(what).encode() + b"\n")
        while rest:
            try:
                rest = rest[os.write(ours, rest) :]
            except BlockingIOError:  # stdin is the same socket, and asyncio made it so
                select.select([], [ours], [])

    return say


def main() -> None:
    logging.disable(logging.CRITICAL)  # httpx writes each address, token included
    with contextlib.suppress(OSError, ValueError, KeyboardInterrupt):  # whoever asked is gone
        asyncio.run(serve())
    os._exit(0)  # a thread that hangs in a name look-up would hold us back


if __name__ == "__main__":
    main()
