"""The level a line was logged at, read where programs print it; it never decides a category."""

from __future__ import annotations

from enum import Enum

from monitor.understand.linear import Search

HEAD = 160  # bytes: a level stands near the start of its line
_EDGE = rb"(?:^|[\s\[|(<:,\x1b\"'m-])"
_END = rb"(?:[\s\]|:)>/,.;\x1b\"'-]|$)"
_QUIET_WORD = rb"INFO|DEBUG|TRACE|NOTICE|VERBOSE|INFORMATION|FINE|FINER|FINEST|VERB|DBG|INF"
_LOUD_WORD = rb"ERROR|CRITICAL|FATAL|SEVERE|PANIC|EMERG|ALERT|CRIT|ERR|FTL|ERRO|WARN|WARNING|WRN"
_KEY = rb"(?:level|lvl|severity|loglevel|levelname|log\.level)[\"']?[=:]\s?[\"']?"
FIRST = Search(
    b"(?P<quiet>"
    + _EDGE + b"(?:" + _QUIET_WORD + b")" + _END
    + b"|(?i:" + _KEY + rb"(?:info|debug|trace|notice|informational))"
    + rb"|\[(?:info|debug|notice|trace|verbose)\]|^(?:info|debug|verbose|notice)[:\s]"
    + rb"|\bInfo\s{2,}|\"s\":\s?\"[ID]\d?\"|\"level\":\s?[123]0\b"
    + rb"|\s(?:info|debug|trace|notice)\s*[:|\]]"
    + rb"|^[ID]\d{4} \d\d:\d\d|^[VDI]/|[\d)] [VDI] [A-Za-z_.]+\s*:"
    + b")|(?P<loud>"
    + _EDGE + b"(?:" + _LOUD_WORD + b")" + _END
    + b"|(?i:" + _KEY + rb"(?:err|error|warn|warning|fatal|critical|crit|panic|emerg|alert))"
    + rb"|\[(?:error|warn|warning|crit|alert|emerg)\]|^(?:error|fatal|critical|warning|panic)[:\s]"
    + rb"|\"level\":\s?[456]0\b|^[EFW]\d{4} \d\d:\d\d|[\d)] [EFW] [A-Za-z_.]+\s*:)"
)  # fmt: skip


class Level(Enum):
    """What the program thought of its own line."""

    QUIET = "quiet"  # info, debug, notice, trace
    LOUD = "loud"  # warning and above
    NONE = "none"


def level(line: bytes) -> Level:
    """The first level in the head of a line."""
    groups = FIRST.groups(line[:HEAD])
    if not groups:
        return Level.NONE
    return Level.QUIET if "quiet" in groups else Level.LOUD
