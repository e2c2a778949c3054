"""Messages that no trouble brings about: when they are due, and what they count."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from hashlib import sha256

from monitor import __version__
from monitor.heal.casework import clock
from monitor.options import Alerts
from monitor.tell import hours, occasions
from monitor.tell.alerts import Now, also_open
from monitor.tell.board import Board
from monitor.tell.markup import Row, to_text
from monitor.tell.occasions import Tally
from monitor.tell.wording import Reader

_SHAPES = 5  # of unknown lines, in the digest
_REMEMBERED = 200  # shapes whose count at the last digest is kept


class Rounds:
    """Keeps on the board what was said when, and what was counted since."""

    def __init__(
        self,
        board: Board,
        reader: Callable[[], Reader],
        shapes: Callable[[], Sequence[tuple[str, int]]],
    ) -> None:
        self._board = board
        self._reader = reader
        self._shapes = shapes
        self._began = clock()
        self._session = Tally(time.time())

    def greet(self, settings: Alerts, children: str, lanes: Sequence[str], now: Now) -> None:
        """Once per version and configuration of alerts and children, not at every start."""
        if "digest_day" not in self._board.kept:
            self._board.keep("digest_day", hours.local(now.wall, settings.zone)[0])
        known = f"{__version__} {children} {settings} {lanes}"
        digest = sha256(known.encode()).hexdigest()
        if self._board.kept.get("started") == digest:
            return
        self._board.keep("started", digest)
        facts = {"version": __version__, "children": children, "least": settings.least}
        self._post(
            "start", occasions.start(facts | {"quiet": settings.quiet}, self._reader()), lanes, now
        )

    def digest(self, settings: Alerts, lanes: Sequence[str], now: Now) -> None:
        last = str(self._board.kept.get("digest_day", ""))
        day = hours.digest_due(settings.digest, settings.zone, last, now.wall)
        if not day:
            return
        noted = [one for one in self._board.threads.values() if one.noted]
        self._post("digest", self.as_digest(self._new_shapes()), lanes, now)
        self._board.keep("digest_day", day)
        self._board.keep("tally", asdict(Tally(now.wall)))
        for one in noted:
            self._board.put(replace(one, noted=False))

    def as_digest(self, shapes: Sequence[tuple[str, int]]) -> list[Row]:
        """What the day was so far; saying it forgets nothing."""
        threads, reader = self._board.threads.values(), self._reader()
        return occasions.digest(
            self._tally(),
            [one.news for one in threads if one.noted],
            also_open(threads, reader.wall),
            shapes,
            clock() - self._began,
            reader,
        )

    def sum_up(self, why: str, lanes: Sequence[str], now: Now) -> None:
        """The session in a few numbers."""
        others = also_open(self._board.threads.values(), now.wall)
        rows = occasions.summary({"why": why}, self._session, others, self._reader())
        self._post("summary", rows, lanes, now)

    def count(self, what: str) -> None:
        tally = self._tally()
        self._board.keep("tally", asdict(replace(tally, **{what: getattr(tally, what) + 1})))
        self._session = replace(self._session, **{what: getattr(self._session, what) + 1})

    def _tally(self) -> Tally:
        return Tally(**self._board.kept.get("tally", asdict(self._session)))

    def _new_shapes(self) -> list[tuple[str, int]]:
        """How often each was seen since the last digest, the most frequent first."""
        counts = dict(self._shapes())
        before = self._board.kept.get("shapes", {})
        self._board.keep("shapes", dict(list(counts.items())[:_REMEMBERED]))
        since = {
            text: count - (before.get(text, 0) if before.get(text, 0) <= count else 0)
            for text, count in counts.items()
        }
        seen = [(text, count) for text, count in since.items() if count]
        return sorted(seen, key=lambda one: -one[1])[:_SHAPES]

    def _post(self, kind: str, rows: Sequence[Row], lanes: Sequence[str], now: Now) -> None:
        """In place of an older one of its kind that never went out."""
        waiting = {post.id for post in self._board.posts.values() if post.kind == kind}
        for letter in list(self._board.letters.values()):
            if letter.post in waiting and not self._board.posts[letter.post].messages:
                self._board.drop("letter", letter.id)
        self._board.post(kind, lanes, now, to_text(rows))
