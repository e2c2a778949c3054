"""`vigia reload`."""

from __future__ import annotations

import argparse

from monitor.ask import ask


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """No more than the home."""


def run(arguments: argparse.Namespace) -> int:
    print(ask(arguments.home, "reload", lang=arguments.lang))
    return 0
