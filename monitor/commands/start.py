"""`vigia start [NAME…]`."""

from __future__ import annotations

import argparse

from monitor.commands.orders import give, names_argument

arguments = names_argument


def run(arguments: argparse.Namespace) -> int:
    return give(arguments, "start")
