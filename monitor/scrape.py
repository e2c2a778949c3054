"""GET /metrics and GET /healthz over TCP, for who is asked to look from outside; nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

_PATIENCE = 5.0
_MOST = 8 << 10  # bytes of a request

# What to answer to a path: status and text; None for a path that is nothing here.
Answer = Callable[[str], tuple[int, str] | None]


@contextlib.asynccontextmanager
async def scraped(address: str, answer: Answer) -> AsyncIterator[None]:
    """Answer at HOST:PORT for as long as the context lasts; nowhere when the address is empty.

    Raises OSError when the address is taken.
    """
    if not address:
        yield
        return

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError, ValueError, EOFError):
            async with asyncio.timeout(_PATIENCE):
                writer.write(_reply(await reader.readuntil(b"\r\n\r\n"), answer))
                await writer.drain()
        writer.close()

    host, _, port = address.rpartition(":")
    server = await asyncio.start_server(reply, host.strip("[]"), int(port), limit=_MOST)
    try:
        yield
    finally:
        server.close()


def _reply(head: bytes, answer: Answer) -> bytes:
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split()
    if len(words) != 3 or words[0] not in ("GET", "HEAD"):
        return _http(405, "only GET\n")
    found = answer(words[1].partition("?")[0])
    status, text = found if found is not None else (404, "known: /metrics /healthz\n")
    return _http(status, text, body=words[0] == "GET")


def _http(status: int, text: str, *, body: bool = True) -> bytes:
    data = text.encode()
    head = (
        f"HTTP/1.1 {status} {'OK' if status < 300 else 'No'}\r\n"
        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(data)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (data if body else b"")
