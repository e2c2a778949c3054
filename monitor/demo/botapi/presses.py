"""Buttons that were pressed and wait for the bot's answer."""

from __future__ import annotations

import secrets

from monitor.demo.botapi.rows import Row, Rows

TOO_LATE = 15 * 60  # seconds after which a press can no longer be answered


class Presses:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.table("presses")

    def add(self, bot: int, user: Row, message: Row, data: str, at: float) -> Row:
        query: Row = {
            "id": str(secrets.randbits(62)),
            "from": user,
            "message": message,
            "chat_instance": str(message["chat"]["id"] * 31),
            "data": data,
        }
        row = {"bot": bot, "query": query, "at": at, "answer": None}
        return self._rows.put(query["id"], row)

    def find(self, id: str) -> Row | None:
        return self._rows.get(id)

    def answer(self, row: Row, answer: Row) -> None:
        self._rows.put(row["query"]["id"], row | {"answer": answer})

    def all(self) -> list[Row]:
        return list(self._rows)
