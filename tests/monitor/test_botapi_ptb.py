"""python-telegram-bot against our Bot API server; aiogram's models look at all that is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
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

from monitor.demo.botapi import BotApi, bot_api
from tests.monitor.botapi_oracle import opinion


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BotApi]:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    with bot_api(tmp_path, oracle=opinion) as api:
        yield api
        assert api.complaints() == []


@asynccontextmanager
async def bot_of(api: BotApi, seconds: float = 20.0) -> AsyncIterator[Bot]:
    bot = Bot(
        api.token,
        base_url=api.base_url,
        base_file_url=api.base_file_url,
        request=HTTPXRequest(read_timeout=seconds),
    )
    async with bot:
        yield bot


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story()

    asyncio.run(whole())


KEYBOARD = InlineKeyboardMarkup(
    [[InlineKeyboardButton("Sí", callback_data="y"), InlineKeyboardButton("No", callback_data="n")]]
)


def test_a_message_is_sent_edited_and_its_button_pressed(api: BotApi) -> None:
    ana = api.user("Ana")

    async def story() -> None:
        async with bot_of(api) as bot:
            sent = await bot.send_message(
                ana, "<b>Incidencia</b> &lt;3", parse_mode="HTML", reply_markup=KEYBOARD
            )
            assert sent.text == "Incidencia <3"
            assert sent.parse_entities() == {sent.entities[0]: "Incidencia"}
            shown = api.wait_message(ana)
            assert shown.buttons == ["Sí", "No"]
            press = api.press(ana, shown, "Sí")
            (update,) = await bot.get_updates(timeout=5)
            assert update.callback_query is not None
            assert update.callback_query.data == "y"
            assert update.callback_query.from_user.id == ana
            assert await update.callback_query.answer("hecho")
            await update.callback_query.edit_message_text("Resuelta")
            with pytest.raises(BadRequest, match="not modified"):
                await sent.edit_text("Resuelta")
            with pytest.raises(BadRequest, match="too old"):
                await bot.answer_callback_query(press)

    play(story)
    (shown,) = api.messages(ana)
    assert (shown.text, shown.buttons) == ("Resuelta", [])
    assert [state["text"] for state in shown.history] == ["Incidencia <3"]
    assert api.presses()[0]["answer"]["text"] == "hecho"


def test_updates_come_in_order_and_stay_until_the_offset_confirms_them(api: BotApi) -> None:
    ana = api.user("Ana")
    for number in range(5):
        api.write(ana, str(number))

    async def story() -> None:
        async with bot_of(api) as bot:
            first = await bot.get_updates(limit=3)
            again = await bot.get_updates(limit=3)
            assert [u.update_id for u in first] == [u.update_id for u in again]
            assert [u.message.text for u in first if u.message] == ["0", "1", "2"]
            rest = await bot.get_updates(offset=first[-1].update_id + 1)
            assert [u.message.text for u in rest if u.message] == ["3", "4"]
            assert len(api.pending()) == 2
            (last,) = await bot.get_updates(offset=-1)
            assert last.message is not None
            assert last.message.text == "4"
            assert await bot.get_updates(offset=last.update_id + 1, timeout=0) == ()

    play(story)
    assert api.pending() == []


def test_a_long_poll_ends_when_something_comes(api: BotApi) -> None:
    ana = api.user("Ana")

    async def story() -> None:
        async with bot_of(api) as bot:
            poll = asyncio.create_task(bot.get_updates(timeout=30))
            await asyncio.to_thread(api.wait_polled)
            api.write(ana, "ahora")
            (update,) = await asyncio.wait_for(poll, 5)
            assert update.message is not None
            assert update.message.text == "ahora"

    play(story)


def test_a_second_poller_ends_the_first(api: BotApi) -> None:
    async def story() -> None:
        async with bot_of(api) as one, bot_of(api) as two:
            first = asyncio.create_task(one.get_updates(timeout=30))
            await asyncio.to_thread(api.wait_polled)
            second = asyncio.create_task(two.get_updates(timeout=30))
            with pytest.raises(Conflict):
                await asyncio.wait_for(first, 5)
            api.write(api.user("Ana"), "para el segundo")
            assert len(await asyncio.wait_for(second, 5)) == 1

    play(story)


def test_files_go_both_ways(api: BotApi, tmp_path: Path) -> None:
    ana, content = api.user("Ana"), bytes(range(256)) * 4000

    async def story() -> None:
        async with bot_of(api) as bot:
            video = await bot.send_video(ana, content, caption="c", duration=9, filename="x.mp4")
            assert video.video is not None
            assert (video.video.file_size, video.video.file_name) == (len(content), "x.mp4")
            await bot.send_video(ana, video.video.file_id)
            await bot.send_document(ana, content, filename="Año nuevo ñ.pdf")
            await bot.send_audio(ana, content)
            await bot.send_voice(ana, content)
            album = await bot.send_media_group(ana, [InputMediaPhoto(content)] * 2)
            assert len({m.media_group_id for m in album}) == 1
            api.send(ana, "document", data=content, name="acta.pdf")
            (update,) = await bot.get_updates()
            assert update.message is not None
            assert update.message.document is not None
            file = await bot.get_file(update.message.document.file_id)
            assert bytes(await file.download_as_bytearray()) == content

    play(story)
    assert api.messages(ana)[2].message["document"]["file_name"] == "Año nuevo ñ.pdf"


ERRORS = [
    ({"fault": "flood", "retry_after": 7}, RetryAfter, "0:00:07"),
    ({"fault": "blocked"}, Forbidden, "blocked by the user"),
    ({"fault": "deactivated"}, Forbidden, "user is deactivated"),
    ({"fault": "kicked"}, Forbidden, "kicked from the supergroup"),
    ({"fault": "chat not found"}, BadRequest, "Chat not found"),
    ({"fault": "cannot parse"}, BadRequest, "Can't parse entities"),
    ({"fault": "migrate", "to": -1001}, ChatMigrated, "-1001"),
    ({"fault": "unauthorized"}, InvalidToken, "."),
    ({"fault": "not found"}, InvalidToken, "."),
    ({"fault": "conflict"}, Conflict, "terminated by other"),
    ({"fault": "server error"}, NetworkError, "Internal Server Error"),
    ({"fault": "page", "status": 502}, NetworkError, "Bad Gateway"),
    ({"fault": "drop"}, NetworkError, "."),
    ({"fault": "drop", "reset": False}, NetworkError, "."),
    ({"fault": "drop", "when": "head"}, NetworkError, "."),
    ({"fault": "hang"}, TimedOut, "."),
    ({"fault": "cut", "bytes": 5}, NetworkError, "."),
    ({"fault": "cut", "bytes": 5, "framing": "close"}, TelegramError, "Invalid server"),
]


@pytest.mark.parametrize(("order", "error", "text"), ERRORS, ids=[str(e[0]) for e in ERRORS])
def test_a_fault_is_what_the_client_takes_it_for(
    api: BotApi, order: dict[str, object], error: type[Exception], text: str
) -> None:
    ana = api.user("Ana")

    async def story() -> None:
        async with bot_of(api) as bot:
            api.fault(**order, method="sendMessage")
            with pytest.raises(error, match=text):
                await bot.send_message(ana, "uno", read_timeout=0.3 if error is TimedOut else 20)
            await bot.send_message(ana, "dos")

    play(story)
    assert api.faults()[0]["seen"] == 1
    told = [m.text for m in api.messages(ana)]
    assert told == (["uno", "dos"] if order["fault"] == "cut" else ["dos"])


def test_a_reply_that_is_lost_after_the_delivery_leaves_the_message(api: BotApi) -> None:
    ana = api.user("Ana")

    async def story() -> None:
        async with bot_of(api) as bot:
            api.fault("drop", method="sendMessage", when="after")
            with pytest.raises(NetworkError):
                await bot.send_message(ana, "llegó")

    play(story)
    assert [m.text for m in api.messages(ana)] == ["llegó"]
    assert api.requests("sendMessage")[0]["fault"] == "drop"


def test_a_revoked_token_is_refused_until_it_is_good_again(api: BotApi) -> None:
    async def story() -> None:
        async with bot_of(api) as bot:
            poll = asyncio.create_task(bot.get_updates(timeout=30))
            await asyncio.to_thread(api.wait_polled)
            api.revoke()
            with pytest.raises(InvalidToken):
                await asyncio.wait_for(poll, 5)
            with pytest.raises(InvalidToken):
                await bot.get_me()
            api.revoke(revoked=False)
            assert (await bot.get_me()).id == api.bot.id

    play(story)


def test_a_cut_download_is_an_error_only_where_its_length_was_promised(api: BotApi) -> None:
    api.send(api.user("Ana"), "document", data=b"y" * 100_000, name="a.bin")

    async def story() -> None:
        async with bot_of(api) as bot:
            (update,) = await bot.get_updates()
            assert update.message is not None
            assert update.message.document is not None
            file = await bot.get_file(update.message.document.file_id)
            api.fault("cut", method="download", bytes=5000)
            with pytest.raises(NetworkError):
                await file.download_as_bytearray()
            api.fault("cut", method="download", bytes=5000, framing="close")
            assert len(await file.download_as_bytearray()) == 5000
            api.fault("not found", method="download")
            with pytest.raises(InvalidToken):  # the client's own mistake: it reads 404 so
                await file.download_as_bytearray()
            assert len(await file.download_as_bytearray()) == 100_000

    play(story)


def test_only_the_offset_confirms_updates_also_when_the_reply_is_lost(api: BotApi) -> None:
    ana = api.user("Ana")
    for number in range(3):
        api.write(ana, str(number))

    async def story() -> None:
        async with bot_of(api) as bot:
            api.fault("drop", method="getUpdates", when="after")
            with pytest.raises(NetworkError):
                await bot.get_updates(timeout=5)
            seen = await bot.get_updates(timeout=5)
            assert [u.message.text for u in seen if u.message] == ["0", "1", "2"]
            api.fault("drop", method="getUpdates", when="after")
            with pytest.raises(NetworkError):
                await bot.get_updates(offset=seen[1].update_id + 1, timeout=5)

    play(story)
    assert [u["message"]["text"] for u in api.pending()] == ["2"]
