"""A client of the Bot API server that is nobody's: bytes as they are wanted."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from typing import Any

from monitor.demo.botapi import BotApi


def ask(api: BotApi, method: str, token: str = "", **words: Any) -> dict[str, Any]:
    """One request as JSON, and the whole answer with `status`."""
    body = json.dumps(words).encode("utf-8", "surrogatepass")
    return post(api, method, body, "application/json", token)


def post(
    api: BotApi, method: str, body: bytes, type: str = "", token: str = "", query: str = ""
) -> dict[str, Any]:
    path = f"/bot{token or api.token}/{method}{query}"
    status, _, answer = http_ask(api, "POST", path, body, {"Content-Type": type} if type else {})
    return {"status": status, **json.loads(answer)}


def http_ask(
    api: BotApi,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=20)) as connection:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()


def raw(api: BotApi, sent: bytes, end: bool = True) -> bytes:
    """What comes back for these bytes until the server has no more to say."""
    with closing(socket.create_connection(("127.0.0.1", api.port), timeout=20)) as to:
        to.sendall(sent)
        if end:
            to.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: to.recv(65536), b""))
