"""One process for each place: a lock that ends with its holder, and a name that stays."""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import IO

MOST = 64


class TakenError(Exception):
    """Another process holds the place."""


class Slot:
    """Held until the process ends. `executor` names the place, not the process: what was left
    unfinished in it is taken up by whoever holds it next. Two living processes never share one.
    """

    def __init__(self, data: Path, name: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.path = data / f"{name}.lock"
        self._file: IO[str] = self.path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().split("\n")[0] or "?"
            self._file.close()
            why = f"another instance is already running (pid {holder})"
            raise TakenError(why) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        self.executor = f"{_machine(data)}-{name}"

    def release(self) -> None:
        self._file.close()


def free_slot(data: Path, kind: str) -> Slot:
    """The first place of this kind that nobody holds."""
    for number in range(1, MOST + 1):
        try:
            return Slot(data, f"{kind}-{number}")
        except TakenError:
            continue
    raise TakenError(f"{MOST} instances of {kind} are running already")


def _machine(data: Path) -> str:
    """Eight letters that tell this home from that of another machine on the same database."""
    path = data / "machine"
    try:
        with path.open("x") as file:
            file.write(uuid.uuid4().hex[:8])
    except FileExistsError:
        pass
    return path.read_text().strip()
