"""A server is down: hold the intake, see whether it answers, start it when we were told how."""

from __future__ import annotations

import asyncio
import contextlib
import re

from monitor.heal.incidents import host_of
from monitor.heal.strategy import FailedError, NotThereError, Strategy, Tools
from monitor.model import Incident

_PATIENCE = 3.0
_PORTS = {
    "http": 80,
    "https": 443,
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mongodb": 27017,
}
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|[0-9A-Fa-f:]{2,45}")


def address_of(incident: Incident) -> tuple[str, int] | None:
    """Host and port that the line names; nothing is ever sent there, only a connection is made."""
    captures = dict(incident.match.captures)
    subject = captures.get("url") or incident.match.subject or ""
    scheme, _, rest = subject.rpartition("://")
    host = host_of(incident.match).strip("[]")
    port = captures.get("port") or _port_in(rest) or _PORTS.get(scheme.split("+")[0].lower())
    if not _HOST.fullmatch(host) or port is None or not 0 < int(port) < 65536:
        return None
    return host, int(port)


def _port_in(rest: str) -> str | None:
    found = re.search(r":(\d{1,5})(?:[/?#]|$)", rest.rsplit("@", 1)[-1])
    return found[1] if found else None


async def answers(address: tuple[str, int]) -> str:
    """Empty when somebody takes the connection, else why not."""
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(*address)
    except TimeoutError:
        return f"no answer within {_PATIENCE:g} s"
    except OSError as error:
        return error.strerror or str(error)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""


async def check(incident: Incident, tools: Tools) -> str:
    address = address_of(incident)
    if address is None:
        raise NotThereError("the line names no server that can be asked; watching")
    if why := await answers(address):
        return why
    if tools.child is not None:
        await tools.child.pause(False)
    raise NotThereError(f"{address[0]}:{address[1]} answers again")


async def act(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    """Hold the intake, so that nothing new runs into it; the last attempt lets it go again."""
    held = tools.child is not None and await tools.child.pause(not tools.last)
    return "the intake waits" if held and not tools.last else "asked again"


async def prove(incident: Incident, tools: Tools) -> str:
    address = address_of(incident)
    assert address is not None, "checked"
    if why := await answers(address):
        raise FailedError(f"{address[0]}:{address[1]}: {why}")
    if tools.child is not None:
        await tools.child.pause(False)
    return f"{address[0]}:{address[1]} answers"


STRATEGY = Strategy("probe_server", 20.0, check, act, prove, resumes=True, repeatable=True)
