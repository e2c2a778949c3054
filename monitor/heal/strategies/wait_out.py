"""A rate limit: wait as long as the other side says, then have the job done again."""

from __future__ import annotations

from monitor.heal.strategies import resume_job
from monitor.heal.strategy import FailedError, Strategy, Tools
from monitor.model import Incident

LONGEST = 3600.0
_UNSAID = 30.0


async def check(incident: Incident, tools: Tools) -> str:
    """The first time nothing is done but to wait; the ladder comes back when the time is over."""
    if incident.attempt == 1 and not tools.last:
        wait = asked_for(incident)
        raise FailedError(f"waiting {wait:g} s, as asked", wait=wait)
    return await resume_job.check(incident, tools)


def asked_for(incident: Incident) -> float:
    """The seconds that the line asks for, within reason."""
    try:
        said = float(dict(incident.match.captures)["retry_after"])
    except (KeyError, ValueError):
        return _UNSAID
    return min(LONGEST, said) if said > 0 else _UNSAID


STRATEGY = Strategy("wait_out", 600.0, check, resume_job.act, resume_job.prove)
