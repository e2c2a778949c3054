"""Messages that are about no trouble: the start, the end, the daily digest, a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.tell.markup import Row, row
from monitor.tell.wording import Reader, head, name_of
from monitor.tell.words import News
from monitor.texts import lasting

_LISTED = 15


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted since some moment."""

    since: float  # wall clock
    incidents: int = 0
    resolved: int = 0
    failed: int = 0
    sent: int = 0
    lost: int = 0


def start(facts: Mapping[str, str], reader: Reader) -> list[Row]:
    say = reader.say
    rows = [row(say("start", version=facts["version"], host=reader.host), "b", 9)]
    named = [name for name in ("children", "least", "quiet") if facts.get(name)]
    rows += [Row((("b", say(f"start_{name}")), ("", f" {facts[name]}")), 5) for name in named]
    rows.append(row(say("start_changed"), weight=2))
    return rows


def summary(
    facts: Mapping[str, str], tally: Tally, others: Sequence[News], reader: Reader
) -> list[Row]:
    return [
        row(reader.say("summary", host=reader.host, why=facts.get("why", "")), "b", 9),
        row(_counted(tally, reader), weight=8),
        row(_open(others, reader), weight=8),
    ]


def digest(
    tally: Tally,
    noted: Sequence[News],
    others: Sequence[News],
    shapes: Sequence[tuple[str, int]],
    up: float,
    reader: Reader,
) -> list[Row]:
    """The day in a few lines; on a quiet day it proves that the channel works."""
    say = reader.say
    rows = [row(say("digest", host=reader.host), "b", 9)]
    if tally.incidents:
        rows.append(row(_counted(tally, reader), weight=8))
    else:
        since = lasting(max(0.0, reader.wall - tally.since))
        rows.append(row(say("sign_of_life", time=since, up=lasting(up)), weight=8))
    rows.append(row(say("sent", sent=tally.sent, lost=tally.lost), weight=5))
    rows.append(row(_open(others, reader), weight=8))
    if noted:
        rows.append(row(say("noted"), "b", 4))
        rows += [row(f"• {head(news, reader)}", weight=3) for news in noted[:_LISTED]]
    if len(noted) > _LISTED:
        rows.append(row(say("and_more", count=len(noted) - _LISTED), weight=3))
    if shapes:
        rows.append(row(say("shapes"), "b", 4))
        rows += [row(f"• ×{count} {text}", weight=2) for text, count in shapes]
    return rows


def test(reader: Reader) -> list[Row]:
    return [row(reader.say("test", host=reader.host), weight=9)]


def _counted(tally: Tally, reader: Reader) -> str:
    return reader.say(
        "tally",
        time=lasting(max(0.0, reader.wall - tally.since)),
        incidents=tally.incidents,
        resolved=tally.resolved,
        failed=tally.failed,
    )


def _open(others: Sequence[News], reader: Reader) -> str:
    if not others:
        return reader.say("nothing_else_open")
    named = ", ".join(name_of(one, reader) for one in others[:_LISTED])
    return f"{reader.say('also_open', count=len(others))} ({named})"
