"""Secrets never leave: what looks like one is hidden at every sink."""

from __future__ import annotations

import json
import re

HIDDEN = "[hidden]"
_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# A random string has a capital or a digit beyond its first letter; "authentication" has none.
_RANDOM = r"(?=[\w.~+/-]{1,64}?(?-i:[A-Z0-9=]))"
_NAME = (
    r"(?:password|passwd|passphrase|pwd|secret|token|contraseña|clave"
    r"|(?:api|access|secret|private|signing|encryption|auth)[_-]?key)"
)
# Words that follow such a name in a sentence about it, not in an assignment.
_NO_VALUE = (
    r"(?!\[hidden\]|(?:none|null|nil|true|false|undefined|expired|invalid|missing|required|expected"
    r"|incorrect|unexpected|unknown|wrong|empty|revoked|caducad[ao]|inválid[ao]|incorrect[ao])\b)"
)
# Every repetition is bounded or takes what it has seen: no text makes it slow.
_SECRETS = re.compile(
    r"(?P<token>(?<!\d)\d{6,12}(?::|%3A)[A-Za-z0-9_-]{30,})"
    r"|(?P<header>\bauthorization[\"']?\s{0,3}[=:]\s{0,3}[\"']?(?:\w{1,12}\s{1,3})?)"
    + _RANDOM
    + r"[^\s\"',;]{8,}"
    r"|(?P<bearer>\b(?:bearer|basic)\s{1,3})" + _RANDOM + r"[\w.~+/=-]{12,}"
    r"|(?P<url>\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,64}:)[^\s/?#\"']{1,256}(?=@)"
    r"|(?P<user>://)[A-Za-z0-9_-]{16,256}(?=@)"
    r"|(?P<jwt>\b(?-i:eyJ)[A-Za-z0-9_-]{15,}(?:\.[A-Za-z0-9_-]*){0,4})"
    r"|(?P<pem>-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)[A-Za-z0-9+/=\s\\]{1,10000}"
    r"|(?P<known>\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\b[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}|\bgsk_[A-Za-z0-9]{20,}|\bhf_[A-Za-z0-9]{20,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{20,}"
    r"|\bxox[baprs]-[A-Za-z0-9-]{10,}|\bGOCSPX-[\w-]{20,}|\bya29\.[\w-]{20,})"
    r"|(?P<option>--(?:[a-z]{1,12}-){0,2}" + _NAME + r"\s{1,3})(?!-)\S{4,}"
    r"|(?P<named>"
    + _NAME
    + r"\\?[\"']?\s{0,3}(?:=>?|:=?)\s{0,3}\\?[\"']?)"
    + _NO_VALUE
    + r"(?:(?<=\")[^\"\n]{4,}|(?<=')[^'\n]{4,}|[^\s\"'&,;}\)]{4,})",
    re.IGNORECASE,
)
_KEPT = ("header", "bearer", "url", "user", "pem", "option", "named")


def redact(text: str) -> str:
    """The text with every secret in it replaced by a mark, all else as it was."""
    return _SECRETS.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    kept = found[found.lastgroup] if found.lastgroup in _KEPT else ""
    return kept + HIDDEN


def printable(text: str) -> str:
    """The text without anything a terminal would obey: control characters are spelled out.

    Tab and newline stay; who writes one line per entry spells the newline out as well.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\t\n" else _spelled(c) for c in text)


def _spelled(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def as_json(value: object) -> str:
    """JSON that keeps its accents and holds nothing a terminal would obey."""
    text = json.dumps(value, ensure_ascii=False)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
