"""A letter becomes a request: the words of the moment at which it goes out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from monitor.model import Severity
from monitor.tell import alertmanager, wording
from monitor.tell.alerts import also_open, is_recovered
from monitor.tell.board import Board
from monitor.tell.channels import Channels
from monitor.tell.markup import Row, fitted, from_text, html, plain, row
from monitor.tell.outbox import channel_of, chat_of
from monitor.tell.words import Letter, News, Post, Verb
from monitor.texts import lasting

Keys = Callable[[Post, Sequence[News], str], list[list[tuple[str, str]]]]


class Writer:
    """Knows the board, the reader's language and the channels."""

    def __init__(self, board: Board, host: str) -> None:
        self._board = board
        self._host = host
        self._lang, self._zone = "en", ""
        self._to = Channels()
        self.keys: Keys = lambda _post, _told, _chat: []  # the buttons, where somebody hears them

    def apply(self, to: Channels, lang: str, zone: str) -> None:
        self._to, self._lang, self._zone = to, lang, zone

    def reader(self) -> wording.Reader:
        return wording.Reader(self._lang, self._zone, time.time(), self._host)

    def request(self, letter: Letter, post: Post, told: Sequence[News]) -> dict[str, Any] | None:
        """What the sending process is asked to do; None when nothing is left to say."""
        if letter.verb is Verb.REPLY:
            known = {news.subject: news for news in told}
            told = [known[subject] for subject in letter.subjects if subject in known]
            rows = wording.reply(letter.reason, told, self.reader())
        else:
            new = post.message_in(letter.lane) is None
            rows = self.rows(post, told, post.made if new else None, again=letter.again)
        return self.asked(letter, post, told, rows) if rows else None

    def rows(
        self, post: Post, told: Sequence[News], made: float | None, *, again: bool = False
    ) -> list[Row]:
        """The whole message, with how late it is and that it may have come before."""
        reader = self.reader()
        rows = from_text(post.rows) if post.rows else self.about(told) if told else []
        late = 0.0 if made is None else reader.wall - made
        if rows and again:
            rows.insert(1, row(reader.say("again"), weight=7))
        if rows and late > wording.LATE:
            rows.insert(1, row(reader.say("late", time=lasting(late)), weight=7))
        return rows

    def about(self, told: Sequence[News]) -> list[Row]:
        """What is known of these now, and what else is open."""
        reader, threads = self.reader(), self._board.threads.values()
        others = also_open(threads, reader.wall, [news.subject for news in told])
        followers = Counter(thread.news.root for thread in threads)
        return wording.message(told, reader, others=others, followers=followers)

    def asked(
        self, letter: Letter, post: Post, told: Sequence[News], rows: Sequence[Row]
    ) -> dict[str, Any] | None:
        """In the form that the letter's channel takes."""
        kept = fitted(rows)
        match channel_of(letter.lane):
            case "webhook":
                return {
                    "do": "webhook",
                    "url": self._to.webhook,
                    "json": self._json(post, told, kept),
                }
            case "apprise":
                url = self._to.apprise[int(chat_of(letter.lane))]
                title, text = self._to.hidden(kept[0].text), self._to.hidden(plain(kept))
                return {"do": "apprise", "url": url, "title": title, "text": text}
        return self._telegram(letter, post, told, kept)

    def _json(self, post: Post, told: Sequence[News], rows: Sequence[Row]) -> dict[str, Any]:
        reader = self.reader()
        if told:
            return alertmanager.payload(told, reader, post.id)
        return alertmanager.plain_payload(plain(rows), post.kind, reader, post.id)

    def _telegram(
        self, letter: Letter, post: Post, told: Sequence[News], rows: Sequence[Row]
    ) -> dict[str, Any] | None:
        text = plain(rows) if letter.plain else html(rows)
        asked: dict[str, Any] = {
            "chat": chat_of(letter.lane),
            "text": self._to.hidden(text),
            "html": not letter.plain,
        }
        if letter.verb is not Verb.REPLY:
            asked["keys"] = self.keys(post, told, asked["chat"])
        message = post.message_in(letter.lane)
        if letter.verb is Verb.EDIT:
            return {**asked, "do": "edit", "message": message} if message else None
        loud = letter.loud or (letter.verb is Verb.SEND and _is_loud(told, time.time()))
        return {**asked, "do": "send", "loud": loud, "reply_to": message or None}


def _is_loud(told: Sequence[News], wall: float) -> bool:
    """Something critical is open, or has just happened."""
    return any(
        one.severity is Severity.CRITICAL
        and (not is_recovered(one, wall) or not (one.is_incident or one.kind == "child"))
        for one in told
    )
