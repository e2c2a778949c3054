"""Time, trouble and chats as a play: what is said is decided by the real decisions, at once delivered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from monitor.model import (
    Category,
    FileId,
    Incident,
    IncidentState,
    Line,
    Match,
    Outcome,
    Result,
    Severity,
    Told,
)
from monitor.options import Alerts, Rung
from monitor.tell import hours
from monitor.tell.alerts import Now, also_open, decide, is_over, is_recovered
from monitor.tell.board import Board
from monitor.tell.markup import fitted, plain, row
from monitor.tell.news import of_incident, of_told, subject_of
from monitor.tell.wording import Reader, message, reply
from monitor.tell.words import Verb
from monitor.texts import lasting

START = 1_795_000_000.0  # Thursday 2026-11-18, 11:06:40 UTC
LANE = "telegram:1"


@dataclass
class Said:
    """One thing that a person got."""

    verb: str
    post: int
    text: str
    loud: bool
    at: float

    @property
    def first(self) -> str:
        return self.text.splitlines()[0]


@dataclass
class Play:
    """Advances in small steps; `up` is whether the chat can be reached."""

    settings: Alerts = field(default_factory=Alerts)
    wall: float = START
    lang: str = "en"
    up: bool = True
    board: Board = field(default_factory=Board)
    said: list[Said] = field(default_factory=list)
    incidents: dict[int, Incident] = field(default_factory=dict)

    @property
    def now(self) -> Now:
        quiet = hours.is_quiet(self.settings.quiet, self.settings.zone, self.wall)
        return Now(self.wall, self.wall - START + 1000.0, quiet)

    # --- what happens ---

    def open(
        self,
        id: int,
        category: Category = Category.DATABASE,
        severity: Severity = Severity.CRITICAL,
        state: IncidentState = IncidentState.DETECTED,
        text: str = "database is locked",
        **more: object,
    ) -> Incident:
        line = Line("/x/logs/bot.log", FileId(1, 2), text, 0, 9, self.wall)
        match = Match(line, "a.rule", category, severity, f"thing {id}")
        incident = Incident(id, f"key {id}", state, match, "bot", self.wall, self.wall, moves=1)
        incident = replace(incident, **more)  # type: ignore[arg-type]
        self._moved(incident)
        return incident

    def move(self, id: int, state: IncidentState, **more: object) -> None:
        was = self.incidents[id]
        moved = replace(was, state=state, last=self.wall, moves=was.moves + 1, **more)  # type: ignore[arg-type]
        self._moved(moved)

    def tried(self, id: int, do: str, result: Result, detail: str) -> None:
        was = self.incidents[id]
        moved = replace(was, moves=was.moves + 1)
        self._moved(moved, Rung(do=do), Outcome(result, detail))

    def _moved(
        self, incident: Incident, rung: Rung | None = None, outcome: Outcome | None = None
    ) -> None:
        self.incidents[incident.id] = incident
        before = self.board.news(f"INC-{incident.id}")
        news = of_incident(incident, rung, outcome, 42, self.wall, before)
        self.board.hear(news, self.now, self.settings.repeat)

    def tell(self, kind: str, severity: Severity, child: str = "bot", **facts: str) -> None:
        told = Told(kind, child, severity, tuple(facts.items()))
        before = self.board.news(subject_of(told))
        if before and before.kind == "child" and is_over(before, self.wall):
            before = None
        if news := of_told(told, self.wall, before):
            self.board.hear(news, self.now, self.settings.repeat)

    def mute(self, what: str, seconds: float) -> None:
        mute = {"what": what, "until": self.wall + seconds, "by": "ana"}
        self.board.keep("mutes", {what: mute})

    # --- time passes ---

    def wait(self, seconds: float, step: float = 5.0) -> list[Said]:
        """What was said meanwhile."""
        before, end = len(self.said), self.wall + seconds
        self._turn()
        while self.wall < end:
            self.wall = min(end, self.wall + step)
            self._turn()
        return self.said[before:]

    def _turn(self) -> None:
        board = self.board
        moves = decide(board.threads, board.posts, board.mutes.values(), self.settings, self.now)
        board.apply(moves, (LANE,), self.now)
        if self.up:
            self._deliver()
        board.forget(self.wall)

    def _deliver(self) -> None:
        reader = Reader(self.lang, "UTC", self.wall, "host")
        for letter in sorted(self.board.letters.values(), key=lambda one: one.id):
            post = self.board.posts[letter.post]
            told = [thread.news for thread in self.board.threads_of(post)]
            loud = letter.loud
            if letter.verb is Verb.REPLY:
                rows = reply(
                    letter.reason, [n for n in told if n.subject in letter.subjects], reader
                )
            else:
                others = also_open(
                    self.board.threads.values(), self.wall, [news.subject for news in told]
                )
                rows = message(told, reader, others=others)
                if not post.messages and self.wall - post.made > 60:
                    rows.insert(1, row(reader.say("late", time=lasting(self.wall - post.made))))
            if letter.verb is Verb.SEND:
                self.board.gone_out(post, LANE, post.id, self.now, told)
                loud = any(
                    one.severity is Severity.CRITICAL and not is_recovered(one, self.wall)
                    for one in told
                )
            self.said.append(Said(letter.verb, post.id, plain(fitted(rows)), loud, self.wall))
            self.board.drop("letter", letter.id)

    # --- what a person notices ---

    @property
    def noticed(self) -> list[Said]:
        return [one for one in self.said if one.verb != "edit"]
