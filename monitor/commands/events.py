"""`vigia events [verify] [--since 2h|ISO] [--category C] [--state S] [--incident ID] [--follow]`."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from monitor.ask import RefusedError
from monitor.model import Category
from monitor.records.chain import verify
from monitor.records.history import Follow, generations, read
from monitor.records.record import STATES
from monitor.records.story import message_of, number_of, word_of
from monitor.redact import printable
from monitor.texts import came_of, reason, state_word

_SENTENCES = {
    "what": (
        "verify: comprobar que nadie cambió ni quitó nada",
        "verify: check that nobody changed or removed anything",
    ),
    "since": ("desde hace 2h, 30m, 7d, o desde una fecha ISO", "from 2h, 30m, 7d ago, or an ISO date"),
    "category": ("solo esta clase de problema", "only this kind of trouble"),
    "state": ("solo este estado", "only this state"),
    "incident": ("solo este incidente", "only this incident"),
    "json": ("un objeto JSON por línea", "one JSON object per line"),
    "follow": ("seguir mostrando lo que llega", "go on showing what comes"),
    "last": (
        "solo los últimos N (50 si no se pide otra cosa)",
        "only the last N (50 when nothing else is asked for)",
    ),
    "no_date": (
        "{value!r} no es una fecha ni un tiempo como 2h, 30m o 7d",
        "{value!r} is neither a date nor a time like 2h, 30m or 7d",
    ),
    "none": ("ningún registro", "no records"),
    "no_file": ("no existe {path}", "there is no {path}"),
    "intact": (
        "{count} registros en {files} fichero(s): todo está como se escribió",
        "{count} records in {files} file(s): all is as it was written",
    ),
    "not_intact": ("{count} hallazgo(s)", "{count} finding(s)"),
    "carried": ("(repetido al rotar)", "(repeated at rotation)"),
}  # fmt: skip

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LOOK_EVERY = 0.5  # seconds, for what comes
_DEFAULT_LAST = 50

Event = dict[str, object]


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("what", nargs="?", choices=("verify",), help=_say("what", lang))
    parser.add_argument("--since", metavar="2h|ISO", help=_say("since", lang))
    parser.add_argument(
        "--category", choices=[str(one) for one in Category], help=_say("category", lang)
    )
    parser.add_argument("--state", choices=STATES, help=_say("state", lang))
    parser.add_argument("--incident", metavar="ID", help=_say("incident", lang))
    parser.add_argument("--json", action="store_true", help=_say("json", lang))
    parser.add_argument("--follow", "-f", action="store_true", help=_say("follow", lang))
    parser.add_argument("-n", dest="last", type=int, metavar="N", help=_say("last", lang))


def run(args: argparse.Namespace) -> int:
    """0 when there is something to show, or nothing to find; the monitor need not run."""
    path: Path = args.home / "logs" / "errors.json"
    if args.what == "verify":
        return _verify(path, args.lang)
    wanted = _wanted(args)
    show = _as_json if args.json else lambda event: _as_line(event, args.lang)
    if args.follow:
        return _follow(path, wanted, show, args)
    shown = deque(filter(wanted, read(path)), _how_many(args))
    for event in shown:
        print(show(event))
    if not shown and not args.json:
        print(_say("none", args.lang), file=sys.stderr)
    return 0


def _verify(path: Path, lang: str) -> int:
    files = generations(path)
    if not files:
        print(_say("no_file", lang, path=path), file=sys.stderr)
        return 1
    found = verify(path)
    for finding in found:
        print(printable(reason(str(finding), lang)))
    if found:
        print(_say("not_intact", lang, count=len(found)), file=sys.stderr)
        return 1
    count = sum(1 for _ in read(path))
    print(_say("intact", lang, count=count, files=len(files)))
    return 0


def _follow(
    path: Path,
    wanted: Callable[[Event], bool],
    show: Callable[[Event], str],
    args: argparse.Namespace,
) -> int:
    """Until interrupted; rotated, moved and new files are no end of it."""
    follow = Follow(path)
    try:
        for event in deque(filter(wanted, follow.new()), _how_many(args)):
            print(show(event), flush=True)
        while True:
            time.sleep(_LOOK_EVERY)
            for event in filter(wanted, follow.new()):
                print(show(event), flush=True)
    except KeyboardInterrupt:
        return 0
    finally:
        follow.close()


def _how_many(args: argparse.Namespace) -> int | None:
    """None is all: programs, and who asks for a time or an incident, get everything."""
    if args.last is not None:
        return max(0, int(args.last))
    return None if args.json or args.since or args.incident else _DEFAULT_LAST


def _wanted(args: argparse.Namespace) -> Callable[[Event], bool]:
    """Whether a record is one that was asked for."""
    exact = {
        name: value
        for name in ("category", "state", "incident")
        if (value := getattr(args, name)) is not None
    }
    if number := number_of(exact.get("incident", "")):
        exact["incident"] = f"INC-{number}"
    since = _moment(args.since, datetime.now(UTC), args.lang) if args.since else ""

    def is_wanted(event: Event) -> bool:
        if any(event.get(name) != value for name, value in exact.items()):
            return False
        return not since or str(event.get("timestamp") or "") >= since

    return is_wanted


def _moment(value: str, now: datetime, lang: str) -> str:
    """As records write it, so that it can be compared with theirs."""
    if ago := re.fullmatch(r"(\d{1,6})([smhdw])", value.strip()):
        moment = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            moment = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            raise RefusedError(_say("no_date", lang, value=value)) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_json(event: Event) -> str:
    """ASCII only where a terminal would obey the character; the value is the same."""
    text = orjson.dumps(event).decode()
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    pairs = char.encode("utf-16-be")
    return "".join(f"\\u{pairs[at]:02x}{pairs[at + 1]:02x}" for at in range(0, len(pairs), 2))


def _as_line(event: Event, lang: str) -> str:
    """Local time, state, incident, category, subject, what was done and how it was proved."""
    parts = [
        _local(event.get("timestamp")),
        f"{state_word(event['state'], lang):<12}",
        f"{_word(event, 'incident'):<10}",
        f"{_word(event, 'category'):<12}",
        _word(event, "subject") or message_of(event, lang),
        *_deeds(event, lang),
    ]
    return printable("  ".join(part for part in parts if part)).replace("\n", "\\n").rstrip()


def _deeds(event: Event, lang: str) -> Iterator[str]:
    outcome = event.get("outcome")
    outcome = outcome if isinstance(outcome, Mapping) else {}
    tries = f" {event['attempt']}/{event['max_attempts']}" if event.get("max_attempts") else ""
    if action := _word(event, "action"):
        yield f"{action}{tries}"
    yield ", ".join(came_of(outcome, lang))
    yield word_of(event, lang)
    if event.get("carried"):
        yield _say("carried", lang)


def _word(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    return "" if value is None else str(value)


def _local(timestamp: object) -> str:
    try:
        moment = datetime.fromisoformat(str(timestamp)).astimezone()
    except (ValueError, OverflowError):
        return str(timestamp)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _say(kind: str, lang: str, **facts: object) -> str:
    spanish, english = _SENTENCES[kind]
    return (spanish if lang == "es" else english).format_map(facts)
