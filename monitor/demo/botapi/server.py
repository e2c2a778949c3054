"""The server: connections come in on loopback and are led to who answers them."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from pathlib import Path

from monitor.demo.botapi import page
from monitor.demo.botapi.answering import Answering, GoneError, Silence, refused
from monitor.demo.botapi.control import Control
from monitor.demo.botapi.faults import Asked, Drop, Faults, Wait
from monitor.demo.botapi.files import LOCAL_UPLOAD
from monitor.demo.botapi.journal import Journal, Oracle
from monitor.demo.botapi.refusal import RefusedError
from monitor.demo.botapi.wire import (
    MOST_HEAD,
    Answer,
    BadRequestError,
    Body,
    Head,
    Manner,
    json_answer,
    linger,
    read_head,
    reset,
    send,
)
from monitor.demo.botapi.world import World, open_world

_ROOM_FOR_WORDS = 2 * 1024 * 1024  # bytes that a request may have beside its files
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Server:
    def __init__(
        self, folder: Path, local: bool = False, keep: bool = True, oracle: Oracle | None = None
    ) -> None:
        self.world: World = open_world(folder, local, keep)
        self.faults = Faults()
        self.journal = Journal(oracle)
        self._answering = Answering(self.world, self.faults, self.journal)
        self._control = Control(self.world, self.faults, self.journal)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._hosts: frozenset[str] = frozenset()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listens, and says on which port."""
        self._hosts = frozenset({*_LOOPBACK, host.lower()})
        self._listening = await asyncio.start_server(self._accept, host, port, limit=MOST_HEAD)
        number: int = self._listening.sockets[0].getsockname()[1]
        return number

    async def close(self) -> None:
        """Stops listening, ends every connection, and leaves what it knows on the disk."""
        if self._listening is not None:
            self._listening.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted connections close on the next turn of the loop
        self.world.rows.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._connection(reader, writer)
        except GoneError as gone:
            if gone.reset:
                reset(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone, and with it whoever could be told
        except asyncio.CancelledError:
            # Only `close` does it, and waits; asyncio would call it an error of ours.
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            with contextlib.suppress(ConnectionError):
                writer.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._meet()
        keep, wrong = True, False
        while keep:
            try:
                head = await read_head(reader)
                if head is None:
                    return
                body = Body(head, reader, writer, self._most(head))
                answer, manner = await self._lead(head, body)
                keep = head.keep and body.ended
            except BadRequestError as error:
                keep, manner, wrong = False, Manner(), True
                words = {"ok": False, "error_code": error.status, "description": str(error)}
                answer = json_answer(words, error.status)
            except Silence:
                while await reader.read(MOST_HEAD):
                    pass
                return
            except (ConnectionError, asyncio.IncompleteReadError, GoneError):
                raise
            except Exception:  # noqa: BLE001 -- a fault of ours is told and counted, and ends nothing else
                keep, manner = False, Manner()
                self.journal.complaints.append(traceback.format_exc())
                answer = refused(RefusedError(500, "Internal Server Error"))
            keep = keep and manner.framing != "close" and manner.most is None
            await send(writer, answer, keep, manner)
        if wrong:
            await linger(reader, writer)

    async def _meet(self) -> None:
        """What an ordered fault makes of a connection before anything is read from it."""
        fault = self.faults.take(Asked("connect"), time.monotonic())
        match fault and fault.effect:
            case None:
                pass
            case Drop(reset):
                raise GoneError(reset)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case _:
                await asyncio.Event().wait()

    async def _lead(self, head: Head, body: Body) -> tuple[Answer, Manner]:
        if head.path.startswith("/bot"):
            return await self._answering.method(head, body)
        if head.path.startswith("/file/bot"):
            await body.skip()
            return await self._answering.file(head)
        self._refuse_strangers(head)
        if head.path.startswith("/control/"):
            return await self._control.answer(head, body), Manner()
        await body.skip()
        return page.answer(head.path), Manner()

    def _most(self, head: Head) -> int:
        """People may send what a bot may not."""
        ours = head.path.startswith("/control/")
        return (LOCAL_UPLOAD if ours else self.world.files.most) + _ROOM_FOR_WORDS

    def _refuse_strangers(self, head: Head) -> None:
        """A page of elsewhere may neither read this nor give orders, whatever name it gave to us."""
        name = head.headers.get("host", "").lower()
        bare = name.rpartition(":")[0] if name.rpartition(":")[2].isdecimal() else name
        if bare not in self._hosts:
            raise BadRequestError(403, "this host name is not ours")
        origin = head.headers.get("origin")
        if origin is not None and origin.lower() != f"http://{name}":
            raise BadRequestError(403, "the order comes from another page")
