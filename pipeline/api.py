"""What the pipeline answers on its control socket: small HTTP on a Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from pipeline.events import said

say = structlog.get_logger(part="pipeline.api")
_MOST = 4 << 20  # bytes of a body


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any


# What was asked (the groups of the path) and the body; a part that has more to say adds its own.
Handler = Callable[[dict[str, str], Any], Awaitable[Reply]]
Routes = dict[tuple[str, str], Handler]  # the method and a pattern of the whole path


@contextlib.asynccontextmanager
async def serve(path: Path, routes: Routes) -> AsyncIterator[None]:
    """Answer at `path` for as long as the context lasts; only our own user gets in."""
    compiled = [(method, re.compile(pattern), call) for (method, pattern), call in routes.items()]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError, ValueError, EOFError):
            async with asyncio.timeout(30):
                writer.write(_http(await _answered(reader, compiled)))
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


async def _answered(
    reader: asyncio.StreamReader, routes: list[tuple[str, re.Pattern[str], Handler]]
) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    words = head.split("\r\n", 1)[0].split()
    length = re.search(r"^content-length:\s*(\d+)", head, re.IGNORECASE | re.MULTILINE)
    size = int(length[1]) if length else 0
    if len(words) < 2 or size > _MOST:
        return Reply(400, {"error": "no request that is understood here"})
    raw = await reader.readexactly(size)
    try:
        body = json.loads(raw) if raw.strip() else None
    except ValueError:
        return Reply(400, {"error": "the body is no JSON"})
    method, where = words[0], words[1].partition("?")[0]
    for known, pattern, call in routes:
        if known == method and (found := pattern.fullmatch(where)):
            try:
                return await call(found.groupdict(), body)
            except Exception as error:  # noqa: BLE001 -- who asks must get an answer
                say.warning("request.failed", asked=f"{method} {where}", error=said(error))
                return Reply(500, {"error": said(error)})
    return Reply(
        404, {"error": f"known here: {', '.join(f'{m} {p.pattern}' for m, p, _ in routes)}"}
    )


def _http(reply: Reply) -> bytes:
    data = json.dumps(reply.body).encode()
    head = (
        f"HTTP/1.1 {reply.status} {'OK' if reply.status < 300 else 'No'}\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n"
    )
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data
