"""What a test sees of the server: its bots, and the messages in its chats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bot:
    id: int
    token: str
    name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it stands in a chat now."""

    row: dict[str, Any]

    @property
    def id(self) -> int:
        number: int = self.row["message"]["message_id"]
        return number

    @property
    def chat(self) -> int:
        number: int = self.row["message"]["chat"]["id"]
        return number

    @property
    def text(self) -> str:
        message = self.row["message"]
        text: str = message.get("text") or message.get("caption") or ""
        return text

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = self.row["message"]
        return message

    @property
    def by(self) -> int:
        number: int = self.row["by"]
        return number

    @property
    def buttons(self) -> list[str]:
        rows = self.message.get("reply_markup", {}).get("inline_keyboard", [])
        return [button["text"] for row in rows for button in row]

    @property
    def history(self) -> list[dict[str, Any]]:
        """What it said before, the oldest first; each with the wall clock `until` when it did."""
        states: list[dict[str, Any]] = self.row["history"]
        return states

    @property
    def deleted(self) -> bool:
        return bool(self.row["deleted"])
