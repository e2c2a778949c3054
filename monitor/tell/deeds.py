"""Does what a person wants, by the same verbs that the terminal asks for."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.control import NoError, Verb
from monitor.follow.last import last_lines
from monitor.records.history import read
from monitor.safe.quarantine import Entry
from monitor.safe.root_helper import Failed, Refused
from monitor.safe.shelves import Shelves
from monitor.tell import screens
from monitor.tell.markup import Row, row
from monitor.tell.news import clean
from monitor.tell.orders import COMMANDS, Order
from monitor.tell.teller import Teller
from monitor.tell.wording import Reader

LINES, EVENTS = 20, 10
_WITHIN = 60.0  # seconds for what a verb answers


@dataclass(frozen=True, slots=True)
class Person:
    """Who is at the other end, as Telegram says."""

    name: str


@dataclass(frozen=True, slots=True)
class House:
    """What of the home the remote control may look at."""

    logs: Callable[[], Mapping[str, Path]]  # by child; `monitor` is our own
    records: Path
    quarantine: Callable[[], Shelves]


class Deeds:
    """Each answers with rows of words, also when it was refused."""

    def __init__(self, teller: Teller, verbs: Mapping[str, Verb], house: House) -> None:
        self._teller = teller
        self._verbs = verbs
        self._house = house

    @property
    def children(self) -> list[str]:
        return [name for name in self._house.logs() if name != "monitor"]

    async def do(self, order: Order, person: Person, strangers: int) -> list[Row]:
        """Whatever goes wrong is said to the one who wanted it."""
        try:
            async with asyncio.timeout(_WITHIN):
                return await self._done(order, person, strangers)
        except NoError as no:
            return _rows(str(no))
        except TimeoutError:
            return _rows(self._reader().say("order_no_answer", seconds=f"{_WITHIN:g}"))
        except Exception as error:  # noqa: BLE001 - one broken order must not silence the others
            return _rows(f"{type(error).__name__}: {error}")

    async def _done(self, order: Order, person: Person, strangers: int) -> list[Row]:
        reader = self._reader()
        match order.do:
            case "status":
                return screens.status(await self._ask("status", person), strangers, reader)
            case "incidents":
                answer = await self._ask("incidents", person)
                return screens.incidents(answer["incidents"], reader)
            case "log":
                return await self._log(order.names[0], reader)
            case "events":
                records = await asyncio.to_thread(_last_records, self._house.records)
                return screens.events(records, reader)
            case "ack" | "retry":
                said = await self._ask("incident", person, word=order.do, ids=list(order.ids))
                return _rows(*(each["text"] for each in said))
            case "restart" | "stop" | "start":
                return _rows(*await self._ask(order.do, person, names=list(order.names)))
            case "mute" | "unmute" | "pause" | "resume":
                facts = {"what": order.what, "for": order.lasts}
                return _rows(str(await self._ask(order.do, person, **facts)))
            case "digest":
                return self._teller.digest_now()
        return screens.helped(COMMANDS, reader)

    async def _ask(self, verb: str, person: Person, **question: Any) -> Any:
        return await self._verbs[verb](person, {"lang": self._reader().lang, **question})

    async def _log(self, name: str, reader: Reader) -> list[Row]:
        path = self._house.logs().get(name)
        lines: Sequence[bytes] = ()
        if path is not None:
            with contextlib.suppress(FileNotFoundError):
                lines = await asyncio.to_thread(last_lines, path, LINES)
        return screens.log(name, lines, reader, self._teller.channels.hidden)

    async def put_back(self, subjects: Iterable[str]) -> list[Row]:
        """What these incidents had moved away; never over another file."""
        reader, named = self._reader(), set(subjects)
        found = await asyncio.to_thread(self._restore, named)
        if not found:
            return _rows(reader.say("put_back_nothing"))
        return [
            row(reader.say("put_back_done", path=clean(one.path)))
            if isinstance(one, Entry)
            else row(reader.say("put_back_refused", why=clean(one.why)))
            for one in found
        ]

    def _restore(self, named: set[str]) -> list[Entry | Refused | Failed]:
        shelves = self._house.quarantine()
        entries = shelves.entries()
        if isinstance(entries, Refused | Failed):
            return [entries]
        wanted = [one for one in entries if one.incident in named and one.state == "kept"]
        return [shelves.restore(one.id) for one in wanted]

    def _reader(self) -> Reader:
        return self._teller.delivery.writer.reader()


def _rows(*texts: str) -> list[Row]:
    return [row(line, weight=5) for text in texts for line in clean(text, 2000).splitlines()]


def _last_records(path: Path) -> list[dict[str, object]]:
    return list(deque(read(path), EVENTS))
