"""What one update says, as far as we treat it: who, where, a text, a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.model import Kind, Source

LONGEST = 4096  # of a text, as Telegram counts
# Kept as what it is, with what can be said of it in a text.
_OTHERS = ("location", "venue", "contact", "sticker", "poll", "dice", "story")

# A message carries at most one of these; the order is that of preference.
_FILES = {
    "video": Kind.VIDEO,
    "animation": Kind.VIDEO,
    "video_note": Kind.VIDEO,
    "audio": Kind.AUDIO,
    "voice": Kind.AUDIO,
    "document": Kind.DOCUMENT,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote, as Telegram tells it."""

    id: int
    name: str = ""
    username: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message."""

    update_id: int
    person: Person
    chat_id: int
    message_id: int
    text: str = ""
    file: Mapping[str, Any] | None = None  # as Telegram describes it
    kind: Kind | None = None
    other: str = ""  # what it is when it is neither text nor file: location, sticker, …
    album: str = ""  # messages of one album belong together
    reply_to: int = 0  # the message that it answers
    private: bool = True
    edited: bool = False
    said_at: float = 0.0

    @property
    def shape(self) -> str:
        """What it is kept as."""
        return self.kind.value if self.kind else self.other or "text"

    @property
    def command(self) -> str:
        """`start` for `/start@our_bot …`; empty when it is none."""
        word = self.text.split(maxsplit=1)[0] if self.text.strip() else ""
        name = word[1:].partition("@")[0].lower() if word.startswith("/") and not self.file else ""
        return name if name.isidentifier() else ""

    @property
    def words(self) -> str:
        """What stands behind a command."""
        return "".join(self.text.strip().split(maxsplit=1)[1:])

    def source(self, bot: int) -> Source | None:
        """Its file as the media flow takes it; the same message is the same job for ever."""
        if self.file is None or self.kind is None:
            return None
        file = self.file
        return Source(
            key=f"tg-{bot}-{self.chat_id}-{self.message_id}",
            kind=self.kind,
            file_id=clean(file.get("file_id")),
            size=int(file.get("file_size") or 0),
            name=clean(file.get("file_name"))[:200],
            mime=clean(file.get("mime_type"))[:100],
            duration=float(file.get("duration") or 0.0),
            text=self.text,
            user_id=self.person.id,
            chat_id=self.chat_id,
            message_id=self.message_id,
            received_at=self.said_at,
        )


def read_letter(update: Mapping[str, Any]) -> Letter | None:
    """None for what is no message of a person to us: channel posts, joins, other bots."""
    message = update.get("message") or update.get("edited_message")
    if not isinstance(message, dict):
        return None
    sender, chat = message.get("from"), message.get("chat")
    if not isinstance(sender, dict) or not isinstance(chat, dict) or sender.get("is_bot"):
        return None
    file, kind = _file(message)
    other = next((name for name in _OTHERS if isinstance(message.get(name), dict)), "")
    text = clean(message.get("text") or message.get("caption") or _told(message.get(other)))
    if not text and file is None and not other:
        return None
    answers = message.get("reply_to_message")
    full = f"{sender.get('first_name') or ''} {sender.get('last_name') or ''}".strip()
    return Letter(
        update_id=int(update["update_id"]),
        person=Person(
            int(sender["id"]),
            clean(full)[:200],
            clean(sender.get("username"))[:64],
            clean(sender.get("language_code"))[:8],
        ),
        chat_id=int(chat["id"]),
        message_id=int(message["message_id"]),
        text=text,
        file=file,
        kind=kind,
        other=other,
        album=clean(message.get("media_group_id"))[:64],
        reply_to=int(answers.get("message_id") or 0) if isinstance(answers, dict) else 0,
        private=chat.get("type", "private") == "private",
        edited="edited_message" in update,
        said_at=float(message.get("edit_date") or message.get("date") or 0),
    )


def clean(text: Any) -> str:
    """What every database can hold: no NUL, and no half of a character."""
    whole = str(text or "").encode("utf-8", "replace").decode().replace("\0", "")
    return whole[:LONGEST]


def _told(other: Any) -> str:
    """Of a place its coordinates, of a person a name and number, of a sticker its emoji."""
    if not isinstance(other, dict):
        return ""
    keys = ("title", "latitude", "longitude", "first_name", "phone_number", "emoji", "question")
    return " ".join(
        str(other[key]) for key in keys if isinstance(other.get(key), str | int | float)
    )


def _file(message: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Kind | None]:
    photos = message.get("photo")
    if isinstance(photos, list) and photos:
        return max(
            photos, key=lambda one: one.get("file_size") or one.get("width") or 0
        ), Kind.PHOTO
    for name, kind in _FILES.items():
        if isinstance(message.get(name), dict):
            return message[name], kind
    return None, None
