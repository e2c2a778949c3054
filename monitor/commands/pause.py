"""`vigia pause [--for 2h] [WHY…]`."""

from __future__ import annotations

import argparse

from monitor.ask import ask
from monitor.commands.length import length_in
from monitor.texts import say


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument(
        "--for", dest="lasts", metavar="2h", type=length_in(lang), help=say("help_for", lang)
    )
    parser.add_argument("why", nargs="*", metavar="WHY", help=say("help_why", lang))


def run(arguments: argparse.Namespace) -> int:
    facts = {"for": arguments.lasts, "why": " ".join(arguments.why)}
    print(ask(arguments.home, "pause", lang=arguments.lang, **facts))
    return 0
