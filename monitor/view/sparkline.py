"""Numbers over time in one line of blocks."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], *, least_span: float = 0.0) -> str:
    """A block for each, from the lowest to the highest; a gap where nobody measured.

    A span under `least_span` is drawn flat: noise is no mountain.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    if span <= least_span:
        return "".join(" " if value is None else _BLOCKS[0] for value in values)
    top = len(_BLOCKS) - 1
    return "".join(
        " " if value is None else _BLOCKS[round((value - low) / span * top)] for value in values
    )
