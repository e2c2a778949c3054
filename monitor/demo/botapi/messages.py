"""The messages of all chats as they stand now, and every state in which they stood before."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.demo.botapi.people import Place
from monitor.demo.botapi.rows import Row, Rows

HISTORY = ("text", "entities", "caption", "caption_entities", "reply_markup")


class Messages:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows.table("messages")
        self.revision = 0
        self._last: dict[str, int] = {}
        for row in self._rows:
            room, number = row["room"], row["message"]["message_id"]
            self._last[room] = max(self._last.get(room, 0), number)
            self.revision = max(self.revision, row["revision"])

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def add(self, place: Place, by: int, message: Row, at: float) -> Row:
        """Gives the message its number and keeps it; `by` is whose it is."""
        number = self._last.get(place.room, 0) + 1
        self._last[place.room] = number
        whole = {"message_id": number, "date": int(at), "chat": place.chat} | message
        row = {"room": place.room, "by": by, "message": whole, "history": [], "deleted": 0}
        return self._save(row)

    def find(self, room: str, number: int) -> Row | None:
        row = self._rows.get(f"{room}:{number}")
        return None if row is None or row["deleted"] else row

    def change(self, row: Row, content: Row, at: float) -> Row:
        """Puts `content` in place of what the message said; an empty value takes away."""
        old = row["message"]
        before = {key: old[key] for key in HISTORY if key in old}
        before["until"] = at
        message = {k: v for k, v in (old | content).items() if v not in (None, [], "")}
        history = [*row["history"], before]
        return self._save(row | {"message": message | {"edit_date": int(at)}, "history": history})

    def delete(self, row: Row, at: float) -> None:
        self._save(row | {"deleted": at})

    def _save(self, row: Row) -> Row:
        self.revision += 1
        row = row | {"revision": self.revision}
        return self._rows.put(f"{row['room']}:{row['message']['message_id']}", row)
