"""A batch as one turn of a conversation: what is said of it, and what is asked. No clock, no rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.bot.wording import amount, fitting, say, several
from pipeline.model import JobState, JobView

_NAME = 40  # characters of a file's name in a line
_ORDER = ("text", "photo", "video", "audio", "document")


@dataclass(frozen=True, slots=True)
class Thing:
    """One item of a batch, as far as it is told."""

    kind: str
    text: str = ""
    job: str = ""  # of its file
    name: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """All that the one answer to a batch tells; only the jobs change afterwards."""

    things: tuple[Thing, ...]
    language: str
    question: str = ""
    noted: bool = False  # it answered an earlier question
    not_yours: bool = False  # it tried to answer another's


def question_for(things: Sequence[Thing], asked: Sequence[str], language: str) -> str:
    """One question when files came without a word about them; the modelo may say which."""
    if not any(one.job for one in things) or any(one.text.strip() for one in things):
        return ""
    return "\n".join(one.strip() for one in asked if one.strip()) or say("question", language)


def wording(turn: Turn, views: Mapping[str, JobView]) -> str:
    """The answer as it stands now."""
    language = turn.language
    lines = [say("got", language, what=_what(turn.things, language))]
    files = [one for one in turn.things if one.job]
    lines += [_file(n, one, views.get(one.job), language) for n, one in enumerate(files, 1)]
    if turn.noted:
        lines.append(say("noted", language))
    elif not files:
        lines.append(say("kept", language))
    if turn.not_yours:
        lines.append(say("not_yours", language))
    if turn.question:
        lines += ["", turn.question]
    return fitting("\n".join(lines))


def ended(view: JobView | None) -> bool:
    """Whether nothing more will be said of it; one that fails is repaired and goes on."""
    if view is None or view.state in {JobState.SUCCEEDED, JobState.CANCELLED}:
        return True
    return view.state is JobState.FAILED and view.rejected


def _what(things: Sequence[Thing], language: str) -> str:
    counts = Counter(one.kind for one in things)
    kinds = sorted(counts, key=lambda kind: _ORDER.index(kind) if kind in _ORDER else len(_ORDER))
    return several([amount(kind, counts[kind], language) for kind in kinds], language)


def _file(number: int, thing: Thing, view: JobView | None, language: str) -> str:
    name = f" {thing.name[:_NAME]}" if thing.name else ""
    head = f"{number}. {amount(thing.kind, 1, language).partition(' ')[2]}{name}"
    if view is None:
        return head
    if view.state is JobState.FAILED and not view.rejected:
        return f"{head} · {say('repairing', language)}"
    if view.state is JobState.FAILED:
        return f"{head} · {view.words}"
    return f"{head} · {view.percent} % · {view.words}"
