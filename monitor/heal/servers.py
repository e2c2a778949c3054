"""Whether a server is there: a connection, or for our own Bot API server a word of HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
from urllib.parse import urlsplit

PATIENCE = 3.0
BOT_API_DOWN = "vigia.bot_api_down"
_NOBODY_BEHIND = (502, 503, 504)  # a proxy answers for a server that is down


async def answers(address: tuple[str, int]) -> str:
    """Empty when somebody takes the connection, else why not; nothing is sent."""
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(*address)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except OSError as error:
        return _said(error)
    await _close(writer)
    return ""


async def answer_of(url: str) -> str:
    """Empty when HTTP is spoken there, whatever it says: the root of a Bot API server is a 404."""
    parts = urlsplit(url)
    if parts.scheme == "https":  # the resident monitor carries no TLS: a connection must do
        return await answers((parts.hostname or "", parts.port or 443))
    try:
        async with asyncio.timeout(PATIENCE):
            status = await _status(parts.hostname or "", parts.port or 80)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except (OSError, ValueError) as error:
        return _said(error)
    return f"HTTP {status}" if status in _NOBODY_BEHIND else ""


def _said(error: OSError | ValueError) -> str:
    """In the system's words; asyncio puts addresses in their place."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number and number > 0 else str(error)


async def _status(host: str, port: int) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        await writer.drain()
        words = (await reader.readline()).split()
    finally:
        await _close(writer)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ValueError("it does not speak HTTP")
    return int(words[1])


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
