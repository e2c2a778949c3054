"""`vigia explain LINE|INCIDENT`: which rule won and why; of an incident also all that was done."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.ask import RefusedError
from monitor.commands.rules import fail, load_rules, rules_argument
from monitor.config import Config, load
from monitor.heal.ladders import Ladder, ladder_for
from monitor.home import rules_cache
from monitor.model import Category
from monitor.records.story import (
    Story,
    context_of,
    line_of,
    message_of,
    moment,
    number_of,
    state_of,
    stories,
)
from monitor.redact import as_json, printable, redact
from monitor.settings import SettingsError
from monitor.texts import came_of, lasting, reason, say
from monitor.understand.loading import prepared
from monitor.understand.rule import PACKS, RulesError
from monitor.understand.verdict import Judge, Verdict

Rows = Iterator[tuple[str, object]]


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("line", nargs="+", help=say("help_line", lang))
    parser.add_argument("--json", action="store_true", help=say("help_json", lang))
    rules_argument(parser, lang)


def run(arguments: argparse.Namespace) -> int:
    """0 when there was something to explain, 2 when the rules or the line are wrong."""
    text = " ".join(arguments.line)
    if text == "-":
        text = sys.stdin.buffer.read(1 << 20).decode("utf-8", "replace")
    text = text.rstrip("\n")
    if not text.strip():
        return fail(arguments.lang, "there is no line to explain")
    try:
        if number := number_of(text):
            return _incident(arguments, number)
        rules, _ = load_rules(arguments)
        ladders = load(arguments.home, os.environ).ladders
    except (RulesError, SettingsError) as error:
        return fail(arguments.lang, *map(str, error.faults))
    verdict = Judge(rules).event(text)
    rungs = ladder_for(verdict.rule or "", verdict.category, ladders)
    if arguments.json:
        print(as_json(_value(verdict, rungs)))
    else:
        _print(_rows(verdict, rungs, arguments.lang), arguments.lang)
    return 0


def _print(rows: Rows, lang: str) -> None:
    shown = [(say(f"explain_{name}", lang), value) for name, value in rows]
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        print(printable(redact(f"{name:<{width}}  {value}")).replace("\n", "\\n"))


# --- a line ------------------------------------------------------------------------------------


def _rows(verdict: Verdict, rungs: Ladder, lang: str) -> Rows:
    meaning = say(f"means_{verdict.category}", lang)
    yield "category", f"{verdict.category} ({verdict.severity}): {meaning}"
    yield "why", reason(verdict.why, lang)
    if verdict.rule:
        yield "rule", verdict.rule
    if verdict.subject:
        yield "about", verdict.subject
    for name, value in verdict.captures:
        yield "captured", f"{name} = {value}"
    yield "then", _plan(verdict, rungs, lang)
    for name in verdict.hits:
        if name != verdict.rule:
            yield "also", name


def _plan(verdict: Verdict, rungs: Ladder, lang: str) -> str:
    """What would be done about it, rung by rung."""
    if verdict.category is Category.BENIGN:
        return say("explain_nothing", lang)
    if verdict.category is Category.UNKNOWN:
        return say("explain_counted", lang)
    plan = " -> ".join(f"{rung.do} x{rung.attempts}" for rung in rungs)
    return plan or say("explain_told_only", lang)


def _value(verdict: Verdict, rungs: Ladder) -> dict[str, object]:
    return {
        "category": verdict.category.value,
        "severity": verdict.severity.value,
        "meaning": say(f"means_{verdict.category}", "en"),
        "rule": verdict.rule,
        "why": verdict.why,
        "subject": verdict.subject and redact(verdict.subject),
        "captures": {name: redact(value) for name, value in verdict.captures},
        "hits": list(verdict.hits),
        "then": [rung.do for rung in rungs],
    }


# --- an incident: from logs/errors.json and its older files alone ------------------------------


def _incident(arguments: argparse.Namespace, number: int) -> int:
    story = stories(arguments.home).get(number)
    if story is None:
        raise RefusedError(say("no_such_record", arguments.lang, {"id": f"INC-{number}"}))
    today = _today(arguments, story)
    if arguments.json:
        print(as_json(_story_value(story, today)))
    else:
        _print(_story_rows(story, today, arguments.lang), arguments.lang)
    return 0


def _today(arguments: argparse.Namespace, story: Story) -> dict[str, object]:
    """What the rules of today say of the line, when they are not those of then any more."""
    then = story.first["verdict"] or {}
    try:
        config: Config = load(arguments.home, os.environ)
        own = [config.home / folder for folder in config.rules if (config.home / folder).is_dir()]
        rules = prepared((PACKS, *own), rules_cache(config.home))
    except (RulesError, SettingsError) as error:
        return {"rules": None, "changed": None, "fault": "; ".join(map(str, error.faults))}
    same = rules.digest.startswith(then.get("rules") or "-")
    found: dict[str, object] = {"rules": rules.digest[:12], "changed": not same}
    if not same:
        verdict = Judge(rules).event(str((story.first["source"] or {}).get("line") or ""))
        found |= {"rule": verdict.rule, "category": verdict.category.value, "why": verdict.why}
    return found


def _story_rows(story: Story, today: Mapping[str, Any], lang: str) -> Rows:
    first, last, context = story.first, story.last, context_of(story.last)
    verdict = first["verdict"] or {}
    yield "incident", f"{story.name}  {state_of(last, lang)}: {message_of(last, lang)}"
    meaning = say(f"means_{first['category']}", lang)
    yield "category", f"{first['category']} ({last['severity']}): {meaning}"
    yield "line", line_of(first, lang)
    yield "where", say("explain_at", lang, _place(first))
    yield "rule", first["rule"]
    yield "why", reason(verdict.get("why") or "-", lang)
    yield from (("also", name) for name in verdict.get("hits") or () if name != first["rule"])
    yield "today", _today_text(today, first, lang)
    if first["subject"]:
        yield "about", first["subject"]
    if context.get("root"):
        yield "root", context["root"]
    span = {"count": str(last["occurrences"])}
    span |= {name: moment(context.get(name) or last["timestamp"]) for name in ("opened", "last")}
    yield "seen", say("explain_span", lang, span)
    yield from (("acked", f"{by}, {moment(at)}") for by, at in story.acks)
    yield from (("tried", row) for row in _tries(story, lang))
    yield from (("told", f"{moment(at)}  {text}") for at, text in story.told(lang))


def _place(record: Mapping[str, Any]) -> dict[str, str]:
    source, child = record["source"] or {}, record["child"] or {}
    return {
        "file": str(source.get("file")),
        "inode": str(source.get("inode")),
        "offset": str(source.get("offset")),
        "child": str(context_of(record).get("child")),
        "pid": str(child.get("pid") or "-"),
    }


def _today_text(today: Mapping[str, Any], first: Mapping[str, Any], lang: str) -> str:
    if today["changed"] is None:
        return say("today_unknown", lang, {"why": str(today["fault"])})
    if not today["changed"]:
        return say("today_same_rules", lang)
    same = (today["rule"], today["category"]) == (first["rule"], first["category"])
    facts = {name: str(today[name]) for name in ("rule", "category", "why")}
    return say("today_same_meaning" if same else "today_other_meaning", lang, facts)


def _tries(story: Story, lang: str) -> Iterator[str]:
    for each in story.attempts:
        head = f"{moment(each.at)}  {each.action} {each.number}/{each.most}"
        if each.outcome is None:
            yield f"{head}: {say('explain_no_end', lang)}"
            continue
        took = lasting(float(each.outcome.get("duration_ms") or 0.0) / 1000)
        result, *said = came_of(each.outcome, lang)
        yield "; ".join((f"{head}: {result} ({took})", *said))


def _story_value(story: Story, today: Mapping[str, Any]) -> dict[str, object]:
    first, last = story.first, story.last
    return {
        "incident": story.name,
        "state": last["state"],
        "message": last["message"],
        "category": first["category"],
        "severity": last["severity"],
        "meaning": say(f"means_{first['category']}", "en"),
        "rule": first["rule"],
        "subject": first["subject"],
        "source": first["source"],
        "verdict": first["verdict"],
        "today": today,
        "context": last["context"],
        "occurrences": last["occurrences"],
        "acked": [{"by": by, "at": at} for by, at in story.acks],
        "attempts": [
            {"at": a.at, "action": a.action, "attempt": a.number, "max_attempts": a.most}
            | {"outcome": a.outcome}
            for a in story.attempts
        ],
        "told": [{"at": at, "text": text} for at, text in story.told("en")],
        "records": list(story.records),
    }
