"""Which buttons stand under a message."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.tell.alerts import is_over
from monitor.tell.presses import Key
from monitor.tell.words import News

_WORDS = {
    Key.ACK: "key_ack",
    Key.MUTE_1H: "key_mute_1h",
    Key.MUTE_8H: "key_mute_8h",
    Key.RETRY: "key_retry",
    Key.RESTART: "key_restart",
    Key.LOG: "key_log",
    Key.PUT_BACK: "key_put_back",
    Key.YES: "key_yes",
    Key.NO: "key_no",
}
PUT_BACK = "put_back"  # as it stands among what was done


def phrase_of(key: Key) -> str:
    return _WORDS[key]


def keys_for(told: Sequence[News], wall: float) -> list[list[Key]]:
    """None when all is over; what was moved away can be put back also then."""
    rows: list[list[Key]] = []
    open_ones = [news for news in told if not is_over(news, wall)]
    if open_ones:
        acks = [Key.ACK] if any(one.is_incident and not one.acked_by for one in open_ones) else []
        rows.append([*acks, Key.MUTE_1H, Key.MUTE_8H])
        rows.append(_for_children(open_ones))
    if any(is_put_away(one) for one in told):
        rows.append([Key.PUT_BACK])
    return [row for row in rows if row]


def _for_children(open_ones: Sequence[News]) -> list[Key]:
    children = {one.child for one in open_ones if one.child}
    keys = []
    if any(one.is_incident and one.state not in ("fixing", "alert_only") for one in open_ones):
        keys.append(Key.RETRY)
    if children:
        keys.append(Key.RESTART)
    if len(children) == 1:
        keys.append(Key.LOG)
    return keys


def is_put_away(news: News) -> bool:
    """A file of it went into quarantine, and was not put back."""
    for step in reversed(news.steps):
        if step.do == PUT_BACK:
            return False
        if step.do == "quarantine" and step.result in ("done", "failed", "unknown"):
            return True
    return False
