"""`vigia shutdown`."""

from __future__ import annotations

import argparse

from monitor.ask import ask


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """No more than the home."""


def run(arguments: argparse.Namespace) -> int:
    """Returns when the monitor has ended, so that what follows finds the home free."""
    print(ask(arguments.home, "shutdown", lang=arguments.lang))
    return 0
