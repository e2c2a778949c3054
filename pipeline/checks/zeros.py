"""The longest run of zeros in a file, read once and kept nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

BLOCK = 1 << 20
_PAGE = 4096
_RUNS = re.compile(rb"\x00{%d,}" % _PAGE)


def longest(path: Path, ranges: Iterable[tuple[int, int]], alive: Callable[[], None]) -> int:
    """In bytes, within these ranges; runs shorter than a page count as none."""
    found = 0
    with path.open("rb", buffering=0) as file:
        for start, end in ranges:
            file.seek(start)
            left, running = end - start, 0
            while left > 0 and (block := file.read(min(BLOCK, left))):
                left -= len(block)
                here, running = _in_block(block, running)
                found = max(found, here, running)
                alive()
    return found


def _in_block(block: bytes, running: int) -> tuple[int, int]:
    """The longest run that ends in this block, and the one that goes on after it."""
    if not block.strip(b"\0"):
        return 0, running + len(block)
    head = len(block) - len(block.lstrip(b"\0"))
    tail = len(block) - len(block.rstrip(b"\0"))
    inner = 0
    if bytes(_PAGE) in block:
        inner = max((len(run) for run in _RUNS.findall(block)), default=0)
    return max(running + head, inner), tail
