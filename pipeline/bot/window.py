"""When messages of one person belong together: decisions, without a clock of their own.

The times are those of the wall: a batch that is open must survive a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

# Items of an album come as messages of their own, within moments of each other.
_ALBUM_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Rules:
    quiet: float = 12.5  # seconds after the last message
    longest: float = 60.0  # seconds after the first
    most: int = 10  # items


@dataclass(frozen=True, slots=True)
class Window:
    """A batch: how much it holds, when it began, when it closes."""

    count: int
    opened_at: float
    closes_at: float
    chat: int = 0
    album: str = ""  # of its last item


@dataclass(frozen=True, slots=True)
class Item:
    chat: int = 0
    album: str = ""


def opened(item: Item, now: float, rules: Rules) -> Window:
    return joined(Window(0, now, now, item.chat), item, now, rules)


def joined(window: Window, item: Item, now: float, rules: Rules) -> Window:
    """With one item more it waits anew for silence, but never beyond its longest time."""
    count = window.count + 1
    pause = min(_ALBUM_PAUSE, rules.quiet) if item.album else 0.0
    if count >= rules.most:
        closes = now + pause
    else:
        closes = min(now + rules.quiet, max(window.opened_at + rules.longest, now + pause))
    return replace(window, count=count, closes_at=closes, album=item.album)


def takes(window: Window, item: Item, now: float, rules: Rules) -> bool:
    """Whether the item still belongs to it; an album is never torn apart."""
    if over(window, now, rules) or item.chat != window.chat:
        return False
    return window.count < rules.most or (item.album != "" and item.album == window.album)


def over(window: Window, now: float, rules: Rules) -> bool:
    """Whether it is to be closed: its time has come, or the clock was set back behind its begin."""
    return now >= window.closes_at or window.closes_at - now > rules.longest + rules.quiet
