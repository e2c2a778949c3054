"""How a TOML table becomes a frozen value; every fault is found, none stops the search."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Seconds = Annotated[float, "seconds"]
Bytes = Annotated[int, "bytes"]
Mode = Annotated[int, "mode"]

T = TypeVar("T")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def setting(default: Any, doc: str) -> Any:
    """A field with its line of documentation; a setting without one does not exist."""
    if isinstance(default, types.MappingProxyType):
        return field(default_factory=lambda: default, metadata={"doc": doc})
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file, where it stands, and what would be right."""

    file: str
    line: int | None
    what: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.what}"


class SettingsError(Exception):
    """All that is wrong at once, so that it is mended in one go."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class _WrongError(ValueError):
    """A value that does not fit, caught where its place is known."""


@dataclass(slots=True)
class Source:
    """A file's text beside its parsed form: it knows the line of a key, and collects faults."""

    file: str
    text: str
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: tuple[str, ...], what: str) -> None:
        self.faults.append(Fault(self.file, self.line_of(path), what))

    def line_of(self, path: tuple[str, ...]) -> int | None:
        """The line of a key, else of the table that it would stand in, as a person looks for it."""
        table: tuple[str, ...] = ()
        nearest: tuple[int, int] | None = None
        for number, line in enumerate(self.text.split("\n"), 1):
            if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
                table = _keys(header[1])
                if table == path:
                    return number
                if path[: len(table)] == table and (nearest is None or nearest[0] < len(table)):
                    nearest = len(table), number
            elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
                here = table + _keys(key[1])
                if path[: len(here)] == here:
                    return number
        return nearest and nearest[1]


def _keys(dotted: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^\s.\"']+)", dotted)
    return tuple("".join(part) for part in parts)


def read(cls: type[T], table: Mapping[str, Any], source: Source, path: tuple[str, ...] = ()) -> T:
    """Make `cls` from a table; what does not fit becomes a fault and keeps its default."""
    hints = get_type_hints(cls, include_extras=True)
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, raw in table.items():
        here = (*path, key)
        if key not in known or not known[key].metadata:
            source.fault(here, _unknown(key, path, [n for n, f in known.items() if f.metadata]))
            continue
        for value in _good(hints[key], raw, source, here):
            values[key] = value
    return cls(**values)


def _good(kind: Any, raw: Any, source: Source, path: tuple[str, ...]) -> Iterator[Any]:
    """The value when it fits, else nothing and a fault."""
    try:
        yield _value(kind, raw, source, path)
    except _WrongError as wrong:
        source.fault(path, f"{'.'.join(path)}: {wrong}")


def _unknown(key: str, path: tuple[str, ...], names: list[str]) -> str:
    what = f"{key!r} is not a setting of the top level"
    if path:
        what = f"{key!r} is not a setting of [{'.'.join(path)}]"
    near = get_close_matches(key, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
    return f"{what}; {hint}"


def _value(kind: Any, raw: Any, source: Source, path: tuple[str, ...]) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return read(kind, _table(raw), source, path)
    if origin is Annotated:
        return _measure(args[1], raw)
    if origin in (types.UnionType, typing.Union):
        return _value(next(a for a in args if a is not type(None)), raw, source, path)
    if origin is Literal:
        return _one_of(args, raw)
    if origin is tuple:
        return _items(args[0], raw, source, path)
    if origin is Mapping or origin is dict:
        return _mapping(args[1], raw, source, path)
    return _plain(kind, raw)


def _table(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _must_be("a table", raw)
    return raw


def _one_of(allowed: tuple[Any, ...], raw: Any) -> Any:
    if raw not in allowed:
        values = ", ".join(map(_shown, allowed))
        raise _WrongError(f"must be one of {values}, not {_shown(raw)}")
    return raw


def _items(kind: Any, raw: Any, source: Source, path: tuple[str, ...]) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        raise _must_be("a list", raw)
    return tuple(value for item in raw for value in _good(kind, item, source, path))


def _mapping(kind: Any, raw: Any, source: Source, path: tuple[str, ...]) -> dict[str, Any]:
    items = _table(raw).items()
    return {k: value for k, v in items for value in _good(kind, v, source, (*path, k))}


def _plain(kind: Any, raw: Any) -> Any:
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if not isinstance(raw, kind) or (isinstance(raw, bool) and kind is not bool):
        names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        raise _must_be(names[kind], raw)
    if isinstance(raw, str) and "\0" in raw:
        raise _WrongError("holds a NUL character")
    return raw


def _measure(unit: str, raw: Any) -> float | int:
    readers = {"seconds": seconds, "bytes": size, "mode": mode}
    return readers[unit](raw)


def seconds(raw: Any) -> float:
    """`90`, `1.5`, `"250ms"`, `"10s"`, `"5m"`, `"2h"` or `"7d"`, as seconds."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 <= raw < 1e10:
        return float(raw)
    if isinstance(raw, str) and (m := _DURATION.fullmatch(raw.strip())):
        return seconds(float(m[1]) * _SECONDS[m[2]])
    raise _must_be('seconds or a time like "10s", "5m", "2h"', raw)


def size(raw: Any) -> int:
    """`1048576`, `"512KB"`, `"50MB"` or `"2GB"`, as bytes; a KB is 1,024 of them."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < 1 << 63:
        return raw
    if isinstance(raw, str) and len(raw) < 32 and (m := _SIZE.fullmatch(raw.strip())):
        return size(int(float(m[1]) * _UNITS[m[2].upper()]))
    raise _must_be('bytes or a size like "50MB"', raw)


def mode(raw: Any) -> int:
    """`"027"` or `0o027`, as permission bits."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 0o777:
        return raw
    if isinstance(raw, str) and re.fullmatch(r"(0o?)?[0-7]{1,3}", raw):
        return int(raw.removeprefix("0o"), 8)
    raise _must_be('permission bits like "027"', raw)


def _must_be(what: str, raw: Any) -> _WrongError:
    return _WrongError(f"must be {what}, not {_shown(raw)}")


def _shown(raw: Any) -> str:
    return f'"{raw}"' if isinstance(raw, str) else repr(raw)
