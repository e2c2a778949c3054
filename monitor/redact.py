"""Secrets never leave: what looks like one is hidden at every sink."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

_SECRETS = re.compile(
    r"(?P<token>(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,})"
    r"|(?P<bearer>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{12,}"
    r"|(?P<url>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,64}:)[^\s/@\"']{1,256}(?=@)"
    r"|(?P<jwt>\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?)"
    r"|(?P<known>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[baprs]-[A-Za-z0-9-]{10,})"
    r"|(?P<named>[\"']?\b[\w-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key"
    r"|contraseña)[\"']?\s{0,3}[=:]\s{0,3}[\"']?)(?!\[hidden\])[^\s\"'&,;}]{6,}",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text with every secret in it replaced by a mark, all else as it was."""
    return _SECRETS.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    kept = found["bearer"] or found["url"] or found["named"] or ""
    return kept + HIDDEN


def printable(text: str) -> str:
    """The text without anything a terminal would obey: control characters are spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\t\n" else _spelled(c) for c in text)


def _spelled(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
