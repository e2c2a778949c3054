"""The words of telling; plain values, kept in the state as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from monitor.model import Severity

LOUDNESS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried, and what came of it."""

    at: float
    do: str
    result: str  # of a repair; "" when a person did it, whom `detail` names
    detail: str


@dataclass(frozen=True, slots=True)
class News:
    """All that is known now of one thing that people may want to know; secrets are hidden."""

    subject: str  # INC-17, child/bot, state_trouble
    kind: str  # `incident`, or the kind of what was told
    state: str  # an incident's state, or the kind of what was told last
    severity: Severity
    child: str
    opened: float  # wall clock, as are the other times here
    last: float
    category: str = ""
    what: str = ""  # the path, URL or host that failed
    why: str = ""
    line: str = ""
    where: str = ""  # the log it stands in
    pid: int | None = None
    occurrences: int = 1
    steps: tuple[Step, ...] = ()
    stepped: int = 0  # how many steps there were in all
    acked_by: str = ""
    root: str = ""  # the subject that explains this one
    key: str = ""  # two of the same key are the same trouble
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def is_incident(self) -> bool:
        return self.kind == "incident"


@dataclass(frozen=True, slots=True)
class Thread:
    """News, and what people have been told of it."""

    news: News
    order: int  # the place in which it came up
    since: float = 0.0  # clock of decisions: from when on it waits to be told; 0 long ago
    post: int = 0  # the message that tells it; 0 none
    material: str = ""  # what its message says now
    severity: Severity = Severity.INFO  # as it was noticed last
    was_over: bool = False  # as it was noticed last
    told_at: float = 0.0  # wall clock of the last word that could be noticed
    notices: int = 0  # words that could be noticed; each makes the next wait longer
    escalated: bool = False
    called: bool = False  # it was said that a person is needed
    noted: bool = False  # it stands in the next digest


@dataclass(frozen=True, slots=True)
class Post:
    """One message in each chat, about one thing or several, edited as they move."""

    id: int
    kind: str  # alert, digest, start, summary
    made: float  # wall clock
    subjects: tuple[str, ...] = ()
    messages: tuple[tuple[str, int], ...] = ()  # lane -> the message's number there; 0 unknown
    edited: float = 0.0  # clock of decisions
    rows: str = ""  # what it says, where that does not change any more

    def message_in(self, lane: str) -> int | None:
        return dict(self.messages).get(lane)


class Verb(StrEnum):
    """What is done in a chat."""

    SEND = "send"
    EDIT = "edit"
    REPLY = "reply"


class Stage(StrEnum):
    """How far a letter is; when it is done or given up it is no more."""

    WAITING = "waiting"
    SENDING = "sending"  # written down before the call: who finds it later cannot know
    UNKNOWN = "unknown"  # it may have arrived


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing to do in one chat about one post; its text is made when it goes out."""

    id: int
    post: int
    lane: str  # telegram:<chat>, webhook:0, apprise:0
    verb: Verb
    made: float  # wall clock
    stage: Stage = Stage.WAITING
    reason: str = ""  # of a reply: resolved, back, worse, still
    loud: bool = False
    subjects: tuple[str, ...] = ()  # that a reply speaks of
    tries: int = 0
    plain: bool = False  # the markup was refused once
    again: bool = False  # an earlier try may have arrived


def to_json(value: Any) -> str:
    return json.dumps(dataclasses.asdict(value), separators=(",", ":"))


def thread_from(body: str) -> Thread:
    raw = json.loads(body)
    news = raw["news"]
    news |= {
        "severity": Severity(news["severity"]),
        "steps": tuple(Step(**step) for step in news["steps"]),
        "facts": _pairs(news["facts"]),
    }
    known = {"news": News(**_known(News, news)), "severity": Severity(raw["severity"])}
    return Thread(**_known(Thread, raw) | known)


def post_from(body: str) -> Post:
    raw = json.loads(body)
    messages = tuple((lane, number) for lane, number in raw["messages"])
    return Post(**_known(Post, raw) | {"subjects": tuple(raw["subjects"]), "messages": messages})


def letter_from(body: str) -> Letter:
    raw = json.loads(body)
    known = {"verb": Verb(raw["verb"]), "stage": Stage(raw["stage"])}
    return Letter(**_known(Letter, raw) | known | {"subjects": tuple(raw["subjects"])})


def _known(kind: type, raw: dict[str, Any]) -> dict[str, Any]:
    """Without what a newer version wrote as well."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in raw.items() if name in names}


def _pairs(raw: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in raw)


@dataclass(frozen=True, slots=True)
class Mute:
    """Until when nothing new is said of a subject, a child or a category; "" is all of them."""

    what: str
    until: float  # wall clock
    by: str = ""

    def covers(self, news: News) -> bool:
        return self.what in ("", news.subject, news.child, news.category)


def mutes_from(kept: Mapping[str, Any] | None) -> dict[str, Mute]:
    return {what: Mute(**raw) for what, raw in (kept or {}).items()}
