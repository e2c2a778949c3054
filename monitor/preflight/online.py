"""Asks the Bot API who the tokens are and whether the admins can be written to.

A process of its own: the command line speaks no TLS. The question comes on stdin, so that no token
stands in a list of processes, and nothing of a token is ever printed.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from monitor.preflight.finding import Finding, ready, warning, wrong

PATIENCE = 4.0
SKEW = 120.0  # seconds by which a clock may be off before anybody minds
_MOST = 1 << 16


class SilentError(Exception):
    """No answer that can be read, and why."""


def look(server: str, local: bool, tokens: dict[str, str], admins: list[str]) -> list[Finding]:
    """All of it at once; the slowest answer is what it takes."""
    asks = [partial(_token, server, name, token) for name, token in tokens.items()]
    if "TELEGRAM_TOKEN" in tokens:
        asks += [partial(_admin, server, tokens["TELEGRAM_TOKEN"], admin) for admin in admins]
    if local:
        asks.append(partial(_local, server))
    with ThreadPoolExecutor(8) as at_once:
        works = [at_once.submit(lambda ask: list(ask()), ask) for ask in asks]
        return [finding for work in works for finding in work.result()]


def _token(server: str, name: str, token: str) -> Iterator[Finding]:
    try:
        answer, date = _ask(server, token, "getMe")
    except SilentError as error:
        yield warning("server_silent", server=server, name=name, why=error)
        return
    if not answer.get("ok"):
        kind = "token_refused" if answer.get("error_code") in (401, 404) else "token_unclear"
        yield wrong(kind, name=name, why=answer.get("description", "?"))
        return
    yield ready("token", name=name, bot=answer["result"].get("username", "?"))
    if date is not None and abs(date - time.time()) > SKEW:
        yield warning("clock_skewed", seconds=round(abs(date - time.time())))
    yield from _webhook(server, name, token)


def _webhook(server: str, name: str, token: str) -> Iterator[Finding]:
    """With a webhook set nobody gets updates by asking."""
    try:
        answer, _ = _ask(server, token, "getWebhookInfo")
    except SilentError:
        return
    if (answer.get("result") or {}).get("url"):
        yield warning("webhook_set", name=name)


def _admin(server: str, token: str, admin: str) -> Iterator[Finding]:
    try:
        answer, _ = _ask(server, token, f"getChat?chat_id={admin}")
    except SilentError:
        return  # said for the token already
    if answer.get("ok"):
        yield ready("admin", id=admin)
    elif answer.get("error_code") != 401:
        yield wrong("admin_unreachable", id=admin, why=answer.get("description", "?"))


def _local(server: str) -> Iterator[Finding]:
    """A Bot API server says 404 to a bare path; anything that answers lives."""
    try:
        urllib.request.urlopen(server, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        yield ready("local_server", server=server)
    except (OSError, ValueError, http.client.HTTPException) as error:
        yield wrong("local_server_down", server=server, why=getattr(error, "reason", error))
    else:
        yield ready("local_server", server=server)


def _ask(server: str, token: str, method: str) -> tuple[dict[str, Any], float | None]:
    """The answer, also a refusal, and the server's clock."""
    url = f"{server.rstrip('/')}/bot{token}/{method}"
    try:
        try:
            reply = urllib.request.urlopen(url, timeout=PATIENCE)
        except urllib.error.HTTPError as refusal:
            reply = refusal
        with reply:
            body, date = reply.read(_MOST), reply.headers.get("Date")
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise SilentError("not an answer of a Bot API server")
    except (OSError, http.client.HTTPException) as error:
        raise SilentError(str(getattr(error, "reason", error)).replace(token, "…")) from None
    except ValueError:
        raise SilentError("not an answer of a Bot API server") from None
    return answer, _seconds(date)


def _seconds(date: str | None) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


if __name__ == "__main__":
    found = look(**json.load(sys.stdin))
    json.dump([(f.standing, f.kind, dict(f.facts)) for f in found], sys.stdout)
