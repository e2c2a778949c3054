"""Twelve ways in which Telegram is not there: nothing is lost, the order holds, few duplicates."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.monitor.tell.botapi import TOKEN, Call, Handler, Server
from tests.monitor.tell.rig import Rig, telegram, until

pytestmark = pytest.mark.slow


@dataclass
class Outage:
    """What the server does while it lasts; counts what it spoiled."""

    server: Server
    hits: int = 0
    lost: list[Call] = field(default_factory=list)  # done, and the answer never came
    plug: list[socket.socket] = field(default_factory=list)

    def begin(self, mode: str) -> None:
        if mode in ("refused", "black_hole"):
            self.server.down()
            if mode == "black_hole":
                self._fill()
        else:
            self.server.api.fault = getattr(self, f"_{mode}")

    def end(self, mode: str) -> None:
        self.server.api.fault = None
        for one in self.plug:
            one.close()
        self.plug.clear()
        if mode in ("refused", "black_hole"):
            self.server.up()

    def _fill(self) -> None:
        """A queue that is full: the kernel answers no further one."""
        listening = socket.create_server(("127.0.0.1", self.server.port), backlog=0)
        self.plug.append(listening)
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.server.port))
            self.plug.append(one)

    def _hit(self, handler: Handler, answer: Callable[[], None]) -> bool:
        self.hits += 1
        answer()
        return True

    def _hang(self, handler: Handler, call: Call) -> bool:
        return self._hit(handler, lambda: self._sit(handler))

    def _sit(self, handler: Handler) -> None:
        """Until the other end has had enough."""
        handler.connection.settimeout(0.05)
        while not handler.api.closing.is_set():
            try:
                if not handler.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        handler.close_connection = True

    def _slow(self, handler: Handler, call: Call) -> bool:
        self.hits += 1
        handler.api.closing.wait(0.1)
        return False

    def _too_many(self, handler: Handler, call: Call) -> bool:
        why = "Too Many Requests: retry after 1"
        return self._hit(handler, lambda: handler.refuse(429, why, retry_after=1))

    def _error_500(self, handler: Handler, call: Call) -> bool:
        return self._hit(handler, lambda: handler.refuse(500, "Internal Server Error"))

    def _revoked(self, handler: Handler, call: Call) -> bool:
        return self._hit(handler, lambda: handler.refuse(401, "Unauthorized"))

    def _conflict(self, handler: Handler, call: Call) -> bool:
        why = "Conflict: terminated by other getUpdates request"
        return self._hit(handler, lambda: handler.refuse(409, why))

    def _bad_markup(self, handler: Handler, call: Call) -> bool:
        if call.fields.get("parse_mode") != "HTML":
            return False
        why = "Bad Request: can't parse entities: unsupported start tag"
        return self._hit(handler, lambda: handler.refuse(400, why))

    def _page(self, handler: Handler, call: Call) -> bool:
        page = b"<html><h1>Please log in to this network</h1></html>"
        return self._hit(handler, lambda: handler.raw(200, page, "text/html"))

    def _cut(self, handler: Handler, call: Call) -> bool:
        """Done, and half of the answer comes."""
        return self._hit(handler, lambda: self._lose(handler, call, b'{"ok": true, "resu'))

    def _no_answer(self, handler: Handler, call: Call) -> bool:
        return self._hit(handler, lambda: self._lose(handler, call, b""))

    def _lose(self, handler: Handler, call: Call, part: bytes) -> None:
        handler.api.do(call)
        if call.method == "sendMessage":
            self.lost.append(call)
        if part:
            handler.send_response(200)
            handler.send_header("Content-Length", "500")
            handler.end_headers()
            handler.wfile.write(part)
            handler.wfile.flush()
        handler.close_connection = True


MODES = (
    *("refused", "black_hole", "hang", "slow", "too_many", "error_500"),
    *("revoked", "conflict", "bad_markup", "page", "cut", "no_answer"),
)


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_lost_in_an_outage(mode: str, tmp_path: Path) -> None:
    asyncio.run(play(mode, tmp_path, rounds=2))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_lost_in_ten_outages(mode: str, tmp_path: Path) -> None:
    asyncio.run(play(mode, tmp_path, rounds=10))


async def play(mode: str, folder: Path, rounds: int) -> None:
    server = Server()
    with server as api:
        patience = 1.5 if mode in ("hang", "black_hole") else 8.0
        outage, rig = Outage(server), Rig(folder, telegram(api.url), patience=patience)
        async with rig.running():
            rig.teller.board.keep("started", "")
            for number in range(rounds):
                await one_round(mode, number, outage, rig)
        names = [f"c{number:02}" for number in range(rounds)]
        told = [name for call in api.done("sendMessage") for name in named(call.text)]
        assert set(told) == set(names), "nothing is lost"
        assert list(dict.fromkeys(told)) == names, "and it comes in its order"
        assert len(told) - len(names) <= len(outage.lost), "a lost answer, at most one duplicate"
        if not outage.lost:
            assert len(told) == len(names)
        elsewhere = rig.diary + "".join(map(str, rig.told))
        assert TOKEN not in elsewhere
        assert TOKEN not in "".join(api.texts.values())


async def one_round(mode: str, number: int, outage: Outage, rig: Rig) -> None:
    api, name = outage.server.api, f"c{number:02}"
    before, fails = outage.hits, len(rig.told)
    outage.begin(mode)
    began = time.monotonic()
    rig.trouble(name)
    if mode in ("refused", "black_hole"):
        await until(lambda: said(rig, fails, "alerts_unreachable"))
    elif mode == "revoked":
        await until(lambda: said(rig, fails, "alerts_refused"))
    else:
        await until(lambda: outage.hits > before, what=lambda: (api.calls, rig.diary))
    outage.end(mode)
    if mode == "revoked":
        rig.reload()
    await until(
        lambda: any(name in named(call.text) for call in api.done("sendMessage")),
        what=lambda: (mode, [c for c in api.calls if c.method == "sendMessage"], rig.diary),
    )
    await until(lambda: not rig.teller.board.letters, what=lambda: rig.teller.board.letters)
    if mode == "too_many":
        assert time.monotonic() - began >= 1.0, "what it tells us to wait is waited"


def said(rig: Rig, since: int, kind: str) -> bool:
    return any(told.kind == kind for told in rig.told[since:])


def named(text: str) -> list[str]:
    return re.findall(r"\bc\d\d(?=: given up)", text)
