"""Channels beside Telegram, for the process that sends: a webhook by httpx, Apprise where it is."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from monitor.redact import redact
from monitor.tell.answers import Answer, Came

_PATIENCE = httpx.Timeout(10.0, connect=5.0)


async def posted(url: str, body: Any) -> Answer:
    """The JSON was taken, or why not; who answers 5xx or 429 may be asked again."""
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as client:
            got = await client.post(url, json=body)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        return Answer(Came.NETWORK, why=_words(error))
    except httpx.HTTPError as error:
        return Answer(Came.MAYBE, why=_words(error))
    except (httpx.InvalidURL, ValueError) as error:
        return Answer(Came.BAD_REQUEST, why=_words(error))
    if got.is_success:
        return Answer(Came.OK, message=0)
    why = f"HTTP {got.status_code} {got.reason_phrase}"
    if got.status_code == 429:
        wait = got.headers.get("retry-after", "")
        return Answer(Came.RETRY_AFTER, seconds=float(wait) if wait.isdigit() else 30.0, why=why)
    if got.status_code in (401, 403):
        return Answer(Came.UNAUTHORIZED, why=why)
    return Answer(Came.NETWORK if got.status_code >= 500 else Came.BAD_REQUEST, why=why)


async def notified(url: str, title: str, text: str) -> Answer:
    """It was taken or not; Apprise says no more than that."""
    try:
        import apprise  # noqa: PLC0415 - the optional extra
    except ImportError:
        return Answer(Came.UNAUTHORIZED, why="apprise is not installed: pip install vigia[apprise]")
    to = apprise.Apprise()
    if not to.add(url):
        return Answer(Came.UNAUTHORIZED, why="one of alerts.apprise is no Apprise URL")
    taken = await asyncio.to_thread(to.notify, body=text, title=title)
    if taken:
        return Answer(Came.OK, message=0)
    return Answer(Came.NETWORK, why="Apprise could not deliver it")


def _words(error: Exception) -> str:
    return redact(f"{type(error).__name__}: {error}")[:300]
