"""What a command shows on a phone: what the monitor answers -> rows of words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monitor.records.story import message_of
from monitor.redact import printable, redact
from monitor.tell.markup import MOST, Row, row, units
from monitor.tell.news import clean
from monitor.tell.wording import Reader
from monitor.texts import lasting, reason, say, sized, state_word

_MOST = 12  # incidents
_LOOKED_AT = 8192  # bytes of one: far more than is shown, so that no secret is cut in half
_LINE = 300  # characters of a line of a log
_ICONS = {"running": "🟢", "finished": "🟢", "starting": "🔵", "stopped": "⏹", "given_up": "🔴"}


def status(facts: Mapping[str, Any], strangers: int, reader: Reader) -> list[Row]:
    """Each child, then what is open, then who is not let in."""
    up = reader.say("screen_up", host=reader.host, up=lasting(facts["up"]))
    rows = [row(up, "b", 9), *(_child(child, reader) for child in facts["children"])]
    if pause := facts["paused"]:
        rows.append(row(reader.say("screen_paused", by=clean(str(pause["by"]))), weight=7))
    rows += incidents(facts["incidents"], reader)
    if strangers:
        rows.append(row(reader.say("screen_strangers", count=strangers), weight=3))
    return rows


def _child(child: Mapping[str, Any], reader: Reader) -> Row:
    vitals = child["vitals"]
    facts = [say(f"state_{child['state']}", reader.lang)]
    if child["pid"]:
        facts += [f"pid {child['pid']}", lasting(child["up"])]
    if vitals["memory"] is not None:
        facts.append(sized(vitals["memory"]))
    if note := child["why"] or (child["last_exit"] if not child["pid"] else ""):
        facts.append(clean(reason(str(note), reader.lang), 120))
    icon = _ICONS.get(child["state"], "🟡")
    return Row((("", f"{icon} "), ("b", child["name"]), ("", f" {' · '.join(facts)}")), 6)


def incidents(records: Sequence[Mapping[str, Any]], reader: Reader) -> list[Row]:
    """The newest; one line each."""
    if not records:
        return [row(reader.say("screen_no_incidents"), weight=5)]
    rows = [_incident(record, reader) for record in records[-_MOST:]]
    if len(records) > _MOST:
        rows.insert(0, row(reader.say("and_more", count=len(records) - _MOST), weight=5))
    return rows


def _incident(record: Mapping[str, Any], reader: Reader) -> Row:
    context = record["context"]
    words = (
        f" {context['child']} · {state_word(record['state'], reader.lang)} · {record['category']}"
    )
    if what := record["subject"]:
        words += f" · {clean(str(what), 80)}"
    if by := context.get("acked_by"):
        words += f" · {reader.say('acked_by', by=clean(str(by)))}"
    return Row((("b", str(record["incident"])), ("", words)), 4)


def events(records: Sequence[Mapping[str, Any]], reader: Reader) -> list[Row]:
    """The last moves, oldest first."""
    if not records:
        return [row(reader.say("screen_no_events"), weight=5)]
    return [_event(record, reader) for record in records]


def _event(record: Mapping[str, Any], reader: Reader) -> Row:
    at = str(record.get("timestamp", ""))[11:19]
    state = state_word(record.get("state"), reader.lang)
    message = message_of(record, reader.lang)
    words = (state, record.get("category"), record.get("action"), message)
    told = " · ".join(clean(str(word), 120) for word in words if word)
    return Row((("", f"{at}Z "), ("b", str(record.get("incident") or "")), ("", f" {told}")), 4)


def log(
    name: str, lines: Sequence[bytes], reader: Reader, hidden: Callable[[str], str]
) -> list[Row]:
    """The newest that fit; secrets are hidden before anything is cut."""
    head = reader.say("screen_log", child=name, count=len(lines))
    if not lines:
        return [row(reader.say("screen_no_log", child=name), weight=5)]
    kept: list[str] = []
    room = MOST - units(head) - 100
    for line in reversed(lines):
        shown = _shown(line, hidden)
        room -= units(shown) + 1
        if room < 0:
            break
        kept.append(shown)
    return [row(head, "b", 9), row("\n".join(reversed(kept)), "pre", 5)]


def _shown(line: bytes, hidden: Callable[[str], str]) -> str:
    text = hidden(line[:_LOOKED_AT].decode(errors="replace").rstrip("\r\n"))
    text = printable(redact(text))
    return text if len(text) <= _LINE else f"{text[: _LINE - 1]}…"


def helped(commands: Sequence[str], reader: Reader) -> list[Row]:
    rows = [row(reader.say("screen_help"), "b", 9)]
    return rows + [row(f"/{name} {reader.say(f'help_{name}')}", weight=5) for name in commands]
