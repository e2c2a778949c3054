"""How the Bot API says no."""

from __future__ import annotations

from typing import Any

NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


class RefusedError(Exception):
    """A request that is answered with `ok: false`; the description is the server's whole text."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad(text: str) -> RefusedError:
    """A 400; the first letter is lowered as the server does, unless the word is in capitals."""
    small = text if text[1:2].isupper() or text[1:2] == "_" else text[:1].lower() + text[1:]
    return RefusedError(400, f"Bad Request: {small}")


def forbidden(text: str) -> RefusedError:
    return RefusedError(403, f"Forbidden: {text}")


def flood(seconds: int) -> RefusedError:
    text = f"Too Many Requests: retry after {seconds}"
    return RefusedError(429, text, retry_after=seconds)


def migrated(to: int) -> RefusedError:
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    return RefusedError(400, text, migrate_to_chat_id=to)


def conflict(text: str) -> RefusedError:
    return RefusedError(409, f"Conflict: {text}")


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
OTHER_POLLER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active;"
    " use deleteWebhook to delete the webhook first"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
UNAVAILABLE = "wrong file_id or the file is temporarily unavailable"
