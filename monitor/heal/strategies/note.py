"""Nothing is to be repaired: who blocked the bot has blocked it. It is written down."""

from __future__ import annotations

from monitor.heal.strategy import NotThereError, Strategy, Tools
from monitor.model import Incident


async def check(incident: Incident, tools: Tools) -> str:  # noqa: ARG001 - a step's form
    raise NotThereError("noted; there is nothing to repair")


STRATEGY = Strategy("note", 1.0, check, check, check)
