"""`vigia replay FILE… [--rules DIR [--rules DIR2]] [--json]`."""

from __future__ import annotations

import argparse
import gzip
import heapq
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from monitor.ask import RefusedError
from monitor.commands.classify import chunks
from monitor.commands.retelling import Retelling
from monitor.commands.rules import fail
from monitor.config import Config, load
from monitor.heal.incidents import is_told
from monitor.heal.repairs import check_ladders, dry_rules_of
from monitor.heal.replay import Replay
from monitor.home import rules_cache
from monitor.model import Chunk
from monitor.settings import SettingsError
from monitor.texts import say
from monitor.understand import proving
from monitor.understand.classify import Classifier
from monitor.understand.dated import Dated, Log
from monitor.understand.loading import kept
from monitor.understand.rule import PACKS, Rules, RulesError

# Small, so that no chunk holds so many lines of trouble that some are only counted.
_BLOCK = 1 << 16
_GENERATION = re.compile(r"(?:[.-]\d{1,8})?(?:\.gz)?")
_SOMEWHEN = 962_409_600.0  # in 2000: about when a pipe was written whose lines name no year


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help=say("help_replay_file", lang))
    parser.add_argument(
        "--rules",
        "--rules2",
        action="append",
        default=[],
        metavar="DIR",
        help=say("help_replay_rules", lang),
    )
    parser.add_argument("--json", action="store_true", help=say("help_json", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 when all was read, 2 when the settings, the rules or a file are wrong."""
    try:
        config = load(arguments.home, os.environ)
        check_ladders(config.ladders)
        sets = [_proved(packs, config.home) for packs in _packs(arguments, config)]
    except (SettingsError, RulesError) as wrong:
        return fail(arguments.lang, *map(str, wrong.faults))
    try:
        with ExitStack() as stack:
            return _replay(
                [_Source(name, stack) for name in arguments.files], sets, config, arguments
            )
    except _InputError as error:
        return fail(arguments.lang, str(error))


def _packs(arguments: argparse.Namespace, config: Config) -> list[list[Path]]:
    """Ours and the home's, and one more folder; of two, each stands in place of the home's."""
    given = arguments.rules
    if len(given) > 2:
        raise RefusedError(say("replay_two", arguments.lang))
    if len(given) == 2:
        return [[PACKS, Path(folder)] for folder in given]
    own = [config.home / folder for folder in config.rules if (config.home / folder).is_dir()]
    return [[PACKS, *own, *map(Path, given)]]


def _proved(packs: Sequence[Path], home: Path) -> Rules:
    """As they were kept by an earlier start, or proved here and now: nothing is written for them."""
    return kept(packs, rules_cache(home)) or proving.load(packs)


def _replay(
    sources: Sequence[_Source], sets: Sequence[Rules], config: Config, arguments: argparse.Namespace
) -> int:
    classifiers = [Classifier(rules) for rules in sets]
    logs = [Log(classifiers, is_told, source.near) for source in sources]
    replays = [Replay(config.repair, config.ladders, dry_rules_of(rules)) for rules in sets]
    telling = Retelling(replays, arguments.rules, arguments.lang, as_json=arguments.json)
    children = {source.name: source.child(config) for source in sources}
    streams = [
        log.read(source.chunks(number))
        for number, (log, source) in enumerate(zip(logs, sources, strict=True))
    ]
    for each in _in_time(streams):
        telling.take(each, children[each.path])
    telling.finish()
    timeless = [
        s.name for s, log in zip(sources, logs, strict=True) if log.lines and not log.tells_time
    ]
    uncounted = sum(sum(classifier.uncounted.values()) for classifier in classifiers)
    telling.totals(sum(log.lines for log in logs), uncounted, timeless)
    return 0


def _in_time(streams: Sequence[Iterator[Dated]]) -> Iterator[Dated]:
    """The lines of all files as they were written; at one moment in the order of the files."""
    return heapq.merge(*streams, key=lambda each: each.at)


class _InputError(ValueError):
    """What was given cannot be read."""


class _Source:
    """A file, packed or not, or standard input."""

    def __init__(self, name: str, stack: ExitStack) -> None:
        self.name = name
        self.near = _SOMEWHEN
        try:
            if name == "-":
                plain = cast("io.BufferedReader", sys.stdin.buffer)
            else:
                plain = stack.enter_context(Path(name).open("rb"))  # noqa: SIM115 - the stack closes it
                self.near = os.fstat(plain.fileno()).st_mtime
            packed = plain.peek(2)[:2] == b"\x1f\x8b"
        except OSError as error:
            raise _InputError(f"{name}: {error.strerror or error}") from None
        self._bytes = cast("IO[bytes]", gzip.GzipFile(fileobj=plain) if packed else plain)

    def chunks(self, number: int) -> Iterator[Chunk]:
        try:
            yield from chunks(self._bytes, self.name, number, _BLOCK)
        except (OSError, EOFError, zlib.error) as error:
            raise _InputError(f"{self.name}: {error}") from None

    def child(self, config: Config) -> str:
        """Whose log it is, rotated or not; of a pipe we take it to be the first child's."""
        if self.name == "-":
            return next(iter(config.children), "-")
        file = Path(self.name).name
        for child in config.children:
            log = config.log_of(child).name
            if file.startswith(log) and _GENERATION.fullmatch(file[len(log) :]):
                return child
        return file
