"""`vigia incidents [list|show|ack|resolve|retry] [ID…] [--all] [-n N] [--json]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from monitor.ask import NobodyThereError, RefusedError, ask
from monitor.records.story import (
    Record,
    Story,
    context_of,
    message_of,
    moment,
    number_of,
    state_of,
    stories,
)
from monitor.redact import as_json, printable
from monitor.texts import lasting, say

MIXED = True
_LOOKS, _WORDS = ("list", "show"), ("ack", "resolve", "retry")
_SHOWN = 50
_COLUMNS = ("incident", "state", "category", "subject", "times", "opened", "next", "note")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument(
        "what", nargs="?", choices=(*_LOOKS, *_WORDS), default="list", help=say("help_what", lang)
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help=say("help_ids", lang))
    parser.add_argument("--all", action="store_true", help=say("help_all", lang))
    parser.add_argument("-n", dest="last", type=int, default=_SHOWN, help=say("help_last", lang))
    parser.add_argument("--json", action="store_true", help=say("help_json", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 when it was done or shown; 1 when one of them is unknown, closed or at work."""
    numbers = _numbers_of(arguments.ids, arguments.lang)
    if arguments.what != "list" and not numbers:
        raise RefusedError(say("no_ids", arguments.lang))
    if arguments.what in _WORDS:
        return _say_word(arguments, numbers)
    if arguments.what == "show":
        return _show(arguments, numbers)
    return _list(arguments, numbers)


def _say_word(arguments: argparse.Namespace, numbers: list[int]) -> int:
    answers = ask(arguments.home, "incident", word=arguments.what, ids=numbers, lang=arguments.lang)
    if arguments.json:
        print(as_json(answers))
    else:
        for answer in answers:
            print(printable(answer["text"]), file=sys.stdout if answer["ok"] else sys.stderr)
    return 0 if all(answer["ok"] for answer in answers) else 1


def _known(arguments: argparse.Namespace, numbers: list[int]) -> tuple[str, dict[int, Record]]:
    """Where it is known from, and each as it stands: the monitor's word, else the last record."""
    try:
        answer = ask(arguments.home, "incidents", 5.0, ids=numbers, all=arguments.all)
        return "monitor", {number_of(one["incident"]) or 0: one for one in answer["incidents"]}
    except NobodyThereError as nobody:
        if not arguments.json:
            print(
                f"vigia: {say('from_records', arguments.lang, {'why': str(nobody)})}",
                file=sys.stderr,
            )
    told = {number: story.last for number, story in stories(arguments.home).items()}
    wanted = {
        number: last
        for number, last in told.items()
        if (number in numbers if numbers else arguments.all or last.get("state") != "resolved")
    }
    return "logs/errors.json", wanted


def _list(arguments: argparse.Namespace, numbers: list[int]) -> int:
    source, known = _known(arguments, numbers)
    missing = [number for number in numbers if number not in known]
    found = [known[number] for number in sorted(known)]
    shown = found[-arguments.last :] if arguments.last > 0 else found
    if arguments.json:
        print(as_json({"source": source, "incidents": shown}))
    else:
        for line in rows(shown, arguments.lang):
            print(line)
        if len(found) > len(shown):
            print(say("earlier_ones", arguments.lang, {"count": str(len(found) - len(shown))}))
        if not found and not missing:
            print(say("no_incidents", arguments.lang), file=sys.stderr)
    return _unknown(missing, arguments.lang)


def _show(arguments: argparse.Namespace, numbers: list[int]) -> int:
    source, known = _known(arguments, numbers)
    told = stories(arguments.home)
    found = [number for number in numbers if number in known or number in told]
    if arguments.json:
        shown = [
            {
                "source": source if number in known else "logs/errors.json",
                "now": known[number] if number in known else told[number].last,
                "records": list(told[number].records) if number in told else [],
            }
            for number in found
        ]
        print(as_json({"incidents": shown}))
    else:
        for number in found:
            story = told.get(number) or Story(f"INC-{number}", (known[number],))
            for line in card(known.get(number) or story.last, story, arguments.lang):
                print(line)
    return _unknown([number for number in numbers if number not in found], arguments.lang)


def _unknown(numbers: list[int], lang: str) -> int:
    for number in numbers:
        print(f"vigia: {say('no_such_incident', lang, {'id': f'INC-{number}'})}", file=sys.stderr)
    return 1 if numbers else 0


def _numbers_of(texts: Sequence[str], lang: str) -> list[int]:
    """The incidents that are named, each once; refused when one is no incident's name."""
    numbers = []
    for text in texts:
        number = number_of(text)
        if number is None:
            raise RefusedError(say("not_an_incident", lang, {"id": text}))
        numbers.append(number)
    return list(dict.fromkeys(numbers))


# --- for people --------------------------------------------------------------------------------


def rows(records: Sequence[Record], lang: str) -> Iterator[str]:
    """A table, one line an incident; nothing when there is none."""
    if not records:
        return
    head = {column: say(f"column_{column}", lang) for column in _COLUMNS}
    table = [head, *(_row(record, lang) for record in records)]
    width = {column: min(40, max(len(row[column]) for row in table)) for column in _COLUMNS}
    used = [column for column in _COLUMNS if any(row[column] for row in table[1:])]
    for row in table:
        yield "  ".join(f"{row[column]:<{width[column]}}" for column in used).rstrip()


def _row(record: Record, lang: str) -> dict[str, str]:
    context = context_of(record)
    row = {
        "incident": record["incident"],
        "state": state_of(record, lang),
        "category": record["category"],
        "subject": record["subject"] or record["rule"],
        "times": record["occurrences"],
        "opened": moment(context.get("opened") or record["timestamp"]),
        "next": _until(record["next_try"]),
        "note": _note(record, context, lang),
    }
    return {name: _one_line(value) for name, value in row.items()}


def _note(record: Record, context: Mapping[str, Any], lang: str) -> str:
    by = context.get("acked_by")
    acked = say("note_acked", lang, {"by": str(by)}) if by else ""
    why = "" if context.get("said") == "ack" else message_of(record, lang)
    return "; ".join(filter(None, (acked, why)))


def card(now: Record, story: Story, lang: str) -> Iterator[str]:
    """One incident as it stands, and each step that led there."""
    context = context_of(now)
    facts = {
        "incident": now["incident"],
        "state": state_of(now, lang),
        "category": f"{now['category']} ({now['severity']})",
        "subject": now["subject"] or "",
        "child": context.get("child") or "",
        "rule": now["rule"],
        "times": now["occurrences"],
        "opened": moment(context.get("opened") or story.records[0]["timestamp"]),
        "last": moment(context["last"]) if context.get("last") else "",
        "next": _until(now["next_try"]),
        "rung": context.get("rung") or "",
        "root": context.get("root") or "",
        "acked": context.get("acked_by") or "",
        "note": message_of(now, lang),
    }
    width = max(len(say(f"column_{name}", lang)) for name in facts)
    for name, value in facts.items():
        if value not in ("", None):
            yield f"{say(f'column_{name}', lang):<{width}}  {_one_line(value)}"
    for at, sentence in story.told(lang):
        yield f"  {moment(at)}  {_one_line(sentence)}"


def _until(stamp: object) -> str:
    """How long it is until then; nothing when there is no such time or it is over."""
    if not isinstance(stamp, str):
        return ""
    left = (datetime.fromisoformat(stamp) - datetime.now(UTC)).total_seconds()
    return lasting(max(0.0, left))


def _one_line(value: object) -> str:
    return printable(str(value)).replace("\n", "\\n")
