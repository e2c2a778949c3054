"""Files that lie at a played Telegram, handed in as the intake hands them in."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from monitor.demo.botapi import BotApi
from monitor.demo.botapi.files import for_bot_id
from pipeline.config import read_settings
from pipeline.flows.jobs import Jobs
from pipeline.model import Kind, Source
from pipeline.store.base import Store
from tests.pipeline.homes import Home


def at(api: BotApi) -> dict[str, str]:
    """The environment of a pipeline that belongs to its bot."""
    return {
        "TELEGRAM_TOKEN": api.token,
        "USE_LOCAL_BOT_API": "1",
        "TELEGRAM_BOT_API_LOCAL_URL": api.url,
    }


def sent(api: BotApi, data: bytes, name: str = "film.mp4", *, say_size: bool = True) -> Source:
    """Somebody sends it to the bot; Telegram need not say how large it is."""
    user = api.user("Eva")
    shown = api.send(user, "document", data=data, name=name)
    file_id = for_bot_id(shown.message["document"]["file_id"], api.bot.id)
    return Source(
        key=f"tg-1-{user}-{shown.id}",
        kind=Kind.VIDEO if name.endswith(".mp4") else Kind.DOCUMENT,
        file_id=file_id,
        size=len(data) if say_size else 0,
        name=name,
        received_at=time.time(),
    )


@contextlib.contextmanager
def intake(home: Home) -> Iterator[Jobs]:
    """From another process, as every question and order may come."""
    settings = read_settings(home.folder, home.environ())
    store = Store(settings.store_url)
    jobs = Jobs(settings, store)
    try:
        yield jobs
    finally:
        jobs.close()
        store.close()


def hand_in(home: Home, source: Source, modelo: str = "ana") -> str:
    with intake(home) as jobs:
        return jobs.submit(source, modelo)


def lines(home: Home, event: str) -> list[str]:
    return [line for line in home.text().splitlines() if f"event={event} " in line]
