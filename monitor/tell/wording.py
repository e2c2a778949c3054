"""What a message says: news and numbers -> rows of words, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.model import Severity, Told
from monitor.records.story import LOOK
from monitor.tell.alerts import is_recovered
from monitor.tell.hours import shown
from monitor.tell.markup import Row, row
from monitor.tell.news import clean
from monitor.tell.phrases import PHRASES, phrase
from monitor.tell.words import News, Step
from monitor.texts import lasting, reason, result_word, sentence

_LISTED = 20  # lines of a list
_ALSO = 3  # of what else is open, by name
LATE = 60.0  # seconds from which on a message says how late it is

_ICONS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟡", Severity.INFO: "🔵"}


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is written: the language, the zone, and what time it is."""

    lang: str
    zone: str
    wall: float
    host: str

    def say(self, name: str, **facts: object) -> str:
        return phrase(name, self.lang, **facts)

    def at(self, wall: float) -> str:
        return shown(wall, self.zone)


def title(news: News, reader: Reader) -> str:
    """What it is, in a few words."""
    if news.is_incident:
        what = reader.say(news.category) if news.category in PHRASES else news.category
        subject = f": {_short(news.what)}" if news.what else ""
        whose = f"{news.child}: " if news.child else ""  # a disk is nobody's child
        return f"{whose}{what}{subject}"
    if news.kind == "child":
        return f"{news.child}: {reader.say(news.state, times=news.occurrences)}"
    return _told(news, reader)


def _told(news: News, reader: Reader) -> str:
    """In its own sentence; one that lacks a fact is better told badly than not at all."""
    told = Told(news.state, news.child, news.severity, news.facts)
    try:
        return sentence(told, reader.lang)
    except KeyError:
        return " ".join((news.child, news.state, *(value for _, value in news.facts)))


def head(news: News, reader: Reader) -> str:
    """The first line, which is all that a locked screen shows."""
    if _is_well(news, reader):
        icon, word = "🟢", reader.say("resolved")
    else:
        icon, word = _ICONS[news.severity], reader.say(str(news.severity))
    id = f" · {news.subject}" if news.is_incident else ""
    return f"{icon} {word} · {title(news, reader)}{id}"


def _is_well(news: News, reader: Reader) -> bool:
    """Something that was wrong is well again; what only happened is neither."""
    return (news.is_incident or news.kind == "child") and is_recovered(news, reader.wall)


def message(
    told: Sequence[News],
    reader: Reader,
    *,
    others: Sequence[News],
    followers: Mapping[str, int] | None = None,
) -> list[Row]:
    """One thing in full, several as a list; at the end what else is open."""
    if len(told) == 1:
        rows = _one(told[0], reader, (followers or {}).get(told[0].subject, 0))
    else:
        rows = _several(told, reader)
    return [*rows, row(_also(others, reader), weight=8)]


def _one(news: News, reader: Reader, followers: int) -> list[Row]:
    say = reader.say
    rows = [row(head(news, reader), "b", 9)]
    if news.is_incident:
        rows.append(row(_standing(news, reader), weight=6))
    elif news.kind == "child":
        rows.append(row(_told(news, reader), weight=6))
    if news.is_incident or news.kind == "child":
        rows.append(_since(news, reader))
    if news.where:
        pid = f" · pid {news.pid}" if news.pid else ""
        rows.append(Row((("b", say("where")), ("", f" {news.where}{pid}")), 3))
    for step in news.steps:
        detail = _short(_detail(step, reader), 160)
        came = "; ".join(filter(None, (result_word(step.result, reader.lang), detail)))
        words = f" {reader.at(step.at)} {step.do}: {came}"
        rows.append(Row((("b", say("done")), ("", words)), 4))
    if followers:
        rows.append(row(say("follow_from", count=followers), weight=3))
    if news.acked_by:
        rows.append(row(say("acked_by", by=news.acked_by), weight=5))
    if news.line:
        rows.append(row(_short(_line(news, reader), 400), "pre", 2))
    return rows


def _standing(news: News, reader: Reader) -> str:
    state = reader.say(f"state_{news.state}")
    if news.state == "resolved":
        state = reader.say("resolved_after", time=_lasted(news))
    return f"{state} ({_why(news, reader)})" if news.why else state


def _since(news: News, reader: Reader) -> Row:
    say = reader.say
    times = say("once") if news.occurrences == 1 else say("times", times=news.occurrences)
    parts: list[tuple[str, str]] = [
        ("b", say("since")),
        ("", f" {reader.at(news.opened)} ({_lasted(news, reader)}) · "),
        ("b", say("seen")),
        ("", f" {times}"),
    ]
    if news.occurrences > 1:
        parts += [("", " · "), ("b", say("last")), ("", f" {reader.at(news.last)}")]
    return Row(tuple(parts), 5)


def _several(told: Sequence[News], reader: Reader) -> list[Row]:
    """Critical and open ones first, each group in the order in which they came up."""
    over = [one for one in told if _is_well(one, reader)]
    open_ones = [one for one in told if not _is_well(one, reader)]
    open_ones.sort(key=lambda one: one.severity is not Severity.CRITICAL)
    worst = next((_ICONS[one.severity] for one in open_ones), "🟢")
    first = reader.say("several", icon=worst, count=len(told))
    if over and len(over) < len(told):
        first += reader.say("several_over", over=len(over))
    listed = [*open_ones, *over]
    rows = [row(first, "b", 9)]
    rows += [row(f"• {head(one, reader)}", weight=4) for one in listed[:_LISTED]]
    if len(listed) > _LISTED:
        rows.append(row(reader.say("and_more", count=len(listed) - _LISTED), weight=6))
    return rows


def _also(others: Sequence[News], reader: Reader) -> str:
    if not others:
        return reader.say("nothing_else_open")
    named = ", ".join(name_of(one, reader) for one in others[:_ALSO])
    more = ", …" if len(others) > _ALSO else ""
    return f"{reader.say('also_open', count=len(others))} ({named}{more})"


def name_of(news: News, reader: Reader) -> str:
    if news.is_incident:
        word = reader.say(news.category) if news.category in PHRASES else news.category
        return f"{news.subject} {word}"
    return news.child or title(news, reader)


def reply(reason: str, told: Sequence[News], reader: Reader) -> list[Row]:
    """A short word: what, how long, and what was done."""
    rows = []
    for news in told[:_LISTED]:
        id = news.subject if news.is_incident else news.child or news.subject
        step = next((one for one in reversed(news.steps) if one.result), None)
        helped = step is not None and reason == "resolved" and step.result == "done"
        done = f"{step.do} ({_short(_detail(step, reader), 120)})" if step and helped else ""
        done = done or _why(news, reader)
        if news.kind == "child":
            done = title(news, reader)
        if not done:
            done = reader.say("by_itself") if reason == "resolved" else title(news, reader)
        if reason == "resolved":
            time = reader.say("resolved_after", time=_lasted(news))
        else:
            time = _lasted(news, reader)
        rows.append(row(reader.say(f"reply_{reason}", id=id, time=time, done=done), weight=5))
    if len(told) > _LISTED:
        rows.append(row(reader.say("and_more", count=len(told) - _LISTED), weight=6))
    return rows


def _why(news: News, reader: Reader) -> str:
    return _short(reason(news.why, reader.lang), 200)


def _detail(step: Step, reader: Reader) -> str:
    """What a repair did; of a person's deed who it was."""
    return reason(step.detail, reader.lang) if step.result else step.detail


def _line(news: News, reader: Reader) -> str:
    """Somebody else's stays as it is; what a look of ours found is a reason."""
    return reason(news.line, reader.lang) if news.where.startswith(LOOK) else news.line


def _lasted(news: News, reader: Reader | None = None) -> str:
    over = reader is None or is_recovered(news, reader.wall)
    end = news.last if over or reader is None else reader.wall
    return lasting(max(0.0, end - news.opened))


def _short(text: str, most: int = 80) -> str:
    first = clean(text, 4096).strip()
    return first if len(first) <= most else f"{first[: most - 1]}…"
