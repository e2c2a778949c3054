"""What a person at the control socket sees of the incidents, and says about them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from monitor.control import Asker, NoError, Verb
from monitor.heal.casework import Casework, clock
from monitor.heal.person import WORDS, Already, No
from monitor.heal.recording import stamp
from monitor.model import OPEN, Incident, IncidentState, Pause
from monitor.state import StateUnwritable
from monitor.texts import say


def verbs(work: Casework) -> dict[str, Verb]:
    async def incidents(_asker: Asker, question: Mapping[str, Any]) -> Any:
        """Those named by number; else all, or all but the closed ones."""
        ids, everything = question.get("ids"), question.get("all")
        known = sorted(work.book.known.values(), key=lambda one: one.id)
        wanted = [
            one
            for one in known
            if (one.id in ids if ids else everything or one.state is not IncidentState.RESOLVED)
        ]
        return {"incidents": [work.shown(one) for one in wanted]}

    async def incident(asker: Asker, question: Mapping[str, Any]) -> Any:
        """A person's word on some of them; what came of each."""
        word, lang = str(question.get("word")), str(question.get("lang"))
        if word not in WORDS:
            raise NoError(f"known are: {', '.join(WORDS)}")
        return [_said(work, word, int(id), asker.name, lang) for id in question.get("ids", ())]

    async def pause(asker: Asker, question: Mapping[str, Any]) -> Any:
        lang, length = str(question.get("lang")), question.get("for")
        now, wall = clock(), time.time()
        lasts = None if length is None else float(length)
        pause = Pause(
            asker.name,
            wall,
            str(question.get("why") or ""),
            None if lasts is None else now + lasts,
            None if lasts is None else wall + lasts,
        )
        try:
            work.pause(pause)
        except StateUnwritable as error:
            raise NoError(say("not_written_down", lang, {"why": str(error)})) from None
        begun = say("pause_begun", lang, {"until": _until(pause, lang)})
        at_work = [one for one in work.book.open_ones() if one.state is IncidentState.FIXING]
        if at_work:
            ids = ", ".join(f"INC-{one.id}" for one in at_work)
            begun += "\n" + say("pause_at_work", lang, {"ids": ids})
        return begun

    async def unknown(_asker: Asker, _question: Mapping[str, Any]) -> Any:
        return work.unknown.shown()

    async def resume(asker: Asker, question: Mapping[str, Any]) -> Any:
        lang = str(question.get("lang"))
        try:
            was = work.resume(asker.name)
        except StateUnwritable as error:
            raise NoError(say("not_written_down", lang, {"why": str(error)})) from None
        return say("pause_ended" if was else "was_not_paused", lang)

    return {
        "incidents": incidents,
        "incident": incident,
        "pause": pause,
        "resume": resume,
        "unknown": unknown,
    }


def standing(work: Casework) -> dict[str, Any]:
    """For `vigia status`: what is open or needs a person, and whether repairs are made at all."""
    book = work.book
    open_ones = [one for one in book.known.values() if _is_open(one)]
    return {
        "paused": None if book.paused is None else asdict(book.paused),
        "dry_run": book.settings.dry_run,
        "incidents": [work.shown(one) for one in sorted(open_ones, key=lambda one: one.id)],
    }


def _is_open(one: Incident) -> bool:
    return one.state in OPEN or one.state is IncidentState.FAILED


def _said(work: Casework, word: str, id: int, by: str, lang: str) -> dict[str, Any]:
    name = f"INC-{id}"
    try:
        after = work.said(word, id, by)
    except StateUnwritable as error:
        return {"id": name, "ok": False, "text": say("not_written_down", lang, {"why": str(error)})}
    if isinstance(after, Already | No):
        text = say(after.kind, lang, dict(after.facts) | {"id": name})
        return {"id": name, "ok": isinstance(after, Already), "text": text}
    waits = "_paused" if word == "retry" and work.book.paused else ""
    return {
        "id": name,
        "ok": True,
        "text": say(f"said_{word}{waits}", lang, {"id": name, "by": by}),
    }


def _until(pause: Pause, lang: str) -> str:
    return say("until_resumed", lang) if pause.ends is None else stamp(pause.ends)
