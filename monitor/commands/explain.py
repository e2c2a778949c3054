"""`vigia explain LINE`: which rules hit, which one won and why, what was captured."""

from __future__ import annotations

import argparse
import os
import sys

from monitor.commands.rules import fail, load_rules, rules_argument
from monitor.config import load
from monitor.heal.ladders import Ladder, ladder_for
from monitor.model import Category
from monitor.redact import as_json, printable, redact
from monitor.settings import SettingsError
from monitor.understand.rule import RulesError
from monitor.understand.verdict import Judge, Verdict

HELP = "explain what one line means and why"
MEANING = {
    Category.TIMEOUT: "an operation took too long",
    Category.PERMISSION: "the system does not allow it (EACCES, EPERM, read-only)",
    Category.MISSING_PATH: "a file or directory is not there",
    Category.CORRUPT_FILE: "a file is truncated or invalid",
    Category.DISK_FULL: "no space or quota left",
    Category.SERVER_DOWN: "a server, broker or name cannot be reached",
    Category.RATE_LIMIT: "the other side asks to wait",
    Category.RECIPIENT_GONE: "who should receive it is gone or has blocked us",
    Category.FILE_TOO_BIG: "more than the other side takes",
    Category.AUTH: "a token, key or password is refused",
    Category.CONFLICT: "someone else holds the port, the lock or the poll",
    Category.OUT_OF_MEMORY: "no memory left, or killed for it",
    Category.TOO_MANY_FILES: "too many open files",
    Category.DEPENDENCY: "a module, library or command is missing",
    Category.DATABASE: "the database refuses: a constraint, a deadlock, its schema, its connections",
    Category.TLS: "a certificate or the encryption of a connection",
    Category.CRASH: "an error that nobody caught, or a signal",
    Category.HANG: "alive, but without progress",
    Category.UNKNOWN: "looks like an error that no rule knows",
    Category.BENIGN: "an ordinary line",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("line", nargs="+", help="the line; - reads it from standard input")
    parser.add_argument("--json", action="store_true", help="as JSON")
    rules_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when there was a line to explain, 2 when the rules or the line are wrong."""
    text = " ".join(arguments.line)
    if text == "-":
        text = sys.stdin.buffer.read(1 << 20).decode("utf-8", "replace")
    text = text.rstrip("\n")
    if not text.strip():
        return fail("there is no line to explain")
    try:
        rules, _ = load_rules(arguments)
    except RulesError as error:
        return fail(*map(str, error.faults))
    verdict = Judge(rules).event(text)
    try:
        ladders = load(arguments.home, os.environ).ladders
    except SettingsError as error:
        return fail(*map(str, error.faults))
    rungs = ladder_for(verdict.rule or "", verdict.category, ladders)
    print(_as_json(verdict, rungs) if arguments.json else _as_text(verdict, rungs))
    return 0


def _as_text(verdict: Verdict, rungs: Ladder) -> str:
    rows = [f"category  {verdict.category} ({verdict.severity}): {MEANING[verdict.category]}"]
    rows.append(f"why       {verdict.why}")
    if verdict.rule:
        rows.append(f"rule      {verdict.rule}")
    if verdict.subject:
        rows.append(f"about     {verdict.subject}")
    rows += [f"captured  {name} = {value}" for name, value in verdict.captures]
    rows.append(f"then      {_plan(verdict, rungs)}")
    rows += [f"also hit  {name}" for name in verdict.hits if name != verdict.rule]
    return "\n".join(printable(redact(row)).replace("\n", " ") for row in rows)


def _plan(verdict: Verdict, rungs: Ladder) -> str:
    """What would be done about it, rung by rung."""
    if verdict.category is Category.BENIGN:
        return "nothing"
    if verdict.category is Category.UNKNOWN:
        return "counted by its shape"
    return " -> ".join(f"{rung.do} x{rung.attempts}" for rung in rungs) or "it is told"


def _as_json(verdict: Verdict, rungs: Ladder) -> str:
    found = {
        "category": verdict.category.value,
        "severity": verdict.severity.value,
        "meaning": MEANING[verdict.category],
        "rule": verdict.rule,
        "why": verdict.why,
        "subject": verdict.subject and redact(verdict.subject),
        "captures": {name: redact(value) for name, value in verdict.captures},
        "hits": list(verdict.hits),
        "then": [rung.do for rung in rungs],
    }
    return as_json(found)
