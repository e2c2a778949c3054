"""What a person may ask of the alerts over the control socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.control import Asker, NoError, Verb
from monitor.heal.casework import Casework
from monitor.tell.markup import fitted, html, plain
from monitor.tell.news import of_incident
from monitor.tell.teller import Teller
from monitor.tell.words import News
from monitor.texts import lasting, say

_LONGEST = 30 * 86400.0
_DEFAULT = 3600.0


def verbs(teller: Teller, work: Casework) -> dict[str, Verb]:
    """Each verb by the name under which it is asked for."""

    async def mute(asker: Asker, question: Mapping[str, Any]) -> Any:
        what = str(question.get("what") or "")
        seconds = min(float(question.get("for") or _DEFAULT), _LONGEST)
        teller.mute(what, seconds, asker.name)
        facts = {"what": what or "*", "for": lasting(seconds)}
        return say("muted", _lang(question), facts)

    async def unmute(_asker: Asker, question: Mapping[str, Any]) -> Any:
        ended = teller.unmute(str(question.get("what") or ""))
        if not ended:
            raise NoError(say("nothing_muted", _lang(question)))
        named = ", ".join(name or "*" for name in ended)
        return say("unmuted", _lang(question), {"what": named})

    async def preview(_asker: Asker, question: Mapping[str, Any]) -> Any:
        news = _news(teller, work, str(question.get("incident") or ""))
        if news is None:
            raise NoError(say("no_such_alert", _lang(question), {"id": str(question["incident"])}))
        rows = fitted(teller.delivery.writer.about([news]))
        return {"text": plain(rows), "html": html(rows)}

    return {"mute": mute, "unmute": unmute, "preview": preview}


def _news(teller: Teller, work: Casework, name: str) -> News | None:
    """As it was heard, or as the book has it when nobody was to be told."""
    if known := teller.board.news(name):
        return known
    number = name.upper().removeprefix("INC-")
    if known := teller.board.news(f"INC-{number}"):
        return known
    incident = work.book.by_id(int(number)) if number.isdecimal() else None
    return of_incident(incident, None, None, None, incident.last, None) if incident else None


def _lang(question: Mapping[str, Any]) -> str:
    return "es" if question.get("lang") == "es" else "en"
