"""`vigia pause [--for 2h] [WHY…]`."""

from __future__ import annotations

import argparse

from monitor.ask import ask
from monitor.settings import seconds
from monitor.texts import language, say


def arguments(parser: argparse.ArgumentParser) -> None:
    lang = language()
    parser.add_argument(
        "--for", dest="lasts", metavar="2h", type=_length, help=say("help_for", lang)
    )
    parser.add_argument("why", nargs="*", metavar="WHY", help=say("help_why", lang))


def run(arguments: argparse.Namespace) -> int:
    facts = {"for": arguments.lasts, "why": " ".join(arguments.why)}
    print(ask(arguments.home, "pause", lang=arguments.lang, **facts))
    return 0


def _length(text: str) -> float:
    try:
        length = seconds(int(text) if text.isdecimal() else text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
    if not length:
        raise argparse.ArgumentTypeError(say("no_pause_of_nothing", language()))
    return length
