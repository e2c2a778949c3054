"""What a person writes to the bot, read as an order; pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.records.story import number_of
from monitor.settings import seconds
from monitor.tell.presses import FRESH

COMMANDS = (
    *("status", "incidents", "log", "events", "ack", "retry", "restart", "stop", "start"),
    *("mute", "unmute", "pause", "resume", "digest", "help"),
)
LOOKS = ("status", "incidents", "log", "events", "digest", "help")  # nothing comes of them
ALL = "all"
_OF_CHILDREN = ("restart", "stop", "start")


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted, of whom, for how long."""

    do: str
    names: tuple[str, ...] = ()  # children; none is all of them
    ids: tuple[int, ...] = ()
    what: str = ""  # of a mute
    lasts: float | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """The name of the phrase that says what is wrong, and its fact."""

    why: str
    fact: str = ""


def parsed(text: str, children: Sequence[str]) -> Order | Wrong | None:
    """None for what is no command at all."""
    words = text.split()
    if not words or not words[0].startswith("/"):
        return None
    do, rest = words[0][1:].lower(), words[1:]
    if do not in COMMANDS:
        return Wrong("order_unknown", words[0][:32])
    if do in _OF_CHILDREN:
        return _of_children(do, rest, children)
    if do in ("ack", "retry"):
        return _of_incidents(do, rest)
    if do in ("mute", "pause"):
        return _lasting(do, rest)
    if do == "log":
        return _of_log(rest, children)
    what = rest[0] if do == "unmute" and rest else ""
    return Order(do, what=_subject(what))


def _of_children(do: str, rest: list[str], children: Sequence[str]) -> Order | Wrong:
    """A bare /start is what Telegram's own button says: it starts nobody."""
    if do == "start" and not rest:
        return Order("help")
    if rest == [ALL]:
        return Order(do)
    unknown = [name for name in rest if name not in children]
    return Wrong("order_no_child", unknown[0][:64]) if unknown else Order(do, tuple(rest))


def _of_incidents(do: str, rest: list[str]) -> Order | Wrong:
    ids = [number_of(word) for word in rest]
    known = tuple(id for id in ids if id is not None)
    return Order(do, ids=known) if known and len(known) == len(ids) else Wrong("order_no_id", do)


def _lasting(do: str, rest: list[str]) -> Order | Wrong:
    """A time and, of a mute, what; in any order."""
    lasts, what = None, ""
    for word in rest:
        try:
            lasts = seconds(word)
        except ValueError:
            what = word
    if (do == "pause" and what) or lasts == 0:
        return Wrong("order_no_time", (what or "0")[:32])
    return Order(do, what=_subject(what), lasts=lasts)


def _of_log(rest: list[str], children: Sequence[str]) -> Order | Wrong:
    name = rest[0] if rest else next(iter(children), "monitor")
    known = name in children or name == "monitor"
    return Order("log", (name,)) if known else Wrong("order_no_child", name[:64])


def _subject(word: str) -> str:
    """An incident by its whole name; a child or a category as it is."""
    number = number_of(word)
    return word[:64] if number is None else f"INC-{number}"


def is_fresh(age: float, date: float, wall: float) -> bool:
    """It came while we listened, or Telegram took it just now; a backlog is neither."""
    return age <= FRESH or abs(wall - date) <= FRESH
