"""`vigia check [--json] [--fix] [--offline]`: is all there that is needed, and if not, what mends it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable

from monitor.preflight.finding import Finding, Standing, exit_code, ready
from monitor.preflight.looks import look, mend
from monitor.preflight.words import said
from monitor.redact import printable, redact
from monitor.texts import say

_SIGNS = {Standing.READY: "✓", Standing.OFF: "·", Standing.WARNING: "!", Standing.WRONG: "✗"}
_COLOURS = {Standing.READY: "32", Standing.OFF: "2", Standing.WARNING: "33", Standing.WRONG: "31"}


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("--json", action="store_true", help=say("help_json", lang))
    parser.add_argument("--fix", action="store_true", help=say("help_fix", lang))
    parser.add_argument("--offline", action="store_true", help=say("help_offline", lang))


def run(arguments: argparse.Namespace) -> int:
    """0 ready, 1 with warnings, 2 not ready."""
    found = []
    if arguments.fix:
        arguments.home.mkdir(mode=0o750, parents=True, exist_ok=True)
    for finding in look(arguments.home, offline=arguments.offline):
        shown = _mended(finding, arguments.lang) if arguments.fix else finding
        found.append(shown)
        if not arguments.json:
            print("\n".join(_lines(shown, arguments.lang)), flush=True)
    if arguments.json:
        json.dump(
            [_row(f, arguments.lang) for f in found], sys.stdout, indent=2, ensure_ascii=False
        )
        print()
    else:
        print(say(f"check_end_{exit_code(found)}", arguments.lang, _counts(found)))
    return exit_code(found)


def _mended(finding: Finding, lang: str) -> Finding:
    try:
        done = mend(finding)
    except OSError:  # then it stays as it is, with the command that a person may try
        return finding
    return (
        ready("mended", what=said(finding.kind, lang, dict(finding.facts))[0]) if done else finding
    )


def _row(finding: Finding, lang: str) -> dict[str, str]:
    says, how = said(finding.kind, lang, dict(finding.facts))
    row = {"standing": finding.standing, "kind": finding.kind, "says": says, "mend": how}
    return {key: redact(value) for key, value in row.items()}


def _lines(finding: Finding, lang: str) -> Iterable[str]:
    says, how = said(finding.kind, lang, dict(finding.facts))
    sign = _SIGNS[finding.standing]
    if _wants_colour():
        sign = f"\x1b[{_COLOURS[finding.standing]}m{sign}\x1b[0m"
    yield f"{sign} {printable(redact(says))}"
    if how and finding.standing is not Standing.READY:
        yield f"    → {printable(redact(how))}"


def _counts(found: Iterable[Finding]) -> dict[str, str]:
    standings = [finding.standing for finding in found]
    return {
        "wrong": str(standings.count(Standing.WRONG)),
        "warnings": str(standings.count(Standing.WARNING)),
    }


def _wants_colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
