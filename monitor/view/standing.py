"""What holds for the whole home just now and a person should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from monitor.redact import printable
from monitor.texts import lasting, say


def standing(status: Mapping[str, Any], lang: str) -> Iterator[str]:
    """Nothing when repairs are made and people are told."""
    if pause := status["paused"]:
        until = say("until_resumed", lang) if pause["ends"] is None else _moment(pause["ends"])
        facts = {"by": pause["by"], "until": until, "note": pause["why"] or "-"}
        yield printable(say("status_repairs_paused", lang, facts))
    if status["dry_run"]:
        yield say("status_dry_run", lang)
    alerts = status["alerts"]
    if not alerts["to"]:
        yield say("alerts_off_short", lang)
    if alerts["waiting"]:
        facts = {"count": str(alerts["waiting"]), "age": lasting(alerts["oldest"])}
        yield say("alerts_waiting", lang, facts)
    for mute in alerts["mutes"]:
        facts = {"what": mute["what"] or "*", "until": _moment(mute["until"]), "by": mute["by"]}
        yield printable(say("alerts_mute", lang, facts))


def _moment(wall: float) -> str:
    return datetime.fromtimestamp(wall).astimezone().strftime("%Y-%m-%d %H:%M:%S")
