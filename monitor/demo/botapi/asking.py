"""Orders and questions to a running server, each over a connection of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import uuid
from typing import Any

_PATIENCE = 30.0  # seconds for any one answer


def ask(port: int, method: str, path: str, body: bytes | None, type: str) -> Any:
    """What the server answers; ValueError with its words when it refuses."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path, body, {"Content-Type": type} if type else {})
        response = connection.getresponse()
        answer = json.loads(response.read())
    if response.status != 200:
        raise ValueError(answer.get("error") or answer.get("description"))
    return answer


def multipart(words: dict[str, str], files: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    mark = uuid.uuid4().hex
    parts = []
    for name, word in words.items():
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts.append(head.encode() + word.encode("utf-8", "surrogatepass") + b"\r\n")
    for name, (file, data) in files.items():
        safe = file.replace('"', "%22").replace("\r", "").replace("\n", "")
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{safe}"\r\n\r\n'
        )
        parts.append(head.encode() + data + b"\r\n")
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"
