"""One request of a bot, its words read as the server reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from monitor.demo.botapi.body import Said
from monitor.demo.botapi.people import Place
from monitor.demo.botapi.refusal import bad
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import World

_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True, slots=True)
class Call:
    world: World
    bot: Row
    method: str
    said: Said

    def word(self, name: str) -> str:
        return self.said.words.get(name, "")

    def number(self, name: str, otherwise: int = 0, low: int = -(2**63), high: int = 2**63) -> int:
        """A number; what is none counts as 0, what is too small or large as the nearest one."""
        word = self.word(name)
        try:
            value = int(word) if word else otherwise
        except ValueError:
            value = 0
        return min(max(value, low), high)

    def flag(self, name: str) -> bool:
        return self.word(name).lower() in _TRUE

    def json(self, name: str, what: str) -> Any:
        try:
            return json.loads(self.word(name))
        except (ValueError, RecursionError):
            raise bad(f"can't parse {what} JSON object") from None

    def place(self, write: bool = True, name: str = "chat_id") -> Place:
        return self.world.chats.place(self.bot, self.word(name), write)
