"""The board as it is kept in the state; speaks SQL for it, within the state's transactions."""

from __future__ import annotations

import json
from dataclasses import replace

from monitor.state import State
from monitor.tell.board import Board
from monitor.tell.words import Stage, Verb, letter_from, post_from, thread_from, to_json


class Ledger:
    """Reads everything once, then only writes what changed."""

    def __init__(self, state: State) -> None:
        self._state = state

    def load(self) -> Board:
        """As the last monitor left it: what it was sending then may have arrived."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT kind, id, body FROM alert").fetchall()
        board = Board()
        for kind, id, body in rows:
            match kind:
                case "thread":
                    board.threads[id] = replace(thread_from(body), since=0.0)
                case "post":
                    board.posts[int(id)] = replace(post_from(body), edited=0.0)
                case "letter":
                    board.letters[int(id)] = letter_from(body)
                case _:
                    board.kept[id] = json.loads(body)
        board.threads = dict(sorted(board.threads.items(), key=lambda item: item[1].order))
        board.posts = dict(sorted(board.posts.items()))
        orders = (thread.order for thread in board.threads.values())
        board.last = max([0, *orders, *board.posts, *board.letters])
        _doubt_what_was_being_sent(board)
        return board

    def save(self, board: Board) -> None:
        """Within a transaction of the caller; it stays changed until the caller has committed."""
        if not board.changed:
            return
        with self._state.transaction() as db:
            for kind, key in board.changed:
                body = _body(board, kind, key)
                if body is None:
                    db.execute("DELETE FROM alert WHERE kind = ? AND id = ?", (kind, str(key)))
                else:
                    db.execute("REPLACE INTO alert VALUES (?, ?, ?)", (kind, str(key), body))

    def commit(self, board: Board) -> None:
        """By itself, all of it or nothing."""
        if board.changed:
            with self._state.transaction():
                self.save(board)
            board.changed.clear()


def _doubt_what_was_being_sent(board: Board) -> None:
    """A message must not be lost, an edit may be done twice, a word under a message need not."""
    for letter in list(board.letters.values()):
        if letter.stage is Stage.SENDING and letter.verb is Verb.REPLY:
            board.drop("letter", letter.id)
        elif letter.stage is Stage.SENDING:
            send = letter.verb is Verb.SEND
            board.put(replace(letter, stage=Stage.UNKNOWN if send else Stage.WAITING))


def _body(board: Board, kind: str, key: str | int) -> str | None:
    one: object
    match kind:
        case "thread":
            one = board.threads.get(str(key))
        case "post":
            one = board.posts.get(int(key))
        case "letter":
            one = board.letters.get(int(key))
        case _:
            return json.dumps(board.kept[str(key)], separators=(",", ":"))
    return None if one is None else to_json(one)
