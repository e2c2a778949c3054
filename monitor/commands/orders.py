"""What the orders to a running monitor share: the children they name, and how they end."""

from __future__ import annotations

import argparse

from monitor.ask import ask
from monitor.texts import say


def names_argument(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help=say("help_names", lang))


def give(arguments: argparse.Namespace, verb: str) -> int:
    """Send the order and print what came of it, one line a child."""
    for line in ask(arguments.home, verb, names=arguments.names, lang=arguments.lang):
        print(line)
    return 0
