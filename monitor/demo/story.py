"""What the records tell of one fault: when it was noticed, repaired and proved. No clock, no files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.demo.words import say
from monitor.texts import reason

OVER = ("resolved", "failed", "alert_only")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that became known of it, with the seconds after it was planted."""

    kind: str  # noticed, repaired, proved
    after: float
    said: str
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Tale:
    """One fault as far as it is told."""

    steps: tuple[Step, ...] = ()
    incidents: tuple[str, ...] = ()
    open: bool = False  # one of its incidents is not resolved

    def after(self, kind: str) -> float | None:
        """When that was; of several, when the last of it was, but the first that was noticed."""
        found = [step.after for step in self.steps if step.kind == kind]
        return (found[0] if kind == "noticed" else found[-1]) if found else None

    @property
    def healed(self) -> bool:
        """All that came up is resolved, and something did."""
        return bool(self.incidents) and not self.open


def tell(records: Iterable[Mapping[str, Any]], category: str, planted: float, lang: str) -> Tale:
    """Of all that came up since it was planted, that of its category; open while any of it is."""
    since = [one for one in records if moment(one) >= planted and not one.get("carried")]
    states = {one["incident"]: one["state"] for one in since if one["state"] != "gap"}
    ours = {one["incident"] for one in since if one["category"] == category}
    steps = [
        step
        for one in since
        if one["incident"] in ours and (step := _step(one, moment(one) - planted, lang))
    ]
    is_open = any(state != "resolved" for state in states.values())
    return Tale(_first_of_each(steps), tuple(sorted(ours)), is_open)


def moment(record: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(record["timestamp"]).timestamp()


def _step(record: Mapping[str, Any], after: float, lang: str) -> Step | None:
    outcome = record["outcome"] or {}
    name = record["incident"]
    match record["state"]:
        case "detected":
            about = record["subject"] or reason(record["message"], lang)
            return Step("noticed", after, f"{name} {record['category']}: {about}", name)
        case "retrying" if outcome.get("result") == "done":
            done = reason(outcome.get("detail") or outcome.get("proof") or "", lang)
            return Step("repaired", after, f"{name} {record['action']}: {done}", name)
        case "resolved":
            why = reason(outcome.get("proof") or outcome.get("detail") or "", lang)
            return Step("proved", after, f"{name} {why or say('stayed_well', lang)}", name)
    return None


def _first_of_each(steps: Iterable[Step]) -> tuple[Step, ...]:
    """An incident that goes on being seen tells the same once more; once is enough."""
    seen: dict[tuple[str, str], Step] = {}
    for step in steps:
        seen.setdefault((step.kind, step.incident), step)
    return tuple(seen.values())
