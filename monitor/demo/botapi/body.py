"""What a request says, whichever of the four ways it says it in: query, form, multipart, JSON."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qsl

from monitor.demo.botapi.wire import (
    CHUNK,
    MOST_HEAD,
    BadRequestError,
    Body,
    Head,
    TooLargeError,
)

MOST_WORDS = 1024 * 1024  # bytes of everything that is not a file
MOST_FIELDS = 1000


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a request; whoever keeps it moves it away."""

    field: str
    name: str
    type: str
    path: Path
    size: int


@dataclass(slots=True)
class Said:
    words: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    taken: dict[str, Any] = field(default_factory=dict)  # what became of uploads that were kept

    def discard(self) -> None:
        for upload in self.uploads.values():
            upload.path.unlink(missing_ok=True)


async def read(head: Head, body: Body, folder: Path) -> Said:
    """All that the request says; its files stand in `folder` until they are moved or discarded."""
    said = Said(_pairs(head.query))
    kind = Message()
    kind["content-type"] = head.headers.get("content-type", "")
    match kind.get_content_type() if head.headers.get("content-type") else "":
        case "multipart/form-data":
            boundary = kind.get_param("boundary")
            if not isinstance(boundary, str) or not 0 < len(boundary) <= 200:
                raise BadRequestError(400, "the multipart body has no boundary")
            try:
                await _multipart(body, boundary.encode("latin-1", "replace"), folder, said)
            except BaseException:
                said.discard()
                raise
        case "application/json":
            said.words |= _from_json(await body.whole(MOST_WORDS))
        case "application/x-www-form-urlencoded":
            said.words |= _pairs((await body.whole(MOST_WORDS)).decode("utf-8", "replace"))
        case _:
            await body.skip()
    return said


def _pairs(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise BadRequestError(400, "too many fields") from None


def _from_json(raw: bytes) -> dict[str, str]:
    """Members as the text that a form would have carried."""
    try:
        members = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise BadRequestError(400, "Bad Request: can't parse the JSON of the request") from None
    if not isinstance(members, dict):
        raise BadRequestError(400, "Bad Request: the JSON of the request must be an Object")
    return {name: as_word(value) for name, value in members.items() if value is not None}


def as_word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _multipart(body: Body, boundary: bytes, folder: Path, said: Said) -> None:
    walk = _Walk(boundary, folder, said)
    try:
        async for piece in body.pieces():
            walk.take(piece)
    finally:
        walk.drop()
    if not walk.ended:
        raise BadRequestError(400, "the multipart body has no end")


class _Walk:
    """Over the parts as they come: words go to memory, files go to `folder`."""

    def __init__(self, boundary: bytes, folder: Path, said: Said) -> None:
        self._mark = b"\r\n--" + boundary
        self._folder = folder
        self._said = said
        self._held = bytearray(b"\r\n")
        self._part: _Part | None = None  # None: before the first one
        self._spent = 0
        self.ended = False

    def take(self, piece: bytes) -> None:
        if self.ended:
            return
        self._held += piece
        while self._before_first() if self._part is None else self._inside(self._part):
            pass
        if self._spent > MOST_WORDS:
            raise TooLargeError

    def _before_first(self) -> bool:
        return self._pass_mark(self._held.find(self._mark))

    def _inside(self, part: _Part) -> bool:
        return self._head(part) if part.head is None else self._content(part)

    def _pass_mark(self, end: int) -> bool:
        if end >= 0:
            del self._held[: end + len(self._mark)]
            self._part = _Part(self._folder)
        elif len(self._held) > MOST_HEAD + CHUNK:
            raise BadRequestError(400, "the multipart body does not begin with its boundary")
        return end >= 0

    def _head(self, part: _Part) -> bool:
        if self._held[:2] == b"--":
            self.ended = True
            return False
        end = self._held.find(b"\r\n\r\n")
        if end >= 0:
            part.begin(bytes(self._held[:end]))
            del self._held[: end + 4]
            self._spent += end
        elif len(self._held) > MOST_HEAD + CHUNK:
            raise BadRequestError(400, "a part of the multipart body has no content")
        return end >= 0

    def _content(self, part: _Part) -> bool:
        end = self._held.find(self._mark)
        ready = end if end >= 0 else max(0, len(self._held) - len(self._mark))
        part.take(bytes(self._held[:ready]))
        self._spent += 0 if part.file else ready
        del self._held[:ready]
        if end < 0:
            return False
        part.finish(self._said)
        return self._pass_mark(0)

    def drop(self) -> None:
        if self._part is not None:
            self._part.drop()


class _Part:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.head: Message | None = None
        self.file: IO[bytes] | None = None
        self._words = bytearray()

    def begin(self, raw: bytes) -> None:
        head = Message()
        for line in raw.decode("utf-8", "replace").strip("\r\n").split("\r\n"):
            name, _, value = line.partition(":")
            head[name.strip()] = value.strip()
        self.head = head
        if self._parameter("filename") is not None:
            self.file = tempfile.NamedTemporaryFile(dir=self._folder, delete=False)  # noqa: SIM115

    def _parameter(self, name: str) -> str | None:
        assert self.head is not None
        value = self.head.get_param(name, header="content-disposition")
        if isinstance(value, tuple):  # RFC 2231: charset, language, text
            value = value[2].encode("latin-1", "replace").decode("utf-8", "replace")
        return value

    def take(self, data: bytes) -> None:
        if self.file is not None:
            self.file.write(data)
        else:
            self._words += data

    def finish(self, said: Said) -> None:
        name = self._parameter("name") or ""
        assert self.head is not None
        if self.file is None:
            if len(said.words) >= MOST_FIELDS:
                raise BadRequestError(400, "too many fields")
            said.words[name] = self._words.decode("utf-8", "replace")
            return
        path, size = Path(self.file.name), self.file.tell()
        self.file.close()
        self.file = None
        if name in said.uploads:
            said.uploads[name].path.unlink(missing_ok=True)
        said.uploads[name] = Upload(
            name, self._parameter("filename") or "", self.head.get_content_type(), path, size
        )

    def drop(self) -> None:
        if self.file is not None:
            self.file.close()
            Path(self.file.name).unlink(missing_ok=True)
