"""`vigia log [-f] [-n N] [NAME]`: a child's log with what its lines mean."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from monitor.ask import RefusedError
from monitor.commands.rules import fail
from monitor.config import load
from monitor.follow.follower import Follower
from monitor.follow.last import last_lines
from monitor.follow.live import follow
from monitor.home import rules_cache
from monitor.model import Chunk, Gap
from monitor.settings import SettingsError
from monitor.texts import say
from monitor.understand.loading import prepared
from monitor.understand.rule import PACKS, RulesError
from monitor.understand.verdict import Judge
from monitor.view.lines import dressed, whole_lines

_LAST = 20
_OURS = "monitor"  # our own diary: nobody's trouble


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("name", nargs="?", help=say("help_log_name", lang))
    parser.add_argument("--follow", "-f", action="store_true", help=say("help_log_follow", lang))
    parser.add_argument("-n", dest="last", type=int, default=_LAST, help=say("help_log_n", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 when there was a log to show; the monitor need not run."""
    try:
        config = load(arguments.home, os.environ)
        own = [config.home / folder for folder in config.rules if (config.home / folder).is_dir()]
        judge = Judge(prepared((PACKS, *own), rules_cache(config.home)))
    except (SettingsError, RulesError) as wrong:
        return fail(arguments.lang, *map(str, wrong.faults))
    logs = {name: config.log_of(name) for name in config.children}
    logs[_OURS] = config.home / "logs" / "monitor.log"
    name = arguments.name or next(iter(logs))
    if name not in logs:
        raise RefusedError(say("no_such_child", arguments.lang, {"name": name}))
    return _show(logs[name], None if name == _OURS else judge, arguments)


def _show(path: Path, judge: Judge | None, arguments: argparse.Namespace) -> int:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    follower = Follower([str(path)]) if arguments.follow else None
    try:
        for line in last_lines(path, arguments.last):
            print(dressed(line, judge, colour=colour))
    except FileNotFoundError:
        if follower is None:
            raise RefusedError(say("no_log_yet", arguments.lang, {"path": str(path)})) from None
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from None
    sys.stdout.flush()
    if follower:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(follow(follower, lambda turn: _print(turn, judge, colour=colour)))
    return 0


def _print(turn: Sequence[Chunk | Gap], judge: Judge | None, *, colour: bool) -> None:
    for each in turn:
        if isinstance(each, Gap):
            print(f"… {each.why}", file=sys.stderr)
            continue
        for line in whole_lines(each.data):
            print(dressed(line, judge, colour=colour))
    sys.stdout.flush()
