"""`vigia rules list|test|check|unknown [--rules DIR]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from monitor.ask import ask
from monitor.config import Config
from monitor.config import load as load_settings
from monitor.home import rules_cache
from monitor.redact import as_json, printable
from monitor.settings import SettingsError
from monitor.texts import reason, say
from monitor.understand.loading import prepared
from monitor.understand.proving import load
from monitor.understand.rule import PACKS, Rule, Rules, RulesError

BAD = 2


def rules_argument(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument(
        "--rules",
        action="append",
        default=[],
        metavar="DIR",
        help=say("help_rules_more", lang),
    )


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument(
        "what",
        choices=("list", "test", "check", "unknown"),
        nargs="?",
        default="list",
        help=say("help_rules_what", lang),
    )
    parser.add_argument("--json", action="store_true", help=say("help_json", lang))
    rules_argument(parser, lang)


def run(arguments: argparse.Namespace) -> int:
    """0 when all rules load, 2 with every fault named when not."""
    if arguments.what == "unknown":
        return _show_unknown(ask(arguments.home, "unknown"), arguments)
    packs = folders(arguments)
    try:
        rules = load(packs)
    except RulesError as error:
        return fail(arguments.lang, *map(str, error.faults))
    if arguments.what == "list":
        print(
            json.dumps([_object(rule) for rule in rules.rules]) if arguments.json else _list(rules)
        )
    else:
        samples = sum(len(rule.match) + len(rule.no_match) for rule in rules.rules)
        if arguments.what == "test" and not arguments.json:
            for rule in sorted(rules.rules, key=lambda rule: rule.name):
                facts = {"match": str(len(rule.match)), "no_match": str(len(rule.no_match))}
                print(say("rule_holds", arguments.lang, {"name": rule.name} | facts))
        done = {"rules": len(rules.rules), "samples": samples}
        held = say("rules_hold", arguments.lang, {name: str(n) for name, n in done.items()})
        print(json.dumps(done) if arguments.json else held)
    return 0


def folders(arguments: argparse.Namespace) -> list[Path]:
    """Our packs, then those of the home, then what the command line names."""
    try:
        named = load_settings(arguments.home, os.environ).rules
    except SettingsError:  # which rules hold can be told without it
        named = Config().rules
    own = (arguments.home / folder for folder in named)
    return [PACKS, *filter(Path.is_dir, own), *map(Path, arguments.rules)]


def load_rules(arguments: argparse.Namespace) -> tuple[Rules, Path]:
    """The rules a command works with, and the folder where their compiled form is kept."""
    cache = rules_cache(arguments.home)
    return prepared(folders(arguments), cache), cache


def fail(lang: str, *messages: str) -> int:
    """Says what is wrong, one line each, and gives the exit code for it."""
    for message in messages:
        print(f"vigia: {printable(reason(message, lang))}".replace("\n", " "), file=sys.stderr)
    return BAD


def _show_unknown(shapes: list[dict[str, Any]], arguments: argparse.Namespace) -> int:
    if arguments.json:
        print(as_json(shapes))
        return 0
    for shape in shapes:
        sample = printable(shape["sample"].split("\n", 1)[0])[:300]
        print(f"x{shape['count']:<6} {shape['first']} .. {shape['last']}  {sample}")
    print(say("shapes_unknown", arguments.lang, {"count": str(len(shapes))}))
    return 0


def _list(rules: Rules) -> str:
    rows = [
        f"{rule.category:<15} {rule.weight.name.lower():<8} {rule.name:<28} {Path(rule.file).name}:{rule.line}"
        for rule in rules.rules
    ]
    return "\n".join(sorted(rows))


def _object(rule: Rule) -> dict[str, object]:
    return {
        "name": rule.name,
        "category": rule.category.value,
        "severity": rule.severity.value,
        "weight": rule.weight.name.lower(),
        "patterns": [pattern.text for pattern in rule.patterns],
        "file": rule.file,
        "line": rule.line,
    }
