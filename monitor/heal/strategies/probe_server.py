"""A server is down: hold the intake, see whether it answers, start it when we were told how."""

from __future__ import annotations

import re

from monitor.heal.incidents import host_of
from monitor.heal.servers import BOT_API_DOWN, answer_of, answers
from monitor.heal.strategy import FailedError, NotThereError, Strategy, Tools
from monitor.model import Incident

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


async def why_silent(incident: Incident) -> str:
    """Empty when the server answers; ours is asked for an answer, others only for a connection."""
    address = address_of(incident)
    if address is None:
        raise NotThereError("the line names no server that can be asked; watching")
    if incident.match.rule == BOT_API_DOWN:
        return await answer_of(incident.match.subject or "")
    return await answers(address)


def named(incident: Incident) -> str:
    """Host and port, for people and for the configuration."""
    host, port = address_of(incident) or ("?", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def check(incident: Incident, tools: Tools) -> str:
    if why := await why_silent(incident):
        return why
    await tools.intake.well(incident)
    raise NotThereError(f"{named(incident)} answers")


async def act(incident: Incident, tools: Tools) -> str:
    """Hold the intake, so that nothing new runs into it; a line alone cannot hold it for long."""
    if tools.last and incident.match.rule != BOT_API_DOWN:
        await tools.intake.release(incident.id)
        return "asked again"
    held = await tools.intake.hold(incident)
    return f"the intake of {', '.join(held)} waits" if held else "asked again"


async def prove(incident: Incident, tools: Tools) -> str:
    if why := await why_silent(incident):
        raise FailedError(f"{named(incident)}: {why}")
    await tools.intake.well(incident)
    return f"{named(incident)} answers"


STRATEGY = Strategy("probe_server", 20.0, check, act, prove, resumes=True, repeatable=True)
