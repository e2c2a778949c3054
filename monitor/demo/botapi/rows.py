"""Tables of plain JSON rows; with a file, each change stands in it before anyone is told of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Rows:
    def __init__(self, file: Path | None) -> None:
        self._tables: dict[str, dict[str, Row]] = {}
        self._out = None
        if file is not None:
            self._load(file)
            self._out = file.open("a", encoding="utf-8", errors="surrogatepass")

    def table(self, name: str) -> Table:
        return Table(self, name, self._tables.setdefault(name, {}))

    def write(self, table: str, key: str, row: Row | None) -> None:
        if self._out is not None:
            self._out.write(json.dumps([table, key, row], separators=(",", ":")) + "\n")
            self._out.flush()

    def close(self) -> None:
        if self._out is not None:
            self._out.close()

    def _load(self, file: Path) -> None:
        """Reads every change, forgets a last one that was cut, and leaves only what still counts."""
        if not file.exists():
            return
        for line in file.read_text(encoding="utf-8", errors="surrogatepass").splitlines():
            try:
                name, key, row = json.loads(line)
            except ValueError:
                continue
            table = self._tables.setdefault(name, {})
            if row is None:
                table.pop(key, None)
            else:
                table[key] = row
        fresh = file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8", errors="surrogatepass") as out:
            for name, table in self._tables.items():
                for key, row in table.items():
                    out.write(json.dumps([name, key, row], separators=(",", ":")) + "\n")
        os.replace(fresh, file)


class Table:
    """Rows by their key, in the order in which they were first put."""

    def __init__(self, rows: Rows, name: str, kept: dict[str, Row]) -> None:
        self._rows = rows
        self._name = name
        self._kept = kept

    def get(self, key: str | int) -> Row | None:
        return self._kept.get(str(key))

    def put(self, key: str | int, row: Row) -> Row:
        self._kept[str(key)] = row
        self._rows.write(self._name, str(key), row)
        return row

    def drop(self, key: str | int) -> None:
        if self._kept.pop(str(key), None) is not None:
            self._rows.write(self._name, str(key), None)

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._kept.values()))

    def __len__(self) -> int:
        return len(self._kept)
