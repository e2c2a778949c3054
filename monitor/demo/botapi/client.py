"""The server as a test holds it: started, given orders, looked at, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from monitor.demo.botapi.asking import ask, multipart
from monitor.demo.botapi.journal import Oracle
from monitor.demo.botapi.running import Process, Thread
from monitor.demo.botapi.shown import Bot, Shown


class BotApi:
    """One server; in a thread of this process, or in a process of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        local: bool = False,
        process: bool = False,
        port: int = 0,
        keep: bool = True,
        oracle: Oracle | None = None,
    ) -> None:
        self.folder = folder
        self.local = local
        self.port = port
        self._keep = keep
        self._oracle = oracle
        self._running: Thread | Process | None = None
        self._as_process = process
        if process and oracle is not None:
            raise ValueError("an oracle can only be asked in a thread of this process")

    # --- its life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Also after `stop` or `kill`: on the same port, with what it knew unless keep=False."""
        if self._as_process:
            self._running = Process(self.folder, self.local, self.port, self._keep)
        else:
            self._running = Thread(self.folder, self.local, self.port, self._keep, self._oracle)
        self.port = self._running.port
        if not self.bots():
            self.add_bot()

    def stop(self) -> None:
        """From now on connections are refused."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def kill(self) -> None:
        """Without any notice, as a crash ends it; only for a process."""
        if not isinstance(self._running, Process):
            raise ValueError("only a process can be killed")  # noqa: TRY004 -- of a state, not of a type
        self._running.kill()
        self._running = None

    @property
    def pid(self) -> int:
        if not isinstance(self._running, Process):
            raise ValueError("it is no process")  # noqa: TRY004 -- of a state, not of a type
        return self._running.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/bot"

    @property
    def base_file_url(self) -> str:
        return f"{self.url}/file/bot"

    # --- who is there ----------------------------------------------------------------------------

    @property
    def bot(self) -> Bot:
        """The first bot, which is always there."""
        return self.bots()[0]

    @property
    def token(self) -> str:
        return self.bot.token

    def bots(self) -> list[Bot]:
        return [_bot(row) for row in self._get("state")["bots"]]

    def add_bot(self, name: str = "vigia_bot", token: str = "") -> Bot:
        return _bot(self._post("bots", name=name, token=token))

    def user(self, name: str = "Ana", *, met: bool = True, **more: str | int) -> int:
        """A person; bots may write to one who met them, else only after being written to."""
        number: int = self._post("users", name=name, met=_word(met), **more)["user"]["id"]
        return number

    def group(self, title: str = "Grupo", kind: str = "supergroup", **more: str | int) -> int:
        """A group, supergroup or channel with all bots in it (status="administrator" for more)."""
        number: int = self._post("groups", title=title, kind=kind, **more)["chat"]["id"]
        return number

    def revoke(self, token: str = "", *, revoked: bool = True) -> None:
        self._post("revoke", token=token or self.token, revoked=_word(revoked))

    # --- what people do --------------------------------------------------------------------------

    def write(
        self, user: int, text: str, *, chat: int = 0, bot: int = 0, reply_to: int = 0
    ) -> Shown:
        words = {"user": user, "chat": chat, "bot": bot, "reply_to": reply_to}
        return Shown(self._post("write", text=text, **words))

    def send(
        self, user: int, kind: str, *, data: bytes | None = None, name: str = "", **more: Any
    ) -> Shown:
        """A file with `data`, or a copy of the one at `path`; `size` makes it longer, with zeros."""
        files = {} if data is None else {"file": (name or "file", data)}
        words = self._handed({"name": name, **more})
        return Shown(self._post("send", files, user=user, kind=kind, **words))

    def album(self, user: int, items: list[dict[str, Any]], **more: Any) -> list[Shown]:
        """Each item as `send` takes it: kind, path or data, size, name, caption."""
        files, told = {}, []
        for number, item in enumerate(items):
            words = self._handed({key: value for key, value in item.items() if key != "data"})
            if "data" in item:
                words["field"] = f"file{number}"
                files[words["field"]] = (item.get("name", "file"), item["data"])
            told.append(words)
        text = json.dumps(told, default=str)
        return [Shown(row) for row in self._post("album", files, user=user, items=text, **more)]

    def _handed(self, words: dict[str, Any]) -> dict[str, Any]:
        """A file by its path is copied to where the server takes files from: it follows no paths."""
        if "path" not in words:
            return words
        path, name = Path(words["path"]), uuid.uuid4().hex
        shutil.copyfile(path, self.folder / "handed" / name)
        told = {key: value for key, value in words.items() if key != "path"}
        return told | {"handed": name, "name": words.get("name") or path.name}

    def press(
        self, user: int, message: Shown, button: str = "", *, data: str = "", bot: int = 0
    ) -> str:
        """Presses a button, or what looks like one to the bot, and says the number of the press."""
        words = {"user": user, "chat": message.chat, "bot": bot or message.by}
        words |= {"message_id": message.id}
        pressed = self._post("press", button=button, data=data, **words)
        number: str = pressed["query"]["id"]
        return number

    def edit(self, user: int, message: Shown, text: str, *, bot: int = 0) -> Shown:
        words = {"user": user, "chat": message.chat, "bot": bot}
        return Shown(self._post("edit", message_id=message.id, text=text, **words))

    def delete(self, user: int, message: Shown, *, bot: int = 0) -> None:
        self._post("delete", message_id=message.id, user=user, chat=message.chat, bot=bot)

    def block(self, user: int, *, blocked: bool = True, bot: int = 0) -> None:
        self._post("block", user=user, blocked=_word(blocked), bot=bot)

    def deactivate(self, user: int, *, gone: bool = True) -> None:
        self._post("deactivate", user=user, gone=_word(gone))

    def move(self, chat: int, status: str, *, bot: int = 0) -> None:
        """A bot's standing in a group: member, administrator, left or kicked."""
        self._post("move", chat=chat, status=status, bot=bot)

    def migrate(self, chat: int) -> int:
        """The group becomes a supergroup; says its new number."""
        number: int = self._post("migrate", chat=chat)["chat"]["id"]
        return number

    # --- what is to be seen ----------------------------------------------------------------------

    def messages(self, chat: int = 0, *, bot: int = 0) -> list[Shown]:
        """All of a chat in their order, those that were deleted too."""
        return [Shown(row) for row in self._get("messages", chat=chat, bot=bot)]

    def said(self, chat: int = 0, *, bot: int = 0) -> list[Shown]:
        """What bots said there and still stands."""
        bots = {b.id for b in self.bots()}
        return [m for m in self.messages(chat, bot=bot) if m.by in bots and not m.deleted]

    def requests(
        self, method: str = "", *, after: int = 0, token: str = ""
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._get("requests", method=method, after=after, token=token)
        return rows

    def presses(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._get("presses")
        return rows

    def pending(self, token: str = "") -> list[dict[str, Any]]:
        """Updates that no getUpdates has confirmed yet."""
        rows: list[dict[str, Any]] = self._get("updates", token=token or self.token)
        return rows

    def complaints(self) -> list[str]:
        """What the oracle found wrong."""
        found: list[str] = self._get("complaints")
        return found

    def wait(self, true: Callable[[], Any], seconds: float = 15.0, what: str = "") -> Any:
        """What `true` says as soon as it says anything."""
        deadline = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > deadline:
                raise AssertionError(f"did not come within {seconds} s: {what or true}")
            time.sleep(0.01)
        return found

    def wait_message(
        self,
        chat: int = 0,
        fits: Callable[[Shown], bool] = lambda _: True,
        seconds: float = 15.0,
        *,
        bot: int = 0,
    ) -> Shown:
        """The last message of a bot in that chat that fits, as soon as there is one."""
        bots, seen, since = {b.id for b in self.bots()}, dict[tuple[str, int], Shown](), 0

        def look() -> list[Shown]:
            """Only what is new is asked for: a chat may be long."""
            nonlocal since
            for row in self._get("messages", chat=chat, bot=bot, since=since):
                shown = Shown(row)
                seen[row["room"], shown.id] = shown
                since = max(since, row["revision"])
            standing = (m for m in seen.values() if m.by in bots and not m.deleted)
            return [m for m in standing if fits(m)]

        found: list[Shown] = self.wait(look, seconds, "a message of a bot")
        return found[-1]

    def wait_polled(self, token: str = "", seconds: float = 15.0) -> None:
        """Until somebody's long poll for this bot (the first one) waits."""
        token = token or self.token

        def polled() -> bool:
            return any(b["polled"] for b in self._get("state")["bots"] if b["token"] == token)

        self.wait(polled, seconds, "a long poll")

    def wait_requests(
        self, method: str, number: int = 1, seconds: float = 15.0
    ) -> list[dict[str, Any]]:
        """Requests of that method that were answered or met a fault, as soon as there are so many."""

        def done() -> list[dict[str, Any]]:
            rows = [r for r in self.requests(method) if r["status"] or r["fault"]]
            return rows if len(rows) >= number else []

        found: list[dict[str, Any]] = self.wait(done, seconds, f"{number} requests of {method}")
        return found

    # --- troubles --------------------------------------------------------------------------------

    def fault(self, fault: str, **order: Any) -> int:
        """Orders a trouble and says its number; the words are those of `faults.py`."""
        number: int = self._post("faults", order=json.dumps({"fault": fault, **order}))["id"]
        return number

    def faults(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._get("faults")
        return rows

    def clear(self, id: int = 0) -> None:
        """Takes back one fault, or all."""
        self._post("clear", id=id)

    # --- how it is said --------------------------------------------------------------------------

    def _get(self, name: str, **words: str | int) -> Any:
        return self._ask("GET", f"/control/{name}?{urlencode(words)}", None)

    def _post(
        self, name: str, files: dict[str, tuple[str, bytes]] | None = None, /, **words: Any
    ) -> Any:
        told = {key: str(value) for key, value in words.items() if value not in (None, "")}
        if files:
            body, type = multipart(told, files)
        else:
            body, type = json.dumps(told).encode(), "application/json"
        return self._ask("POST", f"/control/{name}", body, type)

    def _ask(self, method: str, path: str, body: bytes | None, type: str = "") -> Any:
        return ask(self.port, method, path, body, type)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)


@contextlib.contextmanager
def bot_api(folder: Path, **options: Any) -> Iterator[BotApi]:
    """A Telegram of one's own for as long as the block lasts; its files stand in `folder`/botapi."""
    with BotApi(folder / "botapi", **options) as api:
        yield api


def _bot(row: dict[str, Any]) -> Bot:
    return Bot(row["id"], row["token"], row["name"])


def _word(true: bool) -> str:
    return "true" if true else "false"
