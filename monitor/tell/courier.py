"""The process that sends, seen from here: started when there is work, watched, ended when idle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.redact import redact
from monitor.supervise.family import Family
from monitor.tell.answers import Answer, Came
from monitor.tell.incoming import Incoming

COMMAND = (sys.executable, "-m", "monitor.telegram")
IDLE = 60.0  # seconds without work after which it is ended
_READY, _PATIENCE = 20.0, 45.0  # to be up; for one answer, longer than its own limits
_LONGEST = 1 << 20
_ROOT = Path(__file__).resolve().parent.parent.parent  # where it finds `monitor`
# Nothing else of our environment reaches it; the token comes through the pipe.
_GIVEN = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)


class _GoneError(Exception):
    """It is not there, or says nothing that can be used."""


class Courier:
    """Takes requests; whatever becomes of the process, each gets an answer in bounded time."""

    def __init__(
        self,
        family: Family,
        who: Callable[[], Mapping[str, Any]],
        environ: Mapping[str, str],
        *,
        command: Sequence[str] = COMMAND,
        idle: float = IDLE,
        ready: float = _READY,
        patience: float = _PATIENCE,
    ) -> None:
        self._family = family
        self._who = who
        self._environ = {name: environ[name] for name in _GIVEN if name in environ}
        self._command = tuple(command)
        self._idle, self._ready, self._patience = idle, ready, patience
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._up: asyncio.Future[None]
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._number = 0
        self._idle_later: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def ask(self, what: Mapping[str, Any]) -> Answer:
        """Send it and wait for what came of it; no answer after it was sent means: who knows."""
        try:
            await self._be_up()
        except (_GoneError, OSError, TimeoutError) as error:
            self.end()
            return Answer(Came.NETWORK, why=redact(f"the sending process: {error}"))
        if self._writer is None:
            return Answer(Came.NETWORK, why="the sending process: it ended")
        self._number += 1
        number = self._number
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self._writer.write(json.dumps({**what, "id": number}).encode() + b"\n")
            async with asyncio.timeout(self._patience):
                await self._writer.drain()
                return await answer
        except (TimeoutError, ConnectionError, _GoneError) as error:
            self.end()
            return Answer(Came.MAYBE, why=f"the sending process: {str(error) or 'no answer'}")
        finally:
            self._asked.pop(number, None)
            self._rest()

    async def _be_up(self) -> None:
        if self._idle_later:
            self._idle_later.cancel()
            self._idle_later = None
        if self._process is None:
            await self._start()
        async with asyncio.timeout(self._ready):
            await asyncio.shield(self._up)

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns once it is executed
                self._command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=self._environ,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._family.helpers.add(self._process.pid)
        self._up = asyncio.get_running_loop().create_future()
        self._up.add_done_callback(_looked_at)
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=_LONGEST)
        self._reading = asyncio.ensure_future(self._read(reader))
        self._writer.write(json.dumps(self._who()).encode() + b"\n")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Until it ends or says something that is no answer; then it is ended for good."""
        why = "it ended"
        try:
            while line := await reader.readline():
                self._take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            why = "it said what is no answer"
        except ConnectionError as error:
            why = str(error)
        self._lost(why)

    def _take(self, said: Mapping[str, Any]) -> None:
        if said.get("ready"):
            if not self._up.done():
                self._up.set_result(None)
        else:
            asked = self._asked.get(said["id"])
            if asked and not asked.done():
                asked.set_result(_answer(said))

    def _lost(self, why: str) -> None:
        """Nobody waits for an answer that cannot come."""
        process, self._process = self._process, None
        if process is not None:
            _ended(process, self._family)
        if self._writer:
            self._writer.close()
            self._writer = None
        futures: list[asyncio.Future[Any]] = [self._up, *self._asked.values()]
        for waiting in futures:
            if not waiting.done():
                waiting.set_exception(_GoneError(why))

    def _rest(self) -> None:
        """Nothing to do: in a while it may go."""
        if not self._asked and self._process is not None:
            if self._idle_later:
                self._idle_later.cancel()
            self._idle_later = asyncio.get_running_loop().call_later(self._idle, self.end)

    def end(self) -> None:
        """It is killed, by its number: it holds nothing that could be lost."""
        if self._idle_later:
            self._idle_later.cancel()
            self._idle_later = None
        if self._reading:
            self._reading.cancel()
            self._reading = None
        if self._process is not None:
            self._lost("it was ended")


def _answer(said: Mapping[str, Any]) -> Answer:
    return Answer(
        came=Came(said["came"]),
        message=said.get("message"),
        seconds=float(said.get("seconds") or 0.0),
        chat=said.get("chat"),
        why=redact(str(said.get("why") or "")),
        updates=tuple(Incoming(**one) for one in said.get("updates") or ()),
    )


def _ended(process: subprocess.Popen[bytes], family: Family) -> None:
    """Killed; who takes long to die is buried with the orphans, for nobody waits here."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.returncode = -signal.SIGKILL
    family.helpers.discard(process.pid)


def _looked_at(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()
