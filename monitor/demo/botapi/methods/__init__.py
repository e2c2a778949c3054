"""All methods that this Telegram knows, by their lower-case names: the server minds no capitals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from monitor.demo.botapi.call import Call
from monitor.demo.botapi.methods import edits, identity, media, polling, sending

Method = Callable[[Call], Any | Awaitable[Any]]

METHODS: dict[str, Method] = {
    name.lower(): method
    for name, method in {
        "getMe": identity.get_me,
        "logOut": identity.log_out,
        "close": identity.close,
        "setMyCommands": identity.set_my_commands,
        "getMyCommands": identity.get_my_commands,
        "deleteMyCommands": identity.delete_my_commands,
        "getChat": identity.get_chat,
        "getUpdates": polling.get_updates,
        "setWebhook": polling.set_webhook,
        "deleteWebhook": polling.delete_webhook,
        "getWebhookInfo": polling.get_webhook_info,
        "answerCallbackQuery": polling.answer_callback_query,
        "sendMessage": sending.send_message,
        "sendChatAction": sending.send_chat_action,
        "forwardMessage": sending.forward_message,
        "copyMessage": sending.copy_message,
        "sendPhoto": media.send_photo,
        "sendVideo": media.send_video,
        "sendDocument": media.send_document,
        "sendAudio": media.send_audio,
        "sendVoice": media.send_voice,
        "sendAnimation": media.send_animation,
        "sendMediaGroup": media.send_media_group,
        "getFile": media.get_file,
        "editMessageText": edits.edit_message_text,
        "editMessageCaption": edits.edit_message_caption,
        "editMessageReplyMarkup": edits.edit_message_reply_markup,
        "deleteMessage": edits.delete_message,
        "deleteMessages": edits.delete_messages,
        "pinChatMessage": edits.pin_chat_message,
        "unpinChatMessage": edits.unpin_chat_message,
        "unpinAllChatMessages": edits.unpin_all_chat_messages,
    }.items()
}
