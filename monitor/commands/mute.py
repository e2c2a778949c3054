"""`vigia mute [WHAT] [--for 1h]`."""

from __future__ import annotations

import argparse

from monitor.ask import ask
from monitor.settings import seconds
from monitor.texts import language, say


def arguments(parser: argparse.ArgumentParser) -> None:
    lang = language()
    parser.add_argument("what", nargs="?", default="", help=say("help_mute_what", lang))
    parser.add_argument(
        "--for", dest="lasts", metavar="1h", type=_length, help=say("help_mute_for", lang)
    )


def run(arguments: argparse.Namespace) -> int:
    asked = {"what": arguments.what, "for": arguments.lasts}
    print(ask(arguments.home, "mute", lang=arguments.lang, **asked))
    return 0


def _length(text: str) -> float:
    try:
        length = seconds(int(text) if text.isdecimal() else text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
    if not length:
        raise argparse.ArgumentTypeError(say("no_pause_of_nothing", language()))
    return length
