"""The chat page: what a person sees of the chats, on a screen of a phone's size."""

from __future__ import annotations

from pathlib import Path

from monitor.demo.botapi.wire import Answer, json_answer

_FOLDER = Path(__file__).parent
_FILES = {
    "/": ("chat.html", "text/html; charset=utf-8"),
    "/chat.js": ("chat.js", "text/javascript; charset=utf-8"),
    "/chat.css": ("chat.css", "text/css; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def answer(path: str) -> Answer:
    found = _FILES.get(path)
    if found is None:
        return json_answer({"ok": False, "error_code": 404, "description": "Not Found"}, 404)
    name, type = found
    return Answer(200, (_FOLDER / name).read_bytes(), type, _HEADERS)
