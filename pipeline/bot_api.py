"""The Bot API over httpx: what files and posts need of it, each failure told apart."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from pipeline.config import Settings
from pipeline.files import BLOCK
from pipeline.model import HopelessError, WorldError

CLOUD_LIMIT = 20_000_000
_PATIENCE = httpx.Timeout(20.0, read=120.0)  # a local server answers getFile when it has the file


class RefusedError(Exception):
    """Telegram says no, and would say it again: its words and the status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(status, words)
        self.status, self.words = status, words

    def __str__(self) -> str:
        return self.words


class LostReplyError(Exception):
    """It was sent and no answer came: it may or may not have been done."""


class BotApi:
    """One token at one server; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._base = f"{settings.api}/bot{settings.token}"
        self._files = f"{settings.api}/file/bot{settings.token}"
        self._client = httpx.Client(timeout=_PATIENCE, follow_redirects=False)

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, files: dict[str, Any] | None = None, **given: Any) -> Any:
        """The result; WorldError when it may be asked again, LostReplyError when it must not."""
        data = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
        try:
            reply = self._client.post(f"{self._base}/{method}", data=data, files=files)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise WorldError(f"{type(error).__name__}: {error}", url=self._settings.api) from None
        except httpx.HTTPError as error:
            raise LostReplyError(f"{method}: {type(error).__name__}: {error}") from None
        return self._result(reply)

    def _result(self, reply: httpx.Response) -> Any:
        try:
            body = reply.json()
        except ValueError:
            body = {}
        if reply.status_code == 200 and isinstance(body, dict) and body.get("ok"):
            return body.get("result")
        words = (
            str(body.get("description") or reply.reason_phrase) if isinstance(body, dict) else ""
        )
        if reply.status_code == 429:
            wait = float(body.get("parameters", {}).get("retry_after", 5))
            raise WorldError(f"{words} (429)", after=wait)
        if reply.status_code >= 500:
            raise WorldError(f"{words} ({reply.status_code})", url=self._settings.api)
        raise RefusedError(reply.status_code, words)

    def locate(self, file_id: str) -> str:
        """Where the file is: an absolute path of a local server, or a part of an address."""
        try:
            found = self.call("getFile", file_id=file_id)
        except LostReplyError as error:  # asking where it is may be repeated
            raise WorldError(str(error), url=self._settings.api) from None
        except RefusedError as error:
            if "too big" in error.words:
                raise HopelessError("too_big") from None
            if error.status == 401:
                raise WorldError(f"Unauthorized: {error.words}", after=60.0) from None
            if "wrong file identifier" in error.words:
                raise HopelessError("gone") from None
            # "wrong file_id or the file is temporarily unavailable" is what a busy local server says.
            raise WorldError(f"getFile: {error.words}", after=15.0) from None
        return str(found["file_path"])

    def seen_by_us(self, path: str) -> Path | None:
        """The file of a local server, where this machine sees it; None when it must be fetched."""
        if not path.startswith("/"):
            return None
        for theirs, ours in self._settings.api_files:
            if path == theirs or path.startswith(theirs + "/"):
                return Path(ours + path[len(theirs) :])
        return Path(path)

    @contextlib.contextmanager
    def fetch(self, path: str, start: int) -> Iterator[tuple[int, int | None, Iterator[bytes]]]:
        """From which byte on, how large the whole is when it says so, and the pieces."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            with self._client.stream("GET", f"{self._files}/{path}", headers=headers) as reply:
                if reply.status_code == 416 and start:
                    raise WorldError("the part that is here is longer than the file (416)")
                if reply.status_code not in {200, 206}:
                    # Also 404: its path is good for an hour, and asking again gives a new one.
                    raise WorldError(f"the file server answers {reply.status_code}")
                begins, whole = _extent(reply, start)
                yield begins, whole, reply.iter_raw(BLOCK // 4)
        except httpx.HTTPError as error:
            raise WorldError(f"{type(error).__name__}: {error}", url=self._settings.api) from None


def _extent(reply: httpx.Response, start: int) -> tuple[int, int | None]:
    if reply.status_code == 206:
        unit, _, rest = reply.headers.get("content-range", "").partition(" ")
        span, _, whole = rest.partition("/")
        if unit != "bytes" or span.partition("-")[0] != str(start):
            raise WorldError(f"the file server gives another range than {start}-")
        return start, int(whole) if whole.isdigit() else None
    length = reply.headers.get("content-length", "")
    return 0, int(length) if length.isdigit() else None
