"""A chat or channel as a place for posts."""

from __future__ import annotations

from typing import Any

from pipeline.bot_api import BotApi, LostReplyError
from pipeline.bot_api import RefusedError as SaidNoError
from pipeline.model import Kind
from pipeline.targets.port import Parcel, RefusedError, UnknownError

_METHODS = {
    Kind.VIDEO: ("sendVideo", "video"),
    Kind.PHOTO: ("sendPhoto", "photo"),
    Kind.AUDIO: ("sendAudio", "audio"),
    Kind.DOCUMENT: ("sendDocument", "document"),
}
LONGEST = 1024  # of a caption


class Telegram:
    """Streams the file from the disk; what it answers is kept as the receipt."""

    def __init__(self, api: BotApi) -> None:
        self._api = api

    def send(self, parcel: Parcel) -> str:
        method, field = _METHODS[parcel.kind]
        given: dict[str, Any] = {"chat_id": parcel.where, "caption": parcel.caption[:LONGEST]}
        if parcel.kind is Kind.VIDEO:
            given["supports_streaming"] = True
        try:
            with parcel.path.open("rb") as file:
                message = self._api.call(method, {field: (parcel.path.name, file)}, **given)
        except LostReplyError as error:
            raise UnknownError(str(error)) from None
        except SaidNoError as error:
            raise RefusedError(error.words) from None
        return str(message["message_id"])

    def find(self, parcel: Parcel) -> str | None:
        """A bot cannot read what it has posted."""
        raise UnknownError(f"whether post {parcel.number} is in {parcel.where} cannot be asked")
