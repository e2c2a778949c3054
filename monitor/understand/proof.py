"""The proof of rules: each wins its own samples, leaves the others, and hears no user's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Category
from monitor.understand.linear import Search
from monitor.understand.rule import Fault, Rule, Rules
from monitor.understand.verdict import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable

# How programs print what somebody wrote; `{}` is the rule's own message as a user would type it.
QUOTED = (
    '2026-11-20T08:00:00.123Z INFO bot.intake event=message.received chat=42 text="{}"',
    "2026-11-20 08:00:00 INFO bot message from ana: '{}'",
    "[2026-11-20 08:00:00] WARNING bot: Update(message=Message(chat_id=42, text='{}'))",
    '2026-11-20 08:00:00 WARNING bot greets user="{}" again',
    '{{"level": "warning", "event": "received", "caption": "{}"}}',
    "bot: mensaje de ana: «{}»",
    "2026-11-20 08:00:00 WARNING bot: user 42 said: {}",
    "[2026-11-20 08:00:00] WARNING bot: <ana> {}",
)


def faults_of(rules: Rules, known: set[str]) -> list[Fault]:
    """What is wrong with rules that could be read; `known` names those already complained of."""
    unreadable = [fault for rule in rules.rules for fault in _refused(rule)]
    if unreadable:
        return unreadable
    judge = Judge(rules)
    return [
        Fault(rule.file, rule.line, f"{rule.name}: {what}")
        for rule in rules.rules
        if rule.name not in known
        for what in _complaints(judge, rule)
    ]


def _refused(rule: Rule) -> Iterable[Fault]:
    for pattern in (*rule.patterns, *rule.unless, *rule.captures):
        try:
            Search(pattern.exact)
        except Exception as error:  # noqa: BLE001  # re2.error and re.error have no common base
            text = f"{rule.name}: pattern `{pattern.text}`: RE2 refuses it: {error}"
            yield Fault(rule.file, rule.line, text)


def _complaints(judge: Judge, rule: Rule) -> Iterable[str]:
    won = False
    for sample in rule.match:
        found = judge.event(sample)
        won |= found.rule == rule.name
        if rule.name not in found.hits and _written_by_users(rule, sample):
            yield (
                f"a user can write it: in `{sample}` it reads a quoted field of user text"
                " (if the program itself writes it, say `trusts = true`)"
            )
        elif rule.name not in found.hits:
            yield f"its pattern does not match its sample `{sample}`"
        elif found.rule != rule.name:
            yield f"its sample `{sample}` goes to {found.rule or found.category}: {found.why}"
    for sample in rule.no_match:
        if judge.event(sample).rule == rule.name:
            yield f"wins its no_match sample `{sample}`"
    if rule.match and not won:
        yield "can never win: others win each of its samples"
    if not rule.trusts and rule.category is not Category.BENIGN:
        yield from _heard(judge, rule)


def _written_by_users(rule: Rule, sample: str) -> bool:
    """It would match, were it not for the fields in which users write."""
    lines = sample.encode().split(b"\n")
    searches = [Search(pattern.exact) for pattern in rule.patterns]
    return any(search.hit(line) is not None for search in searches for line in lines)


def _heard(judge: Judge, rule: Rule) -> Iterable[str]:
    for sample in rule.match:
        message = sample.replace("\n", "\\n")
        for frame in QUOTED:
            line = frame.format(message)
            if rule.name in judge.judge(line.encode()).hits:
                yield f"a user can write it: it hits `{line}`"
                break
