"""`vigia unmute [WHAT]`."""

from __future__ import annotations

import argparse

from monitor.ask import ask
from monitor.texts import say


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("what", nargs="?", default="", help=say("help_mute_what", lang))


def run(arguments: argparse.Namespace) -> int:
    print(ask(arguments.home, "unmute", what=arguments.what, lang=arguments.lang))
    return 0
