"""The command line: a table of commands, each in a file of its own that only its use imports."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from monitor import __version__
from monitor.ask import NobodyThereError, RefusedError
from monitor.home import find_home
from monitor.texts import reason, say
from monitor.tongue import tongue

# The module monitor.commands.NAME has `arguments(parser)` and `run(arguments) -> exit code`.
COMMANDS = (
    "run",
    "check",
    "status",
    "watch",
    "log",
    "start",
    "stop",
    "restart",
    "reload",
    "shutdown",
    "incidents",
    "pause",
    "resume",
    "alert",
    "mute",
    "unmute",
    "events",
    "quarantine",
    "classify",
    "rules",
    "explain",
    "replay",
)

USAGE = 2


def run(argv: Sequence[str]) -> int:
    """Run one command; its exit code."""
    if argv and argv[0] in COMMANDS:
        return _run_command(argv[0], argv[1:])
    lang = tongue(find_home(None, os.environ), os.environ)
    if argv and argv[0] in ("--version", "-V"):
        print(f"vigia {__version__}")
        return 0
    print(_overview(lang))
    if not argv or argv[0] in ("-h", "--help", "help"):
        return 0
    print("\n" + say("no_such_command", lang, {"name": argv[0]}), file=sys.stderr)
    return USAGE


def _overview(lang: str) -> str:
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {say(f'help_{name}', lang)}" for name in COMMANDS]
    return "\n".join((say("help_head", lang), "", *rows, "", say("help_foot", lang)))


def _run_command(name: str, argv: Sequence[str]) -> int:
    module = importlib.import_module(f"monitor.commands.{name}")
    home = find_home(_home_among(argv), os.environ)
    lang = tongue(home, os.environ)
    parser = argparse.ArgumentParser(
        prog=f"vigia {name}",
        description=say(f"help_{name}", lang),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--home", metavar="DIR", help=say("help_home", lang))
    module.arguments(parser, lang)
    mixed = getattr(module, "MIXED", False)  # options may stand between the words
    arguments = (parser.parse_intermixed_args if mixed else parser.parse_args)(argv)
    arguments.home, arguments.lang = home, lang
    try:
        return int(module.run(arguments))
    except NobodyThereError as nobody:
        print(f"vigia: {reason(str(nobody), lang)}; {say('how_to_run', lang)}", file=sys.stderr)
    except RefusedError as refused:
        print(f"vigia: {reason(str(refused), lang)}", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(Path(os.devnull), os.O_WRONLY), sys.stdout.fileno())
    return 1


def _home_among(argv: Sequence[str]) -> str | None:
    """Known before the rest is read: help is written in the language of that home."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--home")
    try:
        found: str | None = parser.parse_known_args(argv)[0].home
    except argparse.ArgumentError:
        return None
    return found
