"""The other side of this Telegram: what people and tests do to it and see of it, under /control."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from monitor.demo.botapi import body as bodies
from monitor.demo.botapi import persons, picture, standing
from monitor.demo.botapi.body import Said
from monitor.demo.botapi.faults import Fault, Faults
from monitor.demo.botapi.journal import Journal
from monitor.demo.botapi.orders import OrderError, whole
from monitor.demo.botapi.refusal import RefusedError
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.wire import Answer, BadRequestError, Body, FilePart, Head, json_answer
from monitor.demo.botapi.world import World, room_of

_ORDERS: dict[str, Callable[[World, Said], Any]] = {
    "write": persons.write,
    "send": persons.send,
    "album": persons.send_album,
    "edit": persons.edit,
    "press": persons.press,
    "delete": persons.delete,
    "block": standing.block,
    "move": standing.move,
    "migrate": standing.migrate,
}


class Control:
    def __init__(self, world: World, faults: Faults, journal: Journal) -> None:
        self.world = world
        self.faults = faults
        self.journal = journal

    async def answer(self, head: Head, body: Body) -> Answer:
        name = head.path.removeprefix("/control/")
        try:
            if head.method == "GET":
                asked = dict(parse_qsl(head.query))
                await body.skip()
                if name.startswith("file/"):
                    return self._file(name.removeprefix("file/"))
                return json_answer(self._look(name, Said(asked)))
            if head.method != "POST":
                return json_answer({"error": "GET or POST"}, 405)
            said = await bodies.read(head, body, self.world.files.incoming)
            try:
                return json_answer(self._order(name, said))
            finally:
                said.discard()
        except (OrderError, ValueError, KeyError, TypeError, OSError) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)
        except RefusedError as error:
            return json_answer({"error": error.description}, 400)

    # --- to be seen ------------------------------------------------------------------------------

    def _look(self, name: str, asked: Said) -> Any:
        match name:
            case "state":
                return self._state()
            case "messages":
                return self._messages(asked)
            case "requests":
                words = asked.words
                return self.journal.rows(
                    whole(asked, "after"), words.get("method", ""), words.get("token", "")
                )
            case "presses":
                return self.world.presses.all()
            case "updates":
                bot = self.world.bots.by_token(asked.words.get("token", ""), revoked=True)
                return self.world.updates.pending(bot["id"])
            case "faults":
                return [_fault(fault) for fault in self.faults.all()]
            case "complaints":
                return self.journal.complaints
        raise BadRequestError(404, f"nothing is called {name!r} here")

    def _state(self) -> Row:
        bots = [
            {key: bot[key] for key in ("id", "token", "name", "revoked")}
            | {"polled": self.world.updates.polled(bot["id"])}
            for bot in self.world.bots
        ]
        return {
            "bots": bots,
            "users": self.world.chats.users(),
            "groups": self.world.chats.groups(),
            "revision": self.world.messages.revision,
            "local": self.world.local,
        }

    def _messages(self, asked: Said) -> list[Row]:
        since, chat, bot = (whole(asked, name) for name in ("since", "chat", "bot"))
        place = room_of(self.world, chat, bot) if chat else None
        return [
            row
            for row in self.world.messages
            if row["revision"] > since
            and (not chat or row["message"]["chat"]["id"] == chat)
            and (place is None or not bot or row["room"] == place.room)
        ]

    def _file(self, unique: str) -> Answer:
        """A kept file; only a picture that proves to be one is shown in place."""
        row = self.world.files.by_unique(unique)
        if row is None:
            raise OrderError("there is no such file")
        path = self.world.files.place(row)
        with path.open("rb") as opened:
            shown = picture.kind(opened.read(16))
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        if shown is None:
            headers["Content-Disposition"] = "attachment"
        part = FilePart(path, 0, row["size"])
        return Answer(200, part, shown or "application/octet-stream", headers)

    # --- to be done ------------------------------------------------------------------------------

    def _order(self, name: str, said: Said) -> Any:
        if (order := _ORDERS.get(name)) is not None:
            return order(self.world, said)
        match name:
            case "bots":
                words = said.words
                return self.world.bots.add(words.get("name", "vigia_bot"), words.get("token"))
            case "users":
                return self._add_user(said.words)
            case "groups":
                return self._add_group(said.words)
            case "revoke":
                revoked = said.words.get("revoked", "true") == "true"
                return self._revoke(said.words["token"], revoked)
            case "deactivate":
                gone = said.words.get("gone", "true") == "true"
                self.world.chats.deactivate(whole(said, "user"), gone)
                return True
            case "faults":
                order = json.loads(said.words["order"])
                return _fault(self.faults.add(order, time.monotonic()))
            case "clear":
                self.faults.clear(whole(said, "id") or None)
                return True
        raise BadRequestError(404, f"nothing is called {name!r} here")

    def _revoke(self, token: str, revoked: bool) -> bool:
        bot = self.world.bots.by_token(token, revoked=True)
        self.world.bots.change(token, revoked=revoked)
        if revoked:
            self.world.updates.refuse(bot["id"], RefusedError(401, "Unauthorized"))
        return True

    def _add_user(self, words: dict[str, str]) -> Row:
        more: dict[str, str | int] = {
            key: words[key]
            for key in ("id", "username", "last_name", "language_code")
            if words.get(key)
        }
        met = words.get("met", "true") == "true"
        return self.world.chats.add_user(words.get("name", "Ana"), met, **more)

    def _add_group(self, words: dict[str, str]) -> Row:
        kind = words.get("kind", "supergroup")
        if kind not in {"group", "supergroup", "channel"}:
            raise OrderError("kind must be group, supergroup or channel")
        status = words.get("status", "administrator" if kind == "channel" else "member")
        listed = (
            json.loads(words["bots"]) if words.get("bots") else [b["id"] for b in self.world.bots]
        )
        more: dict[str, str | int] = {k: words[k] for k in ("id", "username") if words.get(k)}
        bots = {str(number): status for number in listed}
        return self.world.chats.add_group(kind, words.get("title", kind), bots, **more)


def _fault(fault: Fault) -> Row:
    return {
        "id": fault.id,
        "fault": fault.name,
        "when": fault.when,
        "method": fault.method,
        "skip": fault.skip,
        "left": fault.left,
        "seen": fault.seen,
    }
