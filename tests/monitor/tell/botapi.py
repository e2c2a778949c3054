"""The far end of Telegram on loopback: keeps what it was sent, and fails as it is told to."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TOKEN = "123456789:AAH-canary-canary-canary-canary-canary"
ADMIN = 4242


@dataclass
class Call:
    """One request as it arrived, and whether it was done."""

    method: str
    fields: dict[str, str]
    at: float
    done: bool = False
    message: int = 0

    @property
    def text(self) -> str:
        return self.fields.get("text", "")


Fault = Callable[["Handler", Call], bool]  # answers by itself and says so, or leaves it


@dataclass
class BotApi:
    """What a person would see in the chats, and every call in its order."""

    calls: list[Call] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)  # by message, as it reads now
    fault: Fault | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    open: set[socket.socket] = field(default_factory=set)

    def done(self, *methods: str) -> list[Call]:
        with self.lock:
            return [c for c in self.calls if c.done and (not methods or c.method in methods)]

    def sent(self) -> list[str]:
        return [call.text for call in self.done("sendMessage")]

    def do(self, call: Call) -> tuple[int, Any]:
        """As Telegram would do it."""
        with self.lock:
            if call.method == "getMe":
                call.done = True
                return 200, {"id": 1, "is_bot": True, "first_name": "v", "username": "v_bot"}
            if len(call.text) > 5000 or _unbalanced(call):
                return 400, "Bad Request: can't parse entities: unclosed tag"
            number = int(call.fields.get("message_id", 0))
            if call.method == "editMessageText":
                if number not in self.texts:
                    return 400, "Bad Request: message to edit not found"
                if self.texts[number] == call.text:
                    return 400, "Bad Request: message is not modified"
            else:
                number = len(self.texts) + 100
            self.texts[number] = call.text
            call.done, call.message = True, number
            chat = {"id": int(call.fields["chat_id"]), "type": "private"}
            return 200, {"message_id": number, "date": 1, "chat": chat, "text": call.text}


def _unbalanced(call: Call) -> bool:
    text = call.text
    return call.fields.get("parse_mode") == "HTML" and any(
        text.count(f"<{tag}>") != text.count(f"</{tag}>") for tag in ("b", "pre", "i")
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: BotApi

    def setup(self) -> None:
        super().setup()
        self.api.open.add(self.connection)

    def finish(self) -> None:
        self.api.open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        token, _, method = self.path.removeprefix("/bot").partition("/")
        call = Call(method, dict(parse_qsl(body.decode())), time.monotonic())
        with self.api.lock:
            self.api.calls.append(call)
        if token != TOKEN:
            self.refuse(401, "Unauthorized")
        elif not (self.api.fault and self.api.fault(self, call)):
            self.answer(*self.api.do(call))

    def answer(self, status: int, result: Any) -> None:
        if status == 200:
            self.raw(200, json.dumps({"ok": True, "result": result}).encode())
        else:
            self.refuse(status, result)

    def refuse(self, status: int, why: str, **parameters: Any) -> None:
        body = {"ok": False, "error_code": status, "description": why}
        if parameters:
            body["parameters"] = parameters
        self.raw(status, json.dumps(body).encode())

    def raw(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


class Server:
    """`with Server() as api`: listens until the end; `down` and `up` keep the same address."""

    def __init__(self) -> None:
        self.api = BotApi()
        self.port = 0
        self._http: ThreadingHTTPServer | None = None
        self._thread: threading.Thread

    def up(self) -> None:
        handler = type("Bound", (Handler,), {"api": self.api})
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._http.server_port
        self.api.url = f"http://127.0.0.1:{self.port}"
        serve = self._http.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.01,), daemon=True)
        self._thread.start()

    def down(self) -> None:
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._thread.join()
            self._http = None
        for connection in list(self.api.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> BotApi:
        self.up()
        return self.api

    def __exit__(self, *_: object) -> None:
        self.api.closing.set()
        self.down()
