"""What was recorded, read from the files alone: all generations, oldest first."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from monitor.records.ending import EMPTY, Damaged, End, Torn, Whole, examine
from monitor.records.record import is_move, parsed

_TRIES = 20


def generations(path: Path) -> list[Path]:
    """errors.json.3, .2, .1 and errors.json, those that are there."""
    numbered = re.compile(re.escape(path.name) + r"\.([1-9]\d{0,5})", re.ASCII)
    found = []
    with suppress(FileNotFoundError):
        names = (numbered.fullmatch(name) for name in os.listdir(path.parent))
        found = sorted((int(name[1]) for name in names if name), reverse=True)
    older = [path.with_name(f"{path.name}.{number}") for number in found]
    return [each for each in (*older, path) if each.is_file() and not each.is_symlink()]


def opened(path: Path, stack: ExitStack) -> list[tuple[Path, BinaryIO]]:
    """All generations as they are at one moment, though a rotation may rename them meanwhile."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError), ExitStack() as trial:
            files: dict[int, tuple[Path, BinaryIO]] = {}  # in a rotation one file has two names
            for each in generations(path):
                file = trial.enter_context(each.open("rb"))
                files.setdefault(os.fstat(file.fileno()).st_ino, (each, file))
            if list(files) == list(dict.fromkeys(p.stat().st_ino for p in generations(path))):
                stack.enter_context(trial.pop_all())
                return list(files.values())
    raise OSError(f"{path} is rotated all the time")


def last_end(path: Path) -> End:
    """The end of the newest file with a record that is no repetition; EMPTY when there is none."""
    newest = EMPTY
    for each in reversed(generations(path)):
        with each.open("rb") as file:
            match examine(file.fileno()):
                case Whole(end) | Torn(end) | Damaged(end) if end.seq:
                    newest = end if newest is EMPTY else _with_seq(newest, end.seq)
                    if not end.carried:
                        return newest
    return newest


def _with_seq(end: End, seq: int) -> End:
    return End(end.offset, max(seq, end.seq), end.hash, end.carried)


def read(path: Path) -> Iterator[dict[str, object]]:
    """Every record once, oldest first; what is torn or damaged is passed over."""
    with ExitStack() as stack:
        first, repeated = 0, set()
        for _, file in opened(path, stack):
            for _, record in records_in(file):
                seq = int(str(record["seq"]))
                if record.get("carried"):
                    if (first and seq >= first) or seq in repeated:
                        continue
                    repeated.add(seq)
                else:
                    first = first or seq
                yield record


def newest_of(path: Path, incidents: Collection[object]) -> dict[object, dict[str, object]]:
    """The newest record of each of these incidents; what the newest two files lack is not sought."""
    found: dict[object, dict[str, object]] = {}
    for each in reversed(generations(path)[-2:]):
        wanted = set(incidents) - set(found)
        if wanted:
            with each.open("rb") as file:
                records = (record for _, record in records_in(file))
                found |= {
                    r["incident"]: r for r in records if r.get("incident") in wanted and is_move(r)
                }
    return found


def records_in(file: BinaryIO) -> Iterator[tuple[int, dict[str, object]]]:
    """Each whole record from where the file stands, with the byte after it."""
    at = file.tell()
    for line in file:
        body = line[: line.rfind(b"}") + 1]
        if (record := parsed(body)) is not None:
            yield at + len(body), record
        at += len(line)


class Follow:
    """Reads on as records come, across rotations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._seq = 0

    def new(self) -> Iterator[dict[str, object]]:
        """All that came since the last time; at first all that there is."""
        if self._file is not None and self._is_current():
            yield from self._from_file()
        else:
            self.close()
            with suppress(FileNotFoundError):
                self._file = self._path.open("rb")
            yield from self._from_all()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_current(self) -> bool:
        """Rotated, moved or cut files are given up; whatever they held is among all."""
        assert self._file is not None
        mine = os.fstat(self._file.fileno())
        try:
            same = os.path.samestat(self._path.stat(), mine)
        except OSError:
            return True
        return same and mine.st_size >= self._file.tell()

    def _from_all(self) -> Iterator[dict[str, object]]:
        known = self._seq
        for record in read(self._path):
            seq = int(str(record["seq"]))
            if seq > known and (not known or not record.get("carried")):
                self._seq = max(self._seq, seq)
                yield record

    def _from_file(self) -> Iterator[dict[str, object]]:
        """A line that is being written is left for the next time."""
        assert self._file is not None
        after = self._file.tell()
        for end, record in records_in(self._file):
            after = end
            seq = int(str(record["seq"]))
            if seq > self._seq and not record.get("carried"):
                self._seq = seq
                yield record
        self._file.seek(after)
