"""The only one that talks to a child: small HTTP over the Unix socket it may serve."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST = 1 << 20  # bytes of an answer; no child needs more to say how it is


class NoAnswerError(Exception):
    """The child serves the socket but gave no usable answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any


def is_served(socket: Path) -> bool:
    """Whether there is a socket to ask at all; many programs have none."""
    try:
        return stat.S_ISSOCK(os.stat(socket, follow_symlinks=False).st_mode)
    except OSError:
        return False


async def ask(socket: Path, method: str, path: str, patience: float = 5.0) -> Answer:
    """One request, one answer in JSON; raises NoAnswerError with what was wrong."""
    try:
        async with asyncio.timeout(patience):
            return await _exchange(socket, method, path)
    except TimeoutError:
        raise NoAnswerError(f"no answer to {method} {path} within {patience:g} s") from None
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        raise NoAnswerError(f"{method} {path}: {error}") from None


async def _exchange(socket: Path, method: str, path: str) -> Answer:
    reader, writer = await asyncio.open_unix_connection(str(socket), limit=_MOST)
    try:
        head = f"{method} {path} HTTP/1.0\r\nHost: child\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        raw = await reader.read(_MOST)
        while raw and len(raw) < _MOST and (more := await reader.read(_MOST - len(raw))):
            raw += more
    finally:
        writer.close()
    return _answer(raw)


def _answer(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ValueError("it does not speak HTTP")
    return Answer(int(words[1]), json.loads(body) if body.strip() else None)
