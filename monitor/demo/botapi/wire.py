"""HTTP/1.1 as bytes: heads and bodies come in, answers go out, whole or broken on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

CHUNK = 256 * 1024
LINGER = 2.0  # seconds
MOST_HEAD = 64 * 1024
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,12}")


class BadRequestError(Exception):
    """What came is not HTTP that we speak; the connection is closed after the answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class TooLargeError(BadRequestError):
    def __init__(self) -> None:
        super().__init__(413, "Request Entity Too Large")


@dataclass(frozen=True, slots=True)
class Head:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    keep: bool  # whether the connection may serve another request


@dataclass(frozen=True, slots=True)
class FilePart:
    """The bytes of a file from `start` on, read as they are sent."""

    path: Path
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes | FilePart = b""
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.size


Framing = Literal["length", "close", "chunked"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is sent: `most` bytes of its body, framed so, at so many bytes a second; from
    `blank` on there is nothing but zeros in it.
    """

    most: int | None = None
    framing: Framing = "length"
    pace: float | None = None
    blank: int | None = None


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    return Answer(status, body, headers=headers)


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The head of the next request, None when the client has no more of them."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequestError(400, "the head of the request is cut") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequestError(431, "the head of the request is too large") from None
    first, *rest = raw.decode("latin-1").strip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        raise BadRequestError(400, "the first line is not that of an HTTP/1.1 request")
    headers = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError(400, "a header has no colon")
        headers[name.strip().lower()] = value.strip()
    path, _, query = words[1].partition("?")
    asked = headers.get("connection", "").lower()
    keep = asked != "close" if words[2] == "HTTP/1.1" else asked == "keep-alive"
    return Head(words[0], path, query, headers, keep)


class Body:
    """The body of one request, read in pieces and never more than `most` bytes."""

    def __init__(
        self,
        head: Head,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        most: int,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._most = most
        self._seen = 0
        self._chunked = head.headers.get("transfer-encoding", "").lower() == "chunked"
        length = head.headers.get("content-length", "0")
        if not _LENGTH.fullmatch(length):
            raise BadRequestError(400, "Content-Length is not a number")
        self._left = 0 if self._chunked else int(length)
        self.ended = not self._chunked and not self._left
        self._wants_leave = head.headers.get("expect", "").lower() == "100-continue"
        if self._left > most:
            raise TooLargeError

    async def pieces(self) -> AsyncIterator[bytes]:
        if self._wants_leave and not self.ended:
            self._wants_leave = False
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self.ended:
            if self._chunked and not self._left:
                await self._next_chunk()
                continue
            piece = await self._reader.read(min(CHUNK, self._left))
            if not piece:
                raise BadRequestError(400, "the body of the request is cut")
            self._left -= len(piece)
            self._seen += len(piece)
            if self._chunked and not self._left:
                await self._reader.readexactly(2)
            self.ended = not self._chunked and not self._left
            yield piece

    async def _next_chunk(self) -> None:
        try:
            line = await self._reader.readline()
        except ValueError:
            raise BadRequestError(400, "a chunk has no size") from None
        size = line.split(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(size):
            raise BadRequestError(400, "a chunk has no size")
        self._left = int(size, 16)
        if self._seen + self._left > self._most:
            raise TooLargeError
        if not self._left:
            while (await self._reader.readline()).strip():
                pass
            self.ended = True

    async def whole(self, most: int) -> bytes:
        taken = bytearray()
        async for piece in self.pieces():
            taken += piece
            if len(taken) > most:
                raise TooLargeError
        return bytes(taken)

    async def skip(self) -> None:
        """Reads what nobody wanted, so that the next request stands where it is expected."""
        async for _ in self.pieces():
            pass


async def send(
    writer: asyncio.StreamWriter, answer: Answer, keep: bool, manner: Manner = Manner()
) -> None:
    """Writes an answer; a manner that leaves it short is a promise that was broken on purpose."""
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {phrase}", f"Content-Type: {answer.type}"]
    match manner.framing:
        case "length":
            lines.append(f"Content-Length: {answer.size}")
        case "chunked":
            lines.append("Transfer-Encoding: chunked")
        case "close":
            keep = False
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in answer.headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
    left = answer.size if manner.most is None else min(manner.most, answer.size)
    whole = left == answer.size
    plain = manner.framing != "chunked" and manner.pace is None and manner.blank is None
    if isinstance(answer.body, FilePart) and plain:
        await _send_file(writer, answer.body, left)
        return
    sent = 0
    async for piece in _pieces(answer.body, left, manner.pace):
        sent += len(piece)
        if manner.blank is not None:
            good = max(0, min(len(piece), len(piece) - (sent - manner.blank)))
            piece = piece[:good] + bytes(len(piece) - good)  # noqa: PLW2901
        if manner.framing == "chunked":
            piece = b"%x\r\n%s\r\n" % (len(piece), piece)  # noqa: PLW2901
        writer.write(piece)
        await writer.drain()
    if manner.framing == "chunked" and whole:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _send_file(writer: asyncio.StreamWriter, part: FilePart, size: int) -> None:
    """The kernel carries it from the disk to the client, past our memory."""
    await writer.drain()
    with part.path.open("rb") as file:
        if size:
            loop = asyncio.get_running_loop()
            await loop.sendfile(writer.transport, file, part.start, size)


async def _pieces(body: bytes | FilePart, left: int, pace: float | None) -> AsyncIterator[bytes]:
    step = CHUNK if pace is None else max(1, int(pace / 10))
    if isinstance(body, bytes):
        for at in range(0, left, step):
            yield body[at : min(at + step, left)]
            if pace is not None:
                await asyncio.sleep(0.1)
        return
    with body.path.open("rb") as file:
        file.seek(body.start)
        while left and (piece := file.read(min(step, left))):
            left -= len(piece)
            yield piece
            if pace is not None:
                await asyncio.sleep(0.1)


async def linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Lets a client that is still sending read why it was refused before the connection ends."""
    with contextlib.suppress(TimeoutError, OSError):
        writer.write_eof()
        async with asyncio.timeout(LINGER):
            while await reader.read(CHUNK):
                pass


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection so that the client sees a reset, not an end."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
