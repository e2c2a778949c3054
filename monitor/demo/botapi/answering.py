"""From a bot's request to its answer: who asks, what for, and which trouble is in the way."""

from __future__ import annotations

import asyncio
import inspect
import time
from pathlib import PurePosixPath
from urllib.parse import unquote

from monitor.demo.botapi import body as bodies
from monitor.demo.botapi.body import Said
from monitor.demo.botapi.call import Call
from monitor.demo.botapi.faults import Asked, Drop, Fault, Faults, Hang, Page, Refuse, Spoil, Wait
from monitor.demo.botapi.files import DOWNLOAD, for_bot
from monitor.demo.botapi.journal import Entry, Journal
from monitor.demo.botapi.methods import METHODS
from monitor.demo.botapi.refusal import RefusedError
from monitor.demo.botapi.wire import (
    Answer,
    BadRequestError,
    Body,
    FilePart,
    Head,
    Manner,
    json_answer,
)
from monitor.demo.botapi.world import World

_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>"
)


class GoneError(Exception):
    """The request gets no answer, and its connection ends so."""

    def __init__(self, reset: bool) -> None:
        super().__init__("the connection was dropped on purpose")
        self.reset = reset


class Silence(Exception):  # noqa: N818 -- it is an order to the connection, nothing went wrong
    """The request gets no answer for as long as the client waits."""


class Answering:
    def __init__(self, world: World, faults: Faults, journal: Journal) -> None:
        self.world = world
        self.faults = faults
        self.journal = journal

    async def method(self, head: Head, body: Body) -> tuple[Answer, Manner]:
        token, _, name = unquote(head.path.removeprefix("/bot")).partition("/")
        entry = self.journal.open(token, name)
        trouble = await self._trouble(entry, Asked("head", name, token))
        if isinstance(trouble, Answer):
            self.journal.done(entry, trouble.status, entry.description)
            return trouble, Manner()
        said = Said()
        try:
            said = await bodies.read(head, body, self.world.files.incoming)
            self.journal.came(entry, said)
            return await self._worked(entry, name, token, said)
        except BadRequestError as error:
            self.journal.done(entry, error.status, str(error))
            raise
        finally:
            said.discard()

    async def _worked(
        self, entry: Entry, name: str, token: str, said: Said
    ) -> tuple[Answer, Manner]:
        chat = said.words.get("chat_id", "")
        before = await self._trouble(entry, Asked("before", name, token, chat))
        answer = before if isinstance(before, Answer) else await self._answer(entry, said)
        self.journal.done(entry, answer.status, entry.description)
        after = await self._trouble(entry, Asked("after", name, token, chat))
        if isinstance(after, Answer):
            self.journal.done(entry, after.status, entry.description)
            return after, Manner()
        return answer, after or (before if isinstance(before, Manner) else Manner())

    async def _answer(self, entry: Entry, said: Said) -> Answer:
        try:
            bot = self.world.bots.by_token(entry.token)
            method = METHODS.get(entry.method.lower())
            if method is None:
                raise RefusedError(404, "Not Found: method not found")
            result = method(Call(self.world, bot, entry.method, said))
            if inspect.isawaitable(result):
                result = await result
        except RefusedError as error:
            entry.description = error.description
            return refused(error)
        result = for_bot(result, bot["id"]) if entry.method.lower() != "getupdates" else result
        self.journal.judge(entry.method, said, result)
        return json_answer({"ok": True, "result": result})

    async def file(self, head: Head) -> tuple[Answer, Manner]:
        """The bytes of a file by the path that getFile gave; under --local nothing is served."""
        token, _, path = unquote(head.path.removeprefix("/file/bot")).partition("/")
        entry = self.journal.open(token, "download")
        entry.params = {"path": path}
        trouble = None
        for when in ("head", "before", "after"):
            trouble = await self._trouble(entry, Asked(when, "download", token)) or trouble
        if isinstance(trouble, Answer):
            self.journal.done(entry, trouble.status, entry.description)
            return trouble, Manner()
        answer = self._file(token, path, head.headers.get("range", ""))
        self.journal.done(entry, answer.status)
        return answer, trouble or Manner()

    def _file(self, token: str, path: str, wanted: str) -> Answer:
        try:
            self.world.bots.by_token(token)
        except RefusedError as error:
            return refused(error)
        row = None if self.world.local else self.world.files.by_path(path)
        if row is None or row["size"] > DOWNLOAD or not self.world.files.place(row).exists():
            return refused(RefusedError(404, "Not Found"))
        size = row["size"]
        name = PurePosixPath(path).name
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        start = _start(wanted)
        if start is None or start >= size:
            part = FilePart(self.world.files.place(row), 0, size)
            return Answer(200, part, "application/octet-stream", headers)
        headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        part = FilePart(self.world.files.place(row), start, size - start)
        return Answer(206, part, "application/octet-stream", headers)

    async def _trouble(self, entry: Entry, asked: Asked) -> Answer | Manner | None:
        """What an ordered fault makes of the request: another answer, a bad one, or none at all."""
        fault = self.faults.take(asked, time.monotonic())
        if fault is None:
            return None
        entry.fault = fault.name
        return await self._effect(entry, fault)

    async def _effect(self, entry: Entry, fault: Fault) -> Answer | Manner | None:
        match fault.effect:
            case Refuse(error):
                entry.description = error.description
                return refused(error)
            case Page(status):
                page = _PAGE.replace(b"502", str(status).encode())
                return Answer(status, page, "text/html")
            case Drop(reset):
                raise GoneError(reset)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Hang():
                raise Silence
            case Spoil(manner):
                return manner
        return None


def refused(error: RefusedError) -> Answer:
    after = error.parameters.get("retry_after")
    headers = {"Retry_After": str(after)} if after else {}
    return json_answer(error.body(), error.code, **headers)


def _start(wanted: str) -> int | None:
    """Where an open range begins, the only kind that a download that goes on needs."""
    head, _, tail = wanted.removeprefix("bytes=").partition("-")
    return int(head) if wanted.startswith("bytes=") and head.isdecimal() and not tail else None
