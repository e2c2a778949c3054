"""Troubles that are made on purpose: which request they meet, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Literal, get_args

from monitor.demo.botapi.refusal import (
    NAMES,
    NOT_MODIFIED,
    OTHER_POLLER,
    UNAVAILABLE,
    RefusedError,
    bad,
    conflict,
    flood,
    forbidden,
    migrated,
)
from monitor.demo.botapi.wire import Framing, Manner

When = Literal["connect", "head", "before", "after"]


@dataclass(frozen=True, slots=True)
class Refuse:
    """The answer is this refusal."""

    error: RefusedError


@dataclass(frozen=True, slots=True)
class Page:
    """The answer is a page of a proxy, not JSON."""

    status: int


@dataclass(frozen=True, slots=True)
class Drop:
    """There is no answer: the connection is reset, or just ends."""

    reset: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """The answer comes later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer comes, and the connection stays for as long as the client likes."""


@dataclass(frozen=True, slots=True)
class Spoil:
    """The answer comes, but not as it should."""

    manner: Manner


Effect = Refuse | Page | Drop | Wait | Hang | Spoil


@dataclass(frozen=True, slots=True)
class Fault:
    id: int
    name: str
    effect: Effect
    when: When = "before"  # before the request is worked on, or when it is done
    method: str = "*"  # a pattern; `download` stands for the files
    token: str = ""
    chat: str = ""
    skip: int = 0  # so many requests pass first
    left: int | None = 1  # so many requests are met; None: all
    until: float | None = None  # on the clock of the server
    seen: int = field(default=0, compare=False)

    def meets(self, asked: Asked, now: float) -> bool:
        return (
            self.when == asked.when
            and self.left != 0
            and (self.until is None or now < self.until)
            and fnmatchcase(asked.method.lower(), self.method.lower())
            and self.token in {"", asked.token}
            and self.chat in {"", asked.chat}
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request when a fault may meet it."""

    when: When
    method: str = ""
    token: str = ""
    chat: str = ""


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = count(1)

    def add(self, order: Mapping[str, Any], now: float) -> Fault:
        fault = read(order, next(self._numbers), now)
        self._faults.append(fault)
        return fault

    def take(self, asked: Asked, now: float) -> Fault | None:
        """The first fault that meets the request; it is used up by one."""
        for at, fault in enumerate(self._faults):
            if not fault.meets(asked, now):
                continue
            if fault.skip:
                self._faults[at] = replace(fault, skip=fault.skip - 1)
                continue
            left = None if fault.left is None else fault.left - 1
            self._faults[at] = replace(fault, left=left, seen=fault.seen + 1)
            return fault
        return None

    def all(self) -> list[Fault]:
        return list(self._faults)

    def clear(self, id: int | None = None) -> None:
        self._faults = [] if id is None else [f for f in self._faults if f.id != id]


def read(order: Mapping[str, Any], id: int, now: float) -> Fault:
    """A fault as it was ordered; ValueError says what is wrong with the order."""
    name = str(order.get("fault", ""))
    seconds = order.get("seconds")
    times = order.get("times", None if seconds is not None else 1)
    when: When = order.get("when") or ("connect" if name == "black hole" else "before")
    if when not in get_args(When):
        raise ValueError(f"when must be one of {', '.join(get_args(When))}")
    return Fault(
        id,
        name,
        effect(name, order),
        when,
        str(order.get("method", "*")),
        str(order.get("token", "")),
        str(order.get("chat", "")),
        int(order.get("skip", 0)),
        None if times is None else int(times),
        None if seconds is None else now + float(seconds),
    )


def effect(name: str, order: Mapping[str, Any]) -> Effect:
    if (refusal := REFUSALS.get(name)) is not None:
        return Refuse(refusal)
    match name:
        case "flood":
            return Refuse(flood(int(order.get("retry_after", 1))))
        case "migrate":
            return Refuse(migrated(int(order["to"])))
        case "error":
            code = int(order["code"])
            text = order.get("description") or NAMES.get(code, "Error")
            return Refuse(RefusedError(code, str(text), **order.get("parameters", {})))
        case "page":
            return Page(int(order.get("status", 502)))
        case "drop":
            return Drop(bool(order.get("reset", True)))
        case "wait":
            return Wait(float(order["for"]))
        case "hang" | "black hole":
            return Hang()
        case "cut" | "pace" | "blank":
            return Spoil(_manner(name, order))
    known = [*REFUSALS, "flood", "migrate", "error", "page", "drop", "wait", "hang"]
    raise ValueError(
        f"unknown fault {name!r}; known: {', '.join([*known, 'black hole', 'cut', 'pace', 'blank'])}"
    )


def _manner(name: str, order: Mapping[str, Any]) -> Manner:
    if name == "blank":
        return Manner(blank=int(order["bytes"]))
    framing: Framing = order.get("framing", "length")
    if framing not in get_args(Framing):
        raise ValueError(f"framing must be one of {', '.join(get_args(Framing))}")
    most, pace = order.get("bytes"), order.get("pace")
    return Manner(
        None if most is None else int(most), framing, None if pace is None else float(pace)
    )


REFUSALS: dict[str, RefusedError] = {
    "blocked": forbidden("bot was blocked by the user"),
    "deactivated": forbidden("user is deactivated"),
    "kicked": forbidden("bot was kicked from the supergroup chat"),
    "not a member": forbidden("bot is not a member of the channel chat"),
    "cannot initiate": forbidden("bot can't initiate conversation with a user"),
    "chat not found": bad("chat not found"),
    "not modified": bad(NOT_MODIFIED),
    "edit not found": bad("message to edit not found"),
    "cannot edit": bad("message can't be edited"),
    "delete not found": bad("message to delete not found"),
    "reply not found": bad("message to be replied not found"),
    "cannot parse": bad(
        "can't parse entities: Can't find end tag corresponding to start tag \"b\""
    ),
    "too long": bad("message is too long"),
    "button invalid": bad("BUTTON_DATA_INVALID"),
    "file too big": bad("file is too big"),
    "unavailable": bad(UNAVAILABLE),
    "wrong file": bad("wrong file identifier/HTTP URL specified"),
    "unauthorized": RefusedError(401, "Unauthorized"),
    "not found": RefusedError(404, "Not Found"),
    "conflict": conflict(OTHER_POLLER),
    "request too large": RefusedError(413, "Request Entity Too Large"),
    "server error": RefusedError(500, "Internal Server Error"),
    "restarting": RefusedError(500, "Internal Server Error: restart"),
}
