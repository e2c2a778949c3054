"""One frame of `vigia watch`: what the monitor answers, put before a person's eyes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.records.story import message_of, word_of
from monitor.redact import printable, redact
from monitor.texts import came_of, lasting, reason, say, sized, state_word
from monitor.view.sparkline import sparkline
from monitor.view.standing import standing

_WIDTH = 30  # samples in a sparkline
_MOST = 12  # incidents in a frame
_MB = float(1 << 20)

_STATE_COLOURS = {
    "running": "green",
    "finished": "green",
    "resolved": "green",
    "starting": "cyan",
    "fixing": "cyan",
    "retrying": "cyan",
    "detected": "yellow",
    "backoff": "yellow",
    "waiting": "yellow",
    "alert_only": "yellow",
    "failed": "red",
    "given_up": "red",
}


@dataclass(slots=True)
class Histories:
    """What was measured lately, by child."""

    memory: dict[str, deque[float | None]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_WIDTH))
    )
    cpu: dict[str, deque[float | None]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_WIDTH))
    )

    def add(self, children: Iterable[Mapping[str, Any]]) -> None:
        for child in children:
            self.memory[child["name"]].append(child["vitals"]["memory"])
            self.cpu[child["name"]].append(child["vitals"]["cpu"])


@dataclass(frozen=True, slots=True)
class Sight:
    """All that one frame shows."""

    status: Mapping[str, Any] | None
    why_not: str = ""
    records: Sequence[Mapping[str, Any]] = ()
    work: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # /health, by child


def frame(sight: Sight, histories: Histories, lang: str) -> RenderableType:
    parts: list[RenderableType] = []
    if sight.status is None:
        parts.append(Text(say("watch_nobody", lang, {"why": sight.why_not}), "yellow"))
    else:
        parts += _of_status(sight.status, histories, lang)
    if sight.work:
        parts.append(_panel("watch_work", lang, _work(sight.work)))
    parts.append(_panel("watch_records", lang, _records(sight.records, lang)))
    return Group(*parts)


def _of_status(status: Mapping[str, Any], histories: Histories, lang: str) -> list[RenderableType]:
    facts = {"pid": str(status["pid"]), "up": lasting(status["up"]), "home": str(status["home"])}
    head = _text(say("status_head", lang, facts), "bold")
    for line in standing(status, lang):
        head.append(f"\n{redact(line)}", "yellow")
    children = _children(status["children"], histories, lang)
    incidents = _incidents(status.get("incidents", ()), lang)
    return [
        head,
        _panel("watch_children", lang, children),
        _panel("watch_incidents", lang, incidents),
    ]


def _panel(title: str, lang: str, content: RenderableType) -> Panel:
    return Panel(content, title=say(title, lang), title_align="left", border_style="dim")


def _children(
    children: Iterable[Mapping[str, Any]], histories: Histories, lang: str
) -> RenderableType:
    names = ("name", "state", "pid", "up", "starts", "history", "progress", "note")
    table = _table([say(f"column_{name}", lang) for name in names])
    for child in children:
        vitals = child["vitals"]
        progress = vitals["progress_age"]
        table.add_row(
            _text(child["name"], "bold"),
            _text(say(f"state_{child['state']}", lang), _STATE_COLOURS.get(child["state"], "")),
            str(child["pid"] or ""),
            lasting(child["up"]) if child["pid"] else "",
            str(child["starts"]),
            _history(child["name"], vitals, histories),
            "" if progress is None else lasting(progress),
            _text(_note(child, lang)),
        )
    return table


def _note(child: Mapping[str, Any], lang: str) -> str:
    why, left = reason(child["why"] or child["last_exit"], lang), child["next_start"]
    return why if left is None else f"→ {lasting(left)}: {why}"


def _history(name: str, vitals: Mapping[str, Any], histories: Histories) -> Text:
    text = Text()
    if vitals["memory"] is not None:
        text.append(f"{sized(vitals['memory'])} ")
        text.append(sparkline(histories.memory[name], least_span=_MB), "blue")
    if vitals["cpu"] is not None:
        text.append(f"\n{vitals['cpu']:.0%} ")
        text.append(sparkline(histories.cpu[name], least_span=0.02), "magenta")
    return text


def _incidents(incidents: Sequence[Mapping[str, Any]], lang: str) -> RenderableType:
    if not incidents:
        return Text(say("watch_calm", lang), "green")
    names = ("incident", "state", "category", "subject", "times", "next", "note")
    table = _table([say(f"column_{name}", lang) for name in names])
    for one in incidents[-_MOST:]:
        table.add_row(
            _text(one["incident"], "bold"),
            _text(state_word(str(one["state"]), lang), _STATE_COLOURS.get(one["state"], "")),
            _text(one["category"]),
            _text(one["subject"] or one["rule"]),
            str(one["occurrences"]),
            _left(one.get("next_try")),
            _text(message_of(one, lang)),
        )
    return table


def _left(stamp: object) -> str:
    if not isinstance(stamp, str):
        return ""
    when = datetime.fromisoformat(stamp)
    return lasting(max(0.0, (when - datetime.now(when.tzinfo)).total_seconds()))


def _records(records: Sequence[Mapping[str, Any]], lang: str) -> RenderableType:
    table = _table(None)
    for record in records:
        came = came_of(record.get("outcome") or {}, lang) or [word_of(record, lang)]
        table.add_row(
            _text(_clock_of(str(record["timestamp"])), "dim"),
            _text(record["incident"]),
            _text(
                state_word(str(record["state"]), lang), _STATE_COLOURS.get(str(record["state"]), "")
            ),
            _text(record["category"]),
            _text(record["subject"] or ""),
            _text(came[-1] if came else ""),
        )
    return table


def _work(work: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """What a child says of itself, as it says it: queues, ages, throughput."""
    table = _table(None)
    for name, said in work.items():
        facts = (f"{key} {_value(value)}" for key, value in said.items())
        table.add_row(_text(name, "bold"), _text("  ".join(facts)))
    return table


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items()) or "-"
    return "-" if value is None else str(value)


def _table(columns: Sequence[str] | None) -> Table:
    table = Table(box=None, expand=True, show_header=columns is not None, header_style="dim")
    for name in columns or ():
        table.add_column(name, overflow="fold")
    return table


def _text(value: object, style: str = "") -> Text:
    """Facts from logs are data: no markup is read in them, and nothing a terminal would obey."""
    return Text(printable(redact(str(value))).replace("\n", " "), style)


def _clock_of(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone().strftime("%H:%M:%S")
