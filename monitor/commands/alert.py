"""`vigia alert test` and `vigia alert preview INCIDENT`."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket

from monitor.ask import ask
from monitor.commands.rules import fail
from monitor.config import load
from monitor.settings import SettingsError
from monitor.tell.channels import channels_of
from monitor.tell.trial import trial
from monitor.texts import say


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="test|preview")
    verbs.add_parser("test", help=say("help_alert_test", lang))
    preview = verbs.add_parser("preview", help=say("help_alert_preview", lang))
    preview.add_argument("incident", metavar="INCIDENT", help=say("help_incident", lang))
    preview.add_argument("--html", action="store_true", help=say("help_html", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 when each destination took it, 1 when one did not, 2 when there is none."""
    if arguments.verb == "preview":
        asked = {"incident": arguments.incident, "lang": arguments.lang}
        shown = ask(arguments.home, "preview", **asked)
        print(shown["html" if arguments.html else "text"])
        return 0
    return _test(arguments)


def _test(arguments: argparse.Namespace) -> int:
    """Without the monitor, so that it helps also before the first start."""
    try:
        config = load(arguments.home, os.environ)
        channels = channels_of(config)
    except SettingsError as wrong:
        return fail(arguments.lang, *map(str, wrong.faults))
    lang = config.lang
    if channels.off:
        print(say(channels.off, lang))
    if not channels.lanes:
        return 2
    found = asyncio.run(trial(channels, lang, config.alerts.zone, socket.gethostname(), os.environ))
    for lane, why in found.items():
        kind = "alert_not_sent" if why else "alert_sent"
        print(say(kind, lang, {"to": lane, "why": why}))
    return 1 if any(found.values()) else 0
