"""`vigia classify [FILE|-] [--json|--jsonl] [--rules DIR]`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

from monitor.commands.rules import fail, load_rules, rules_argument
from monitor.model import Category, Chunk, FileId, Match, Severity
from monitor.redact import as_json, printable, redact
from monitor.texts import say
from monitor.understand.classify import Classifier
from monitor.understand.rule import Rules, RulesError
from monitor.understand.verdict import Judge, Verdict

BLOCK = 1 << 20
LONGEST = 8 << 20  # bytes of a line without an end; what is longer is read in pieces
SHAPES = 10  # of unknown lines, told in the summary
COLOURS = {Severity.CRITICAL: "\x1b[31m", Severity.WARNING: "\x1b[33m", Severity.INFO: "\x1b[90m"}


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("file", nargs="?", default="-", help=say("help_classify_file", lang))
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=say("help_classify_json", lang))
    form.add_argument(
        "--jsonl",
        action="store_true",
        help=say("help_classify_jsonl", lang),
    )
    rules_argument(parser, lang)


def run(arguments: argparse.Namespace) -> int:
    """0 when all was read, 2 when the rules or the input are wrong."""
    try:
        rules, cache = load_rules(arguments)
        with _opened(arguments.file) as source:
            if arguments.jsonl:
                return _answer_each(source, Judge(rules))
            return _show(source, rules, cache, arguments)
    except RulesError as error:
        return fail(arguments.lang, *map(str, error.faults))
    except (OSError, _InputError) as error:
        return fail(
            arguments.lang, f"{arguments.file}: {getattr(error, 'strerror', None) or error}"
        )


class _InputError(ValueError):
    """What was given cannot be read as what it should be."""


def _opened(name: str) -> Any:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _answer_each(source: IO[bytes], judge: Judge) -> int:
    for number, row in enumerate(source, 1):
        if not row.strip():
            continue
        try:
            asked = json.loads(row)
            line = asked["line"]
        except (ValueError, TypeError, KeyError) as error:
            raise _InputError(
                f"line {number}: not an object with `id` and `line`: {error}"
            ) from error
        if not isinstance(line, str):
            raise _InputError(f"line {number}: `line` is not a string")
        print(as_json(answer(asked.get("id"), judge.event(line))))
    sys.stdout.flush()
    return 0


def answer(id: object, verdict: Verdict) -> dict[str, object]:
    """One verdict as the object that `--jsonl` writes."""
    return {
        "id": id,
        "category": verdict.category.value,
        "rule": verdict.rule,
        "subject": verdict.subject,
        "captures": dict(verdict.captures),
    }


def _show(source: IO[bytes], rules: Rules, cache: Path, arguments: argparse.Namespace) -> int:
    classifier, lang = Classifier(rules, cache=cache), arguments.lang
    colour = sys.stdout.isatty() and not arguments.json
    counts: Counter[Category] = Counter()
    shapes: Counter[str] = Counter()
    for match in _matches(source, arguments.file, classifier):
        counts[match.category] += 1
        shapes.update(value for name, value in match.captures if name == "shape")
        print(_json(match) if arguments.json else _row(match, lang, colour=colour))
    counted = sum(classifier.uncounted.values())
    if not arguments.json:
        said = ", ".join(f"{category} {count}" for category, count in counts.most_common())
        said = said or say("classify_calm", lang)
        more = "; " + say("classify_alike", lang, {"count": str(counted)}) if counted else ""
        print(f"-- {said}{more}")
        for shape, times in shapes.most_common(SHAPES):
            print(f"   {times:>6} x {printable(redact(shape))[:200]}")
        if (left := len(shapes) - SHAPES) > 0:
            print("   " + say("classify_shapes", lang, {"count": str(left)}))
    return 0


def _matches(source: IO[bytes], name: str, classifier: Classifier) -> Iterator[Match]:
    for chunk in chunks(source, name):
        yield from classifier.feed(chunk)
    yield from classifier.flush(time.time(), everything=True)


def chunks(source: IO[bytes], name: str, number: int = 0, size: int = BLOCK) -> Iterable[Chunk]:
    """Whole lines of a file or a pipe, as the follower hands them on."""
    rest, at, file = b"", 0, FileId(0, number)
    while block := source.read(size):
        cut = block.rfind(b"\n") + 1
        if not cut and len(rest) < LONGEST:
            rest += block
            continue
        data, rest = rest + block[: cut or len(block)], block[cut or len(block) :]
        yield Chunk(name, file, at, at + len(data), data, time.time())
        at += len(data)
    if rest:
        yield Chunk(name, file, at, at + len(rest), rest, time.time())


def _json(match: Match) -> str:
    return as_json(
        {
            "category": match.category.value,
            "severity": match.severity.value,
            "rule": match.rule,
            "subject": match.subject and redact(match.subject),
            "captures": {name: redact(value) for name, value in match.captures},
            "start": match.line.start,
            "end": match.line.end,
            "text": redact(match.line.text),
        }
    )


def _row(match: Match, lang: str, *, colour: bool) -> str:
    first, *more = match.line.text.split("\n")
    tail = "  " + say("classify_more", lang, {"count": str(len(more))}) if more else ""
    last = f" | {more[-1]}" if more else ""
    text = printable(redact(f"{first}{last}".replace("\t", " ")))[:400]
    about = f" [{printable(redact(match.subject))}]" if match.subject else ""
    paint, plain = (COLOURS[match.severity], "\x1b[0m") if colour else ("", "")
    return f"{paint}{match.category:<14}{plain} {match.rule}{about}  {text}{tail}"
