"""What the pipeline answers on its control socket: HTTP on a Unix socket, made by the monitor."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

BEAT = 5.0


class Pulse:
    """When the last piece of work was finished; `age` is what liveness means."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    async def beat(self) -> None:
        """With no work there is, the turn of the loop is the work."""
        while True:
            self._last = time.monotonic()
            await asyncio.sleep(BEAT)

    def age(self) -> float:
        return time.monotonic() - self._last


@contextlib.asynccontextmanager
async def serve(path: Path, pulse: Pulse) -> AsyncIterator[None]:
    """Answer `GET /health` at `path` for as long as the context lasts."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError, ValueError):
            async with asyncio.timeout(5):
                request = await reader.readuntil(b"\r\n\r\n")
            writer.write(_reply(request, pulse))
            await writer.drain()
        writer.close()

    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(answer, path)
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def _reply(request: bytes, pulse: Pulse) -> bytes:
    words = request.split(b"\r\n", 1)[0].split()
    if words[:2] == [b"GET", b"/health"]:
        return _http(200, "OK", {"age": round(pulse.age(), 3)})
    return _http(404, "Not Found", {"error": "known here: GET /health"})


def _http(status: int, reason: str, body: Any) -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data
