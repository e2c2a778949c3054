"""The board as it is kept in the state; speaks SQL for it, within the state's transactions."""

from __future__ import annotations

import json
from dataclasses import replace

from monitor.state import State
from monitor.tell.board import Board
from monitor.tell.words import Stage, letter_from, post_from, thread_from, to_json

_TABLES = ("thread", "post", "letter")


class Ledger:
    """Reads everything once, then only writes what changed."""

    def __init__(self, state: State) -> None:
        self._state = state

    def load(self) -> Board:
        """As the last monitor left it: what it was sending then may have arrived."""
        board = Board()
        with self._state.transaction() as db:
            rows = {t: db.execute(f"SELECT body FROM alert_{t} ORDER BY id").fetchall() for t in _TABLES}
            kept = db.execute("SELECT id, body FROM alert_kept").fetchall()
        for (body,) in rows["thread"]:
            thread = replace(thread_from(body), since=0.0)
            board.threads[thread.news.subject] = thread
            board.last = max(board.last, thread.order)
        for (body,) in rows["post"]:
            post = replace(post_from(body), edited=0.0)
            board.posts[post.id] = post
        for (body,) in rows["letter"]:
            letter = letter_from(body)
            board.letters[letter.id] = letter
            if letter.stage is Stage.SENDING:
                board.put(replace(letter, stage=Stage.UNKNOWN))
        board.kept = {name: json.loads(body) for name, body in kept}
        board.threads = dict(sorted(board.threads.items(), key=lambda item: item[1].order))
        board.last = max(board.last, *board.posts, *board.letters, 0)
        return board

    def save(self, board: Board) -> None:
        """Within a transaction of the caller; the board stays changed until it is told otherwise."""
        if not board.changed:
            return
        with self._state.transaction() as db:
            for table, key in board.changed:
                body = _body(board, table, key)
                if body is None:
                    db.execute(f"DELETE FROM alert_{table} WHERE id = ?", (key,))
                else:
                    db.execute(f"REPLACE INTO alert_{table} VALUES (?, ?)", (key, body))

    def commit(self, board: Board) -> None:
        """By itself, all of it or nothing."""
        if board.changed:
            with self._state.transaction():
                self.save(board)
            board.changed.clear()


def _body(board: Board, table: str, key: str | int) -> str | None:
    if table == "kept":
        return json.dumps(board.kept[str(key)], separators=(",", ":"))
    kept = {"thread": board.threads, "post": board.posts, "letter": board.letters}[table]
    one = kept.get(key)  # type: ignore[attr-defined]
    return None if one is None else to_json(one)
