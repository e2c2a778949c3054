"""The edge to Telegram's side of the intake: one long poll, and what it came to."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from pipeline.bot.trouble import Came, Failed, Kind
from pipeline.config import Settings
from pipeline.events import redacted

LONG = 20  # seconds that Telegram may keep a poll that has nothing to say
_KINDS = '["message","edited_message"]'


class Poll:
    """One token at one server. A poll that hangs is given up, and its connection with it."""

    def __init__(self, settings: Settings, within: float = LONG + 10.0) -> None:
        self._settings = settings
        self._base = f"{settings.api}/bot{settings.token}"
        self._within = within
        self._client = self._fresh()

    async def once(self, offset: int | None, seconds: int = LONG) -> Came | Failed:
        data = {"timeout": str(seconds), "allowed_updates": _KINDS}
        if offset is not None:
            data["offset"] = str(offset)
        try:
            async with asyncio.timeout(self._within):  # also for an answer that only trickles
                status, body = await self._ask("getUpdates", data)
        except (httpx.HTTPError, TimeoutError) as error:
            # A connection that nobody answers on any more looks healthy to a pool.
            await self._renew()
            words = f"{type(error).__name__}: {error}".rstrip(": ")
            return Failed(Kind.AWAY, redacted(words), url=self._settings.api)
        found = body.get("result")
        if status == 200 and body.get("ok") and isinstance(found, list):
            return Came(tuple(one for one in found if is_update(one)))
        return await self._refused(status, body)

    async def close(self) -> None:
        await self._client.aclose()

    async def _refused(self, status: int, body: dict[str, Any]) -> Failed:
        words = str(body.get("description") or f"HTTP {status}")
        if status == 429:
            return Failed(Kind.FLOOD, words, _seconds(body))
        if status == 409:
            if "webhook" in words:  # it was set by hand, or by another program that is gone
                await self._tried("deleteWebhook")
            return Failed(Kind.CONFLICT, words)
        # A server that restarts, or a wrong path, says 401 and 404 of a good token, too.
        if status in {401, 404} and await self._tried("getMe") == 401:
            why = "Unauthorized: the bot token was revoked or is wrong; getMe says so, too"
            return Failed(Kind.UNAUTHORIZED, why)
        return Failed(Kind.AWAY, f"{words} ({status})", url=self._settings.api)

    async def _tried(self, method: str) -> int:
        try:
            return (await self._ask(method, {}))[0]
        except httpx.HTTPError:
            return 0

    async def _ask(self, method: str, data: dict[str, str]) -> tuple[int, dict[str, Any]]:
        reply = await self._client.post(f"{self._base}/{method}", data=data)
        try:
            body = reply.json()
        except ValueError:
            body = {}
        return reply.status_code, body if isinstance(body, dict) else {}

    async def _renew(self) -> None:
        await self._client.aclose()
        self._client = self._fresh()

    def _fresh(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=httpx.Timeout(10.0, read=self._within))


def is_update(one: Any) -> bool:
    """Whether it has the number that makes it one, and that a database can hold."""
    number = one.get("update_id") if isinstance(one, dict) else None
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 1 << 63


def _seconds(body: dict[str, Any]) -> float:
    given = body.get("parameters")
    after = given.get("retry_after") if isinstance(given, dict) else None
    return float(after) if isinstance(after, int | float) else 5.0
