"""One record: its fields in their order, its texts made safe, as one line of JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice

import orjson

from monitor.redact import redact

Record = Mapping[str, object]

# As they stand in the line; a record without one of them has null there.
FIELDS = (
    "seq",
    "id",
    "incident",
    "timestamp",
    "state",
    "category",
    "severity",
    "rule",
    "verdict",
    "message",
    "subject",
    "context",
    "action",
    "attempt",
    "max_attempts",
    "next_try",
    "outcome",
    "source",
    "child",
    "occurrences",
    "host",
)
# Put in by the writer, whatever the caller says; the marks only where they apply.
MARKS = ("carried", "first")
CHAIN = "prev"
STATES = ("detected", "fixing", "retrying", "resolved", "failed", "alert_only", "gap")

GENESIS = "0" * 64  # what the very first record is chained to
LONGEST = 64 * 1024  # bytes of a line that is still kept as it is

_CUTS = (16 * 1024, 1024, 64)  # characters of one text; the next when the line is too long
_SECRET = 12_000  # characters; no secret is longer
_SHORTEST_SECRET = 8  # pwd=1234
_MOST = 64  # entries of one mapping or list
_DEEPEST = 4
_OPTIONS = orjson.OPT_NON_STR_KEYS


def line_of(record: Record, prev: str, *, first: bool = False, carried: bool = False) -> bytes:
    """The record as one line without its end; it never fails and holds nothing a terminal obeys."""
    marks = {name: True for name, is_so in zip(MARKS, (carried, first), strict=True) if is_so}
    line = b""
    for cut in _CUTS:
        line = _seen(orjson.dumps(_cleaned(record, cut) | marks | {CHAIN: prev}))
        if len(line) <= LONGEST:
            break
    return line


def safe(record: Record) -> dict[str, object]:
    """The record as it would be written, but for its place in the chain."""
    line: dict[str, object] = orjson.loads(line_of(record, ""))
    return {name: value for name, value in line.items() if name not in ("seq", CHAIN)}


def digest(line: bytes) -> str:
    """What the record after this line is chained to."""
    return hashlib.sha256(line).hexdigest()


def is_move(record: Record) -> bool:
    """Whether it is a step of its incident, and not only that somebody was told of it, or was not."""
    context = record.get("context")
    said = context.get("said") if isinstance(context, Mapping) else None
    return said not in {"told", "not_told"}


def seq_of(record: Record) -> int:
    seq = record["seq"]
    if not isinstance(seq, int) or seq < 1:
        raise ValueError(f"seq is {seq!r}, not a number from 1 on")
    return seq


def gap(first: int, last: int, timestamp: object, why: str = "") -> dict[str, object]:
    """Stands where records are missing and nobody has them any more; `last` is its seq."""
    missing = f"record {last} is" if first == last else f"records {first} to {last} are"
    return {
        "seq": last,
        "id": f"gap-{first}-{last}",
        "timestamp": timestamp,
        "state": "gap",
        "severity": "warning",
        "message": why or f"{missing} lost: the state had them no longer",
        "context": {"from": first, "to": last},
    }


def parsed(line: bytes) -> dict[str, object] | None:
    """The record in this line, or None when it is none of ours or not whole."""
    if not line.startswith(b'{"seq":'):
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    whole = isinstance(record.get("seq"), int) and isinstance(record.get(CHAIN), str)
    return record if whole else None


def _cleaned(record: Record, cut: int) -> dict[str, object]:
    """Known fields first, in their order; an unknown one is kept rather than lost."""
    known = {name: _clean(name, record.get(name), cut, _DEEPEST) for name in FIELDS}
    others = {name: value for name, value in record.items() if name not in (*known, *MARKS, CHAIN)}
    unknown = _clean("", others, cut, _DEEPEST + 1) if others else {}
    assert isinstance(unknown, dict)
    return known | {name: value for name, value in unknown.items() if name not in known}


def _clean(name: str, value: object, cut: int, depth: int) -> object:
    """Only what JSON knows, with no secret, no half character, and of bounded size."""
    if isinstance(value, str):
        return _text(name, value, cut)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 64 else str(value)
    if depth and isinstance(value, Mapping):
        pairs = ((_key(str(key)), each) for key, each in islice(value.items(), _MOST))
        return {key: _clean(key, each, cut, depth - 1) for key, each in pairs}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_clean(name, each, cut, depth - 1) for each in islice(value, _MOST)]
    return _text(name, value, cut)


def _text(name: str, value: object, cut: int) -> str:
    """As a text; bytes and halves of surrogate pairs that are no characters are spelled out."""
    if isinstance(value, bytes | bytearray):
        text = value.decode(errors="backslashreplace")
    else:
        text = str(value)
    if not text.isascii():
        text = text.encode(errors="backslashreplace").decode()
    if len(text) <= cut:
        return _redacted(name, text)
    shown = _redacted(name, text[: cut + _SECRET])
    if len(text) > cut + _SECRET:  # what was cut in half there may be a secret that no rule knows
        shown = shown[:-_SECRET]
    shown = shown[:cut]
    return f"{shown}… (+{len(text) - len(shown)})"


def _redacted(name: str, text: str) -> str:
    """Without secrets; {"password": "x"} says by its name that x is one."""
    if _is_secret(name):
        named = f'{name}="'
        return redact(named + text).removeprefix(named)
    return redact(text) if len(text) >= _SHORTEST_SECRET else text


@lru_cache(1024)
def _is_secret(name: str) -> bool:
    """Whether what has this name is hidden, though it looks like nothing by itself."""
    return redact(f'{name}="plain-9"') != f'{name}="plain-9"'


@lru_cache(1024)
def _key(name: str) -> str:
    return _text("", name, _CUTS[-1])


def _seen(line: bytes) -> bytes:
    """What a terminal would obey or hide is spelled as JSON spells it; its meaning stays."""
    text = line.decode()
    if text.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text).encode()
