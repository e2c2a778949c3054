"""The monitor's own Unix socket: a line of JSON in, a line of JSON out, then it is closed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Verb = Callable[["Asker", Mapping[str, Any]], Awaitable[Any]]

_MOST = 64 << 10
_PATIENCE = 10.0


class NoError(Exception):
    """Said by a verb that will not do it; the text reaches the one who asked."""


class Asker(Protocol):
    """Who wants it, by the name under which it is recorded."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the kernel says."""

    uid: int
    pid: int

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


@contextlib.asynccontextmanager
async def serve(path: Path, verbs: Mapping[str, Verb], patience: float = _PATIENCE) -> Any:
    """Answer at `path` for as long as the context lasts; only root and our own user are heard."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asker = _peer(writer)
            if asker.uid in (0, os.geteuid()):
                async with asyncio.timeout(patience):
                    line = await reader.readline()
                writer.write(json.dumps(await _do(verbs, asker, line)).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass  # who does not ask gets no answer
        finally:
            writer.close()

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    me = os.geteuid()
    if path.parent.stat().st_uid != me or path.parent.lstat().st_uid not in (0, me):
        raise PermissionError(f"{path.parent} belongs to another user")
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(answer, path, limit=_MOST)
    finally:
        os.umask(before)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def _do(verbs: Mapping[str, Verb], asker: Asker, line: bytes) -> dict[str, Any]:
    try:
        question = json.loads(line)
        verb = verbs[question.pop("verb")]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return {"refused": f"not a question; known are: {', '.join(verbs)}"}
    try:
        return {"answer": await verb(asker, question)}
    except NoError as no:
        return {"refused": str(no)}
    except Exception as error:  # noqa: BLE001 - one broken verb must not silence the socket
        return {"refused": f"{type(error).__name__}: {error}"}


def _peer(writer: asyncio.StreamWriter) -> Peer:
    raw = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _ = struct.unpack("3i", raw)
    return Peer(uid, pid)
