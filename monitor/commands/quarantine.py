"""`vigia quarantine list|show|restore|purge`: works beside the monitor, and without one."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from monitor.ask import RefusedError
from monitor.home import data_folder
from monitor.redact import printable, redact
from monitor.safe.quarantine import Entry
from monitor.safe.root_helper import Failed, Refused
from monitor.safe.shelves import Shelves
from monitor.texts import sized

# (Spanish, English)
_TEXTS = {
    "list": ("qué archivos hay en cuarentena", "which files are in quarantine"),
    "show": ("todo lo que se sabe de uno", "all that is known of one"),
    "restore": (
        "devuélvelo a su sitio; nunca sobre otro archivo",
        "put it back where it was; never over another file",
    ),
    "purge": ("bórralo para siempre", "remove it for good"),
    "id": ("como lo da la lista", "as the list gives it"),
    "json": ("para programas", "for programs"),
    "older": (
        "todos los que llevan más tiempo: 12h, 30d, 8w",
        "all that have been here for longer: 12h, 30d, 8w",
    ),
    "empty": ("La cuarentena está vacía.", "The quarantine is empty."),
    "head": ("ID ESTADO TAMAÑO CAUSA ARCHIVO", "ID STATE SIZE CAUSE FILE"),
    "restored": ("De vuelta en su sitio: {path}", "Back where it was: {path}"),
    "purged": ("Borrado para siempre: {path} ({size})", "Removed for good: {path} ({size})"),
    "none_old": ("No hay nada tan antiguo.", "Nothing is that old."),
    "span": ("{span} no es un tiempo: 12h, 30d, 8w", "{span} is not a time: 12h, 30d, 8w"),
}
_STATES = {
    "moving": ("entrando", "moving"),
    "kept": ("guardado", "kept"),
    "restoring": ("saliendo", "restoring"),
    "purging": ("borrándose", "purging"),
    "unreadable": ("ilegible", "unreadable"),
}
T = TypeVar("T")
_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in ("list", "show", "restore", "purge"):
        text = _say(verb, lang)
        one = verbs.add_parser(verb, help=text, description=text, allow_abbrev=False)
        if verb in {"show", "restore"}:
            one.add_argument("id", metavar="ID", help=_say("id", lang))
        if verb in {"list", "show"}:
            one.add_argument("--json", action="store_true", help=_say("json", lang))
        if verb == "purge":
            which = one.add_mutually_exclusive_group(required=True)
            which.add_argument("id", nargs="?", metavar="ID", help=_say("id", lang))
            which.add_argument("--older-than", metavar="TIME", help=_say("older", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 when it was done; a refusal says why."""
    owners = frozenset({arguments.home.stat().st_uid} if arguments.home.is_dir() else ())
    quarantine = Shelves(folder(arguments.home), owners)
    _VERBS[arguments.verb](quarantine, arguments)
    return 0


def folder(home: Path) -> Path:
    """Where the quarantine of that home is."""
    return data_folder(home) / "quarantine"


def _list(quarantine: Shelves, arguments: argparse.Namespace) -> None:
    entries = _insist(quarantine.entries())
    if arguments.json:
        _print_json([asdict(entry) for entry in entries])
    elif not entries:
        print(_say("empty", arguments.lang))
    else:
        print(_table(entries, arguments.lang))


def _table(entries: tuple[Entry, ...], lang: str) -> str:
    head = tuple(_say("head", lang).split())
    rows = [head, *(_row(entry, lang) for entry in entries)]
    width = [max(len(row[n]) for row in rows) for n in range(len(head))]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, width, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _row(entry: Entry, lang: str) -> tuple[str, ...]:
    state = _STATES.get(entry.state, _STATES["unreadable"])[lang != "es"]
    return (entry.id, state, sized(entry.size), _clean(entry.cause)[:40], _clean(entry.path))


def _show(quarantine: Shelves, arguments: argparse.Namespace) -> None:
    entry = _insist(quarantine.show(arguments.id))
    facts = asdict(entry)
    if arguments.json:
        _print_json(facts)
        return
    facts["at"] = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
    facts["mode"] = f"{entry.mode:04o}"
    facts["size"] = f"{sized(entry.size)} ({entry.size})"
    for name in ("id", "state", "path", "cause", "incident", "at", "size", "uid", "gid", "mode"):
        print(f"{name:<9} {_clean(str(facts[name]))}")
    print(f"{'sha256':<9} {entry.sha256}")


def _restore(quarantine: Shelves, arguments: argparse.Namespace) -> None:
    entry = _insist(quarantine.restore(arguments.id))
    print(_say("restored", arguments.lang, path=_clean(entry.path)))


def _purge(quarantine: Shelves, arguments: argparse.Namespace) -> None:
    if arguments.older_than is None:
        gone: tuple[Entry, ...] = (_insist(quarantine.purge(arguments.id)),)
    else:
        gone = _insist(quarantine.purge_older(_seconds(arguments.older_than, arguments.lang)))
    for entry in gone:
        size = sized(entry.size)
        print(_say("purged", arguments.lang, path=_clean(entry.path), size=size))
    if not gone:
        print(_say("none_old", arguments.lang))


_VERBS: dict[str, Callable[[Shelves, argparse.Namespace], None]] = {
    "list": _list,
    "show": _show,
    "restore": _restore,
    "purge": _purge,
}


def _seconds(span: str, lang: str) -> float:
    found = _SPAN.fullmatch(span)
    if found is None:
        raise RefusedError(_say("span", lang, span=_clean(span)))
    return float(found[1]) * _SECONDS[found[2]]


def _insist(answer: T | Refused | Failed) -> T:
    if isinstance(answer, Refused | Failed):
        raise RefusedError(_clean(answer.why))
    return answer


def _say(kind: str, lang: str, **facts: str) -> str:
    return _TEXTS[kind][lang != "es"].format_map(facts)


def _clean(text: str) -> str:
    """One line that a terminal shows and does not obey."""
    return printable(redact(text)).replace("\n", "\\n").replace("\t", "\\t")


def _print_json(value: object) -> None:
    json.dump(value, sys.stdout, indent=2)  # ASCII: what is not is escaped
    print()
