"""What the older generations of a log still hold unread."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.follow.fingerprint import is_same
from monitor.follow.generations import copy_of
from monitor.follow.known import RECENT

if TYPE_CHECKING:
    from monitor.follow.copies import Copies
    from monitor.follow.generations import Beside, Generation
    from monitor.follow.known import Known
    from monitor.follow.tail import Tail
    from monitor.follow.turn import Turn
    from monitor.model import Position

LOOKED_INTO = 16  # older generations that are opened in search of an unread rest
UNSURE = "was renamed all the time while we looked; a generation may be lost unread"
UNREADABLE = "had a generation that cannot be read; what was unread in it is lost"


class Rests:
    """Opens the generations in which something is unread, each where it was read to."""

    def __init__(self, known: Known, copies: Copies) -> None:
        self._known, self._copies = known, copies

    def of_all(
        self, closed: list[Position], beside: Beside, now: float
    ) -> tuple[list[Tail], Generation | None]:
        """What these hold beyond where they were read, and where the last of them is found."""
        rests: list[Tail] = []
        found: Generation | None = None
        for one in closed:
            rest, found = self.of(one, beside, now, by_content=one in closed[-RECENT:])
            rests += [rest] if rest else []
        return rests, found

    def of(
        self,
        known: Position,
        beside: Beside,
        now: float,
        *,
        at_end: bool = False,
        by_content: bool = True,
    ) -> tuple[Tail | None, Generation | None]:
        """What a known file holds beyond its position, and the generation where it is found."""
        for one in _candidates(known, beside, LOOKED_INTO if by_content else 0):
            if one.id in self._known.open:
                continue
            with suppress(OSError), ExitStack() as let_go:
                fd = beside.open(one.id)
                if fd is None:
                    continue
                let_go.callback(os.close, fd)
                if not self._is_found(fd, one, known, beside):
                    continue
                if at_end or os.fstat(fd).st_size > known.offset:
                    id = known.id if one.packed else one.id
                    rest = self._known.follow(fd, beside.path, id, known.offset, now)
                    let_go.pop_all()
                    self._known.closed.pop(known.id, None)
                    return rest, one
                if one.id != known.id and not one.packed:
                    # Nobody else knows that it was read.
                    self._known.remember(replace(known, id=one.id))
                return None, one
        return None, None

    def _is_found(self, fd: int, one: Generation, known: Position, beside: Beside) -> bool:
        """Whether this generation is the known file, or its copy."""
        same = is_same(fd, known) if known.offset else one.id == known.id
        return same and not self._copies.is_another(fd, one.id, known, beside)

    def since(self, former: Position, beside: Beside, changed: int, turn: Turn) -> list[Tail]:
        """Generations written after the one that was read last, and late lines of older ones."""
        if not beside.agreed:
            turn.tell(former.path, UNSURE)
        found: list[Tail] = []
        for one in list(beside.found.values()):
            old = one.changed < changed and one.id not in self._known.closed
            if old or one.id in self._known.open:
                continue
            try:
                found += self._unread(one, beside, former, turn.now)
            except OSError:
                known = self._known.closed.get(one.id)
                if known is None or known.offset != one.size:
                    turn.tell(former.path, UNREADABLE, one.size)
        return found

    def _unread(self, one: Generation, beside: Beside, former: Position, now: float) -> list[Tail]:
        """Raises when there is no getting at it."""
        fd = beside.open(one.id)
        if fd is None:
            raise FileNotFoundError(one.path)
        with ExitStack() as let_go:
            let_go.callback(os.close, fd)
            known = self._known.closed.get(one.id)
            if known and not is_same(fd, known):
                known = None
            offset = self._unread_from(fd, known, former, beside)
            if offset is None:
                return []
            rest = self._known.follow(fd, beside.path, one.id, offset, now)
            let_go.pop_all()
        if known:
            del self._known.closed[known.id]
        return [rest]

    def _unread_from(
        self, fd: int, known: Position | None, former: Position, beside: Beside
    ) -> int | None:
        """Where what is unread of a file begins; none when all of it was read."""
        if known:
            size = os.fstat(fd).st_size
            if size <= known.offset:
                return None
            # Its number may have been that of a file saved over, and is that of a copy now.
            upto = self._copies.furthest(fd, known, beside.path)
            return upto if size > upto else None
        copied = self._copies.read_upto(fd, {former.path})
        if copied is None:
            return None if copy_of(fd, former) else 0
        return copied if os.fstat(fd).st_size > copied else None


def _candidates(known: Position, beside: Beside, most: int) -> list[Generation]:
    """Where a known file is looked for: under its own number, and then the newest ones first."""
    own = beside.found.get(known.id)
    newest_first = [*beside.found.values()][::-1][:most]
    return [*([own] if own else []), *(one for one in newest_first if one is not own)]


def by_age(tails: list[Tail], beside: Beside) -> list[Tail]:
    """The log itself comes last, unless it is an older generation of itself by now."""
    ages = {id: age for age, id in enumerate(beside.found)}
    return sorted(tails, key=lambda tail: ages.get(tail.id, len(ages)))


def in_order(tails: list[Tail]) -> list[Tail]:
    """Each waits until the one before it was read to its end."""
    for earlier, later in pairwise(tails):
        later.waits_for = earlier
    return tails
