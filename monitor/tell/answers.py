"""What came of a request: the words between the monitor and the process that sends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.tell.incoming import Incoming


class Came(StrEnum):
    """What came of it, told apart because each is answered differently."""

    OK = "ok"
    RETRY_AFTER = "retry_after"
    MIGRATED = "migrated"
    FORBIDDEN = "forbidden"
    CHAT_NOT_FOUND = "chat_not_found"
    CANT_PARSE = "cant_parse"
    NOT_MODIFIED = "not_modified"
    EDIT_GONE = "edit_gone"
    BAD_REQUEST = "bad_request"
    MAYBE = "maybe_delivered"  # the request went out and no answer came
    NETWORK = "network"  # it was certainly not taken
    UNAUTHORIZED = "unauthorized"
    CONFLICT = "conflict"  # another one listens with the same token, or a webhook does


@dataclass(frozen=True, slots=True)
class Answer:
    """One classified result; `why` is for people and holds no secret."""

    came: Came
    message: int | None = None
    seconds: float = 0.0  # how long it told us to wait
    chat: int | None = None  # where the chat has moved
    why: str = ""
    updates: tuple[Incoming, ...] = ()
