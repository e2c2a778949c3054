"""Buttons that only we can have made: what stands behind one, and whether a press of it counts."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

FRESH = 60.0  # seconds: an older word is refused, for much may have changed since
LASTS = 24  # hours for which a button is good
_MAC = 12  # bytes of the signature: nobody guesses one of 2^96
_HOUR = 3600.0
_FORM = re.compile(
    r"a1\|([a-zA-Z])\|([0-9a-z]{1,11})\|([0-9a-z]{1,5})\|([0-9a-z]{1,6})\|([\w-]{16})", re.ASCII
)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Key(StrEnum):
    """What a button does, by the letter that stands for it."""

    ACK = "a"
    MUTE_1H = "m"
    MUTE_8H = "M"
    RETRY = "r"
    RESTART = "R"
    LOG = "l"
    PUT_BACK = "p"
    YES = "y"
    NO = "n"


ONCE = frozenset(Key) - {Key.LOG, Key.RESTART}  # what only looks or only asks may be pressed again


@dataclass(frozen=True, slots=True)
class Mark:
    """The message under which a button stands, and what makes it this message and no other."""

    post: int
    made: float
    chat: str


@dataclass(frozen=True, slots=True)
class Good:
    key: Key
    post: int


@dataclass(frozen=True, slots=True)
class Bad:
    """The name of the phrase that says why."""

    why: str


class Seal:
    """Makes and checks the data of buttons with a secret of this home."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def data(self, key: Key, mark: Mark, used: int, wall: float) -> str:
        """At most 64 bytes; `used` is how often such a button was pressed here before."""
        until = int(wall // _HOUR) + LASTS + 1
        words = f"a1|{key}|{_b36(mark.post)}|{_b36(used)}|{_b36(until)}"
        return f"{words}|{self._mac(words, mark)}"

    def judge(
        self,
        data: str,
        mark_of: Callable[[int], Mark | None],
        used: Callable[[Key, int], int],
        age: float,
        wall: float,
    ) -> Good | Bad:
        """Whether this press does something; the first reason against it."""
        found = _FORM.fullmatch(data)
        if found is None or found[1] not in set(Key):
            return Bad("press_unknown")
        key, post = Key(found[1]), int(found[2], 36)
        mark = mark_of(post)
        if mark is None:
            return Bad("press_gone")
        if not hmac.compare_digest(found[5], self._mac(data[: found.start(5) - 1], mark)):
            return Bad("press_unknown")
        if int(found[4], 36) * _HOUR <= wall:
            return Bad("press_expired")
        if key in ONCE and int(found[3], 36) != used(key, post):
            return Bad("press_used")
        if age > FRESH:
            return Bad("press_late")
        return Good(key, post)

    def _mac(self, words: str, mark: Mark) -> str:
        signed = f"{words}|{mark.made:.3f}|{mark.chat}".encode()
        mac = hmac.new(self._secret, signed, sha256).digest()[:_MAC]
        return urlsafe_b64encode(mac).decode()


def is_let_in(user: int, chat: int, listed: Iterable[str]) -> bool:
    """The person and the chat are both on the list."""
    known = set(listed)
    return bool(user) and str(user) in known and str(chat) in known


def age_of(heard: float | None, now: float) -> float:
    """How old a word may be that just came in: it was not there when we listened last."""
    return float("inf") if heard is None else max(0.0, now - heard)


def _b36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
