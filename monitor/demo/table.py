"""The end of the story: a row for each fault, and what the admin's phone showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.demo.words import say


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one fault; `skipped` says why it was not tried, `wrong` why it did not heal."""

    fault: str
    noticed: float | None = None
    repaired: float | None = None
    proved: float | None = None
    through: float | None = None  # when its job was done
    skipped: str = ""
    wrong: str = ""

    @property
    def well(self) -> bool:
        return not self.wrong


def table(rows: Sequence[Row], lang: str) -> str:
    """Aligned columns; beneath them why something was left out or did not heal."""
    head = [
        say(f"column_{name}", lang) for name in ("fault", "noticed", "repaired", "proved", "job")
    ]
    cells = [head, *(_cells(row, lang) for row in rows)]
    width = [max(len(line[at]) for line in cells) for at in range(len(head))]
    lines = [
        "  ".join(
            f"{cell:<{wide}}" if at == 0 else f"{cell:>{wide}}"
            for at, (cell, wide) in enumerate(zip(line, width, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "─" * max(map(len, lines)))
    return "\n".join([*lines, *_notes(rows, lang)])


def _cells(row: Row, lang: str) -> list[str]:
    name = say(f"fault_{row.fault}", lang)
    if row.skipped:
        return [name, say("skipped", lang), "", "", ""]
    through = _seconds(row.through) if row.through is not None else say("no", lang)
    return [name, *map(_seconds, (row.noticed, row.repaired, row.proved)), through]


def _seconds(after: float | None) -> str:
    return "—" if after is None else f"{after:.1f} s"


def _notes(rows: Sequence[Row], lang: str) -> list[str]:
    said = []
    for row in rows:
        if why := row.skipped or row.wrong:
            mark = say("not_tried" if row.skipped else "not_healed", lang)
            said.append(f"{say(f'fault_{row.fault}', lang)}: {mark}: {why}")
    return said
