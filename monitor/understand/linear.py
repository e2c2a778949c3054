"""The one importer of google-re2: patterns that cost no more than the length of what they read."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

try:
    import re2
except ImportError:  # no wheel for this machine: `re` with short lines serves
    re2 = None

CUT_WITHOUT_RE2 = 2048  # `re` may go back and forth: it is shown no more of a line than this


class Found(Protocol):
    """Where something was found."""

    def span(self, group: int = 0, /) -> tuple[int, int]: ...


class Search:
    """One compiled pattern of the rule language; any line of n bytes costs O(n)."""

    __slots__ = ("_compiled", "_names", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        self._compiled: Any = _compile(source)
        names = self._compiled.groupindex
        self._names = [
            (name.decode() if isinstance(name, bytes) else name, index)
            for name, index in names.items()
        ]

    def hit(self, line: bytes) -> tuple[int, int] | None:
        """Where it matches first, or None."""
        found: Found | None = self._compiled.search(line if re2 else line[:CUT_WITHOUT_RE2])
        return found.span() if found else None

    def groups(self, line: bytes) -> dict[str, tuple[int, int]] | None:
        """Where its named groups stand in the first match, or None when there is no match."""
        found: Found | None = self._compiled.search(line if re2 else line[:CUT_WITHOUT_RE2])
        if found is None:
            return None
        spans = ((name, found.span(index)) for name, index in self._names)
        return {name: span for name, span in spans if span[0] >= 0}

    def spans(self, line: bytes) -> list[tuple[tuple[int, int], dict[str, tuple[int, int]]]]:
        """All matches that do not overlap, each with its named groups."""
        text = line if re2 else line[:CUT_WITHOUT_RE2]
        return [
            (
                found.span(),
                {name: found.span(i) for name, i in self._names if found.span(i)[0] >= 0},
            )
            for found in self._compiled.finditer(text)
        ]


class Sieve:
    """Which of many patterns match a line, all of them asked at once where RE2 is."""

    def __init__(self, sources: list[bytes]) -> None:
        self._set = None
        if re2:
            self._set = _set(sources)
            _give_back()
        else:
            self._each = [re.compile(source) for source in sources]

    def matching(self, line: bytes) -> list[int]:
        if self._set is not None:
            found: list[int] = self._set.Match(line) or []
            return found
        text = line[:CUT_WITHOUT_RE2]
        return [index for index, each in enumerate(self._each) if each.search(text)]


def _set(sources: list[bytes], budgets: Sequence[int] = (12 << 20, 48 << 20, 192 << 20)) -> Any:
    """All patterns at once, in the least memory in which they can be compiled."""
    made = re2.Set.SearchSet(_options(memory=budgets[0]))
    for source in sources:
        made.Add(source)
    try:
        made.Compile()
    except re2.error:
        if len(budgets) == 1:
            raise
        return _set(sources, budgets[1:])
    return made


def _give_back() -> None:
    """What compiling took and freed goes back to the system, where the C library can: 5 MB."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def available() -> bool:
    """Whether RE2 is on this machine."""
    return re2 is not None


def alternation(texts: Sequence[tuple[bytes, bool]]) -> Any:
    """One RE2 pattern that finds where any of these texts stands, case mattering where it says so."""
    strict = b"|".join(re.escape(text) for text, case in texts if case)
    folded = b"|".join(_folded(text) for text, case in texts if not case)
    either = b"|".join(each for each in (strict, b"(?i:" + folded + b")") if each != b"(?i:)")
    return re2.compile(either, _options(memory=256 << 20))


def _folded(text: bytes) -> bytes:
    """Bytes above ASCII are left out of the folding, which engines do differently."""
    return re.sub(rb"[\x80-\xff]+", lambda high: b"(?-i:" + high[0] + b")", re.escape(text))


def _compile(source: bytes) -> Any:
    return re2.compile(source, _options()) if re2 else re.compile(source)


def _options(memory: int = 2 << 20) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are bytes; UTF-8 literals still match
    options.log_errors = False
    options.max_mem = memory
    return options
