"""`vigia status [--json] [NAME…]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.ask import RefusedError, ask
from monitor.commands.incidents import rows
from monitor.commands.orders import names_argument
from monitor.texts import lasting, reason, say, sized
from monitor.view.standing import standing

_COLUMNS = ("name", "state", "pid", "up", "starts", "next", "memory", "cpu", "progress", "note")
_MOST = 10  # incidents that are shown
_WELL = ("running", "starting", "finished", "stopped")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    names_argument(parser, lang)
    parser.add_argument("--json", action="store_true", help=say("help_json", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 when all that should run does, 1 when a child is in trouble."""
    status = ask(arguments.home, "status", 5.0)
    children = status["children"]
    if unknown := [n for n in arguments.names if n not in {c["name"] for c in children}]:
        raise RefusedError(say("no_such_child", arguments.lang, {"name": unknown[0]}))
    if arguments.names:
        children = [child for child in children if child["name"] in arguments.names]
    if arguments.json:
        json.dump(status | {"children": children}, sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        print(_table(status, children, arguments.lang))
        for line in (*standing(status, arguments.lang), *_incidents(status, arguments.lang)):
            print(line)
    return 0 if all(child["state"] in _WELL for child in children) else 1


def _table(status: Mapping[str, Any], children: list[dict[str, Any]], lang: str) -> str:
    head = {column: say(f"column_{column}", lang) for column in _COLUMNS}
    rows = [head, *(_row(child, lang) for child in children)]
    used = [c for c in _COLUMNS if any(row[c] for row in rows[1:]) or c in ("name", "state")]
    width = {c: max(len(row[c]) for row in rows) for c in used}
    lines = ["  ".join(f"{row[c]:<{width[c]}}" for c in used).rstrip() for row in rows]
    facts = {"pid": str(status["pid"]), "up": lasting(status["up"]), "home": status["home"]}
    return "\n".join((say("status_head", lang, facts), *lines))


def _incidents(status: Mapping[str, Any], lang: str) -> Iterator[str]:
    incidents = status["incidents"]
    yield from rows(incidents[-_MOST:], lang)
    if len(incidents) > _MOST:
        yield say("status_more", lang, {"count": str(len(incidents) - _MOST)})


def _row(child: Mapping[str, Any], lang: str) -> dict[str, str]:
    vitals = child["vitals"]
    return {
        "name": child["name"],
        "state": say(f"state_{child['state']}", lang),
        "pid": str(child["pid"] or ""),
        "up": lasting(child["up"]) if child["pid"] else "",
        "starts": str(child["starts"]),
        "next": "" if child["next_start"] is None else lasting(child["next_start"]),
        "memory": "" if vitals["memory"] is None else sized(vitals["memory"]),
        "cpu": "" if vitals["cpu"] is None else f"{vitals['cpu']:.1%}",
        "progress": "" if vitals["progress_age"] is None else lasting(vitals["progress_age"]),
        "note": reason(child["why"] or child["last_exit"], lang),
    }
