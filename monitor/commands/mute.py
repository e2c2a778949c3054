"""`vigia mute [WHAT] [--for 1h]`."""

from __future__ import annotations

import argparse

from monitor.ask import ask
from monitor.commands.length import length_in
from monitor.texts import say


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("what", nargs="?", default="", help=say("help_mute_what", lang))
    parser.add_argument(
        "--for", dest="lasts", metavar="1h", type=length_in(lang), help=say("help_mute_for", lang)
    )


def run(arguments: argparse.Namespace) -> int:
    asked = {"what": arguments.what, "for": arguments.lasts}
    print(ask(arguments.home, "mute", lang=arguments.lang, **asked))
    return 0
