"""`vigia run [--quiet] [--dry-run] [--no-child --follow LOG…] [-- CMD ARG…]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from dataclasses import replace

from monitor.app import App
from monitor.config import Config, load
from monitor.heal.repairs import check_dry_run, check_ladders
from monitor.home import data_folder, rules_cache
from monitor.settings import SettingsError
from monitor.supervise import lock
from monitor.tell.channels import channels_of
from monitor.texts import reason, say
from monitor.understand.loading import prepared
from monitor.understand.rule import PACKS, Rules, RulesError

CONFIG_WRONG, ALREADY_RUNNING = 2, 100


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("--quiet", action="store_true", help=say("help_quiet", lang))
    parser.add_argument("--dry-run", action="store_true", help=say("help_dry_run", lang))
    parser.add_argument("--no-child", action="store_true", help=say("help_no_child", lang))
    parser.add_argument(
        "--follow",
        action="extend",
        nargs="+",
        default=[],
        metavar="LOG",
        help=say("help_follow", lang),
    )
    parser.add_argument("command", nargs="*", metavar="-- CMD ARG…", help=say("help_command", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 clean, 1 internal, 2 configuration, 3 every child given up, 100 already running."""

    def read() -> tuple[Config, Rules]:
        config = load(
            arguments.home,
            os.environ,
            tuple(arguments.command),
            no_child=arguments.no_child,
            follow=tuple(arguments.follow),
        )
        check_ladders(config.ladders)
        channels_of(config)
        if arguments.dry_run:
            config = replace(config, repair=replace(config.repair, dry_run=True))
        own = [config.home / folder for folder in config.rules if (config.home / folder).is_dir()]
        rules = prepared((PACKS, *own), rules_cache(config.home))
        check_dry_run(config.repair.dry_run_for, rules)
        return config, rules

    umask = os.umask(0o027)  # for our own files; the children get what we were given
    try:
        held = lock.take(data_folder(arguments.home) / "lock")
        app = None if held is None else App(read, umask, quiet=arguments.quiet)
    except (SettingsError, RulesError) as wrong:
        facts = {"count": str(len(wrong.faults))}
        print(f"vigia: {say('config_wrong', arguments.lang, facts)}", file=sys.stderr)
        print(
            "\n".join(f"  {reason(str(fault), arguments.lang)}" for fault in wrong.faults),
            file=sys.stderr,
        )
        return CONFIG_WRONG
    except OSError as error:
        print(f"vigia: {error.filename}: {error.strerror}", file=sys.stderr)
        return CONFIG_WRONG
    if held is None or app is None:
        pid = lock.signed_by(data_folder(arguments.home) / "lock")
        facts = {"home": str(arguments.home), "pid": str(pid or "?")}
        print(f"vigia: {say('already_running', arguments.lang, facts)}", file=sys.stderr)
        return ALREADY_RUNNING
    lock.sign(held)
    return asyncio.run(app.run())
