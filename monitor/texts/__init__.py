"""Every sentence for people, in Spanish and in English."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from monitor.model import Told
from monitor.texts import answers, categories, diary, explaining, reasons, showing, usage

Lang = Literal["es", "en"]
ROOMS = (diary, usage, showing, answers, categories, explaining)
# kind: (Spanish, English). What stands in braces are facts, put in as they are, once.
SENTENCES = {kind: said for room in ROOMS for kind, said in room.SENTENCES.items()}


def sentence(told: Told, lang: str) -> str:
    """What happened, as one sentence."""
    facts = dict(told.facts) | {"child": told.child}
    return say(told.kind, lang, facts | {"came": "; ".join(came_of(facts, lang))})


def say(kind: str, lang: str, facts: Mapping[str, str] | None = None) -> str:
    """The text of that kind in that language; facts are data and never read as a pattern."""
    return said(SENTENCES[kind], lang, facts or {})


def said(pair: tuple[str, str], lang: str, facts: Mapping[str, object]) -> str:
    """The one of the two that is asked for, with its facts, of which the reasons are said as well."""
    spanish, english = pair
    if lang != "es":
        return english.format_map(facts)
    return spanish.format_map(reasons.facts_in_spanish(facts))


def reason(text: str, lang: str) -> str:
    """A reason as decisions give it, for people."""
    return reasons.in_spanish(text) if lang == "es" else text


def state_word(state: object, lang: str) -> str:
    """The state of an incident, for people."""
    return say(f"is_{state}", lang) if f"is_{state}" in SENTENCES else str(state)


def result_word(result: object, lang: str) -> str:
    """What came of an attempt, for people."""
    return say(f"result_{result}", lang) if f"result_{result}" in SENTENCES else str(result)


def came_of(outcome: Mapping[str, object], lang: str) -> list[str]:
    """What came of an attempt: the word for it, what was done and how it was proved."""
    words = [reason(str(outcome.get(name) or ""), lang) for name in ("detail", "proof")]
    return list(filter(None, (result_word(outcome.get("result") or "", lang), *words)))


def language(chosen: str = "auto", environ: Mapping[str, str] = os.environ) -> Lang:
    """`es` or `en`: the chosen one, else VIGIA_LANG, else the locale's."""
    locale = (environ.get(name, "") for name in ("VIGIA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    wanted = chosen if chosen in ("es", "en") else next(filter(None, locale), "en")
    return "es" if wanted.lower().startswith("es") else "en"


def lasting(seconds: float) -> str:
    """A time for people: 0.4 s, 12 s, 3 min, 2 h 05 min, 4 d 03 h."""
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes // 60 % 24:02d} h"


def sized(count: float) -> str:
    """Bytes for people: 512 B, 3.2 MB."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError
