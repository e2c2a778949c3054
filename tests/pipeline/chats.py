"""A pipeline of one's own whose bot is at a played Telegram, and what its database then holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from monitor.demo.botapi import BotApi, bot_api
from pipeline.config import read_settings
from pipeline.store.base import Store
from pipeline.store.tables import Base
from tests.monitor.vigia import until
from tests.pipeline.homes import Home, home
from tests.pipeline.telegram import at

QUICK = "batch_window = 0.4\nprogress_every = 0.3\n"


class Chat:
    """Ana, who is a modelo, and whoever else a test wants; `more` goes into pipeline.toml."""

    def __init__(self, here: Home, api: BotApi, more: str) -> None:
        self.home, self.api = here, api
        self.set(more)
        self.ana = api.user("Ana", language_code="es")
        here.modelo("ana", telegram_user_id=self.ana, posting={"targets": []})

    def set(self, more: str) -> None:
        path = self.home.folder / "pipeline.toml"
        known = dict(line.split(" = ") for line in QUICK.splitlines())
        known |= dict(line.split(" = ") for line in more.splitlines())
        kept = [line for line in path.read_text().splitlines() if line.split(" = ")[0] not in known]
        path.write_text("\n".join([*kept, *(f"{k} = {v}" for k, v in known.items())]) + "\n")

    def rows(self, table: type[Base]) -> list[Any]:
        store = Store(read_settings(self.home.folder, self.home.environ()).store_url)
        try:
            with store.read() as session:
                keys = table.__table__.primary_key.columns
                return list(session.scalars(select(table).order_by(*keys)))
        finally:
            store.close()

    def said(self, user: int = 0) -> list[str]:
        return [one.text for one in self.api.said(user or self.ana)]

    def wait_said(self, words: str, user: int = 0, seconds: float = 60.0) -> str:
        def found() -> list[str]:
            return [text for text in self.said(user) if words in text]

        until(found, seconds, lambda: (words, self.said(user), self.home.text()))
        return found()[-1]

    def wait(self, true: Any, seconds: float = 60.0) -> None:
        until(true, seconds, self.home.text)


def photo(number: int) -> bytes:
    """A JPEG as far as its segments tell; each is another."""
    note, scan = number.to_bytes(8, "big"), bytes(range(200)) * 10
    return b"\xff\xd8\xff\xfe\x00\x0a" + note + b"\xff\xda\x00\x02" + scan + b"\xff\xd9"


@contextlib.contextmanager
def chat(folder: Path, more: str = "", *, process: bool = False, **env: str) -> Iterator[Chat]:
    """`process`: its Telegram is one, and can be killed."""
    place = folder / "home"
    place.mkdir()
    with bot_api(folder / "api", process=process) as api, home(place, **at(api), **env) as here:
        yield Chat(here, api, more)
