"""aiogram and pyTelegramBotAPI against our Bot API server: multipart bodies, their own errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path

import pytest
import requests
from aiogram import Bot, Dispatcher, types
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from telebot import TeleBot, apihelper
from telebot.apihelper import ApiTelegramException
from telebot.types import InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto

from monitor.demo.botapi import BotApi, bot_api
from tests.monitor.botapi_oracle import opinion

CONTENT = bytes(range(256)) * 3000


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path, oracle=opinion) as api:
        yield api
        assert api.complaints() == []


def test_the_second_opinion_does_object() -> None:
    assert opinion("request", "sendMessage", {"chat_id": "1", "text": "x"}) is None
    assert "text" in str(opinion("request", "sendMessage", {"chat_id": "1"}))
    wrong = {"chat_id": "1", "text": "x", "entities": "[5]"}
    assert "entities" in str(opinion("request", "sendMessage", wrong))
    assert "is_bot" in str(opinion("answer", "getMe", {"id": 1, "first_name": "x"}))


# --- aiogram -------------------------------------------------------------------------------------


@asynccontextmanager
async def aiobot(api: BotApi, seconds: float = 20.0) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(api.url), timeout=seconds)
    bot = Bot(api.token, session=session)
    try:
        yield bot
    finally:
        await session.close()


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story()

    asyncio.run(whole())


def test_aiogram_polls_answers_and_hears_buttons(api: BotApi) -> None:
    ana, dispatcher = api.user("Ana", language_code="es"), Dispatcher()

    @dispatcher.message()
    async def greet(message: types.Message) -> None:
        button = types.InlineKeyboardButton(text="Ver", callback_data="v:1")
        keyboard = types.InlineKeyboardMarkup(inline_keyboard=[[button]])
        await message.reply(f"hola, {message.text}", reply_markup=keyboard)

    @dispatcher.callback_query()
    async def seen(query: types.CallbackQuery) -> None:
        assert isinstance(query.message, types.Message)
        await query.message.edit_text(f"visto {query.data}")
        await query.answer("ya", show_alert=True)

    async def story() -> None:
        async with aiobot(api) as bot:
            polling = asyncio.create_task(
                dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False)
            )
            asked = api.write(ana, "Vigía")
            shown = await asyncio.to_thread(api.wait_message, ana)
            assert shown.text == "hola, Vigía"
            assert shown.message["reply_to_message"]["message_id"] == asked.id
            api.press(ana, shown, "Ver")
            await asyncio.to_thread(api.wait_message, ana, lambda m: m.text == "visto v:1")
            await asyncio.to_thread(api.wait, lambda: api.presses()[0]["answer"])
            await dispatcher.stop_polling()
            with suppress(asyncio.CancelledError):
                await polling

    play(story)
    assert api.presses()[0]["answer"] == {"text": "ya", "show_alert": True, "url": ""}


def test_aiogram_sends_and_fetches_files_of_all_kinds(api: BotApi) -> None:
    ana = api.user("Ana")

    async def story() -> None:
        async with aiobot(api) as bot:
            file = types.BufferedInputFile(CONTENT, "x.mp4")
            sent = await bot.send_video(ana, file, caption="<i>c</i>", parse_mode="HTML")
            assert sent.video is not None
            assert sent.video.file_size == len(CONTENT)
            assert sent.caption_entities is not None
            await bot.edit_message_caption(chat_id=ana, message_id=sent.message_id, caption="d")
            await bot.send_photo(ana, file)
            await bot.send_animation(ana, file)
            await bot.send_voice(ana, file)
            media = [types.InputMediaVideo(media=file, caption=str(n)) for n in range(3)]
            assert len(await bot.send_media_group(ana, media)) == 3
            got = await bot.get_file(sent.video.file_id)
            assert got.file_path is not None
            fetched = await bot.download_file(got.file_path)
            assert fetched is not None
            assert fetched.read() == CONTENT
            await bot.copy_message(ana, ana, sent.message_id)
            forwarded = await bot.forward_message(ana, ana, sent.message_id)
            assert isinstance(forwarded.forward_origin, types.MessageOriginUser)
            assert await bot.pin_chat_message(ana, sent.message_id)
            assert await bot.delete_message(ana, sent.message_id)
            with pytest.raises(TelegramBadRequest, match="message to delete not found"):
                await bot.delete_message(ana, sent.message_id)

    play(story)


def test_aiogram_meets_groups_channels_and_commands(api: BotApi) -> None:
    ana = api.user("Ana")
    group = api.group("Guardia", "group")
    channel = api.group("Avisos", "channel", username="avisos_vigia")

    async def story() -> None:
        async with aiobot(api) as bot:
            post = await bot.send_message("@avisos_vigia", "hay trabajo")
            assert post.chat.id == channel
            assert post.sender_chat is not None
            assert await bot.pin_chat_message(channel, post.message_id)
            chat = await bot.get_chat(channel)
            assert chat.pinned_message is not None
            command = types.BotCommand(command="estado", description="cómo va")
            scope = types.BotCommandScopeChat(chat_id=ana)
            assert await bot.set_my_commands([command], scope=scope)
            (kept,) = await bot.get_my_commands(scope=scope)
            assert (kept.command, kept.description) == ("estado", "cómo va")
            assert await bot.get_my_commands() == []
            assert await bot.send_chat_action(group, "typing")
            fresh = api.migrate(group)
            with pytest.raises(TelegramMigrateToChat) as raised:
                await bot.send_message(group, "¿sigue aquí?")
            assert raised.value.migrate_to_chat_id == fresh
            await bot.send_message(fresh, "sí, aquí")
            api.write(ana, "hola a todos", chat=fresh)
            api.write(ana, "un anuncio", chat=channel)
            api.block(ana)
            api.move(channel, "kicked")
            updates = await bot.get_updates()
            kinds = [update.event_type for update in updates]
            assert kinds == [*["message"] * 3, "channel_post", *["my_chat_member"] * 2]
            with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
                await bot.send_message(ana, "¿?")
            with pytest.raises(TelegramForbiddenError, match="kicked from the channel chat"):
                await bot.send_message(channel, "¿?")

    play(story)


AIO_ERRORS = [
    ({"fault": "flood", "retry_after": 3}, TelegramRetryAfter),
    ({"fault": "blocked"}, TelegramForbiddenError),
    ({"fault": "not modified"}, TelegramBadRequest),
    ({"fault": "migrate", "to": -100}, TelegramMigrateToChat),
    ({"fault": "unauthorized"}, TelegramUnauthorizedError),
    ({"fault": "not found"}, TelegramNotFound),
    ({"fault": "conflict"}, TelegramConflictError),
    ({"fault": "server error"}, TelegramServerError),
    ({"fault": "page", "status": 502}, ClientDecodeError),
    ({"fault": "drop"}, TelegramNetworkError),
    ({"fault": "hang"}, TelegramNetworkError),
    ({"fault": "black hole"}, TelegramNetworkError),
]


@pytest.mark.parametrize(("order", "error"), AIO_ERRORS, ids=[e[0]["fault"] for e in AIO_ERRORS])
def test_aiogram_takes_a_fault_for_what_it_is(
    api: BotApi, order: dict[str, object], error: type[Exception]
) -> None:
    ana, silent = api.user("Ana"), order["fault"] in {"hang", "black hole"}

    async def story() -> None:
        async with aiobot(api, seconds=0.5 if silent else 20.0) as bot:
            api.fault(**order)
            with pytest.raises(error):
                await bot.send_message(ana, "hola")

    play(story)


# --- pyTelegramBotAPI ----------------------------------------------------------------------------


@pytest.fixture
def telebot(api: BotApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[TeleBot]:
    monkeypatch.setattr(apihelper, "API_URL", api.base_url + "{0}/{1}")
    monkeypatch.setattr(apihelper, "FILE_URL", api.base_file_url + "{0}/{1}")
    with requests.Session() as session:
        monkeypatch.setattr(apihelper.util.thread_local, "requests_session", session, raising=False)
        monkeypatch.setattr(apihelper, "READ_TIMEOUT", 20)
        yield TeleBot(api.token, threaded=False)


def test_telebot_sends_edits_and_polls(api: BotApi, telebot: TeleBot) -> None:
    ana = api.user("Ana")
    assert telebot.get_me().id == api.bot.id
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Sí", callback_data="y")]])
    sent = telebot.send_message(ana, "*uno* dos\\.", parse_mode="MarkdownV2", reply_markup=keyboard)
    assert (sent.text, sent.entities[0].type) == ("uno dos.", "bold")
    api.press(ana, api.wait_message(ana), "y")
    (update,) = telebot.get_updates(timeout=1, long_polling_timeout=1)
    assert telebot.answer_callback_query(update.callback_query.id)
    telebot.edit_message_text("tres", ana, sent.message_id)
    telebot.edit_message_reply_markup(ana, sent.message_id, reply_markup=keyboard)
    assert api.wait_message(ana).buttons == ["Sí"]
    assert telebot.delete_webhook()
    assert telebot.get_webhook_info().pending_update_count == 1


def test_telebot_sends_and_fetches_files(api: BotApi, telebot: TeleBot) -> None:
    ana = api.user("Ana")
    sent = telebot.send_video(ana, BytesIO(CONTENT), caption="c", duration=3)
    assert sent.video.file_size == len(CONTENT)
    telebot.send_document(ana, BytesIO(CONTENT), visible_file_name="acta ñ.pdf")
    photos = [InputMediaPhoto(BytesIO(CONTENT)) for _ in range(2)]
    assert len(telebot.send_media_group(ana, photos)) == 2
    file = telebot.get_file(sent.video.file_id)
    assert telebot.download_file(file.file_path) == CONTENT


def test_telebot_takes_a_fault_for_what_it_is(api: BotApi, telebot: TeleBot) -> None:
    ana = api.user("Ana")
    api.fault("flood", retry_after=9)
    with pytest.raises(ApiTelegramException) as raised:
        telebot.send_message(ana, "x")
    assert raised.value.error_code == 429
    assert raised.value.result_json["parameters"] == {"retry_after": 9}
    api.fault("page", status=502)
    with pytest.raises(apihelper.ApiHTTPException):
        telebot.send_message(ana, "x")
    api.fault("cut", bytes=5, framing="close")
    with pytest.raises(apihelper.ApiInvalidJSONException):
        telebot.send_message(ana, "x")
    api.fault("drop", times=9)
    with pytest.raises(requests.ConnectionError):
        telebot.send_message(ana, "x")
