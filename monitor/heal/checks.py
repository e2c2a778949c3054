"""Looks that need no log line: is there room on the disks, does the local Bot API server answer?

What they find becomes an incident like one from a line, and what they see gone is let go of.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from monitor.heal.book import Book
from monitor.heal.incidents import key_of
from monitor.heal.intake import Intake
from monitor.heal.room import Room, Volume
from monitor.heal.servers import BOT_API_DOWN, answer_of
from monitor.model import (
    OPEN,
    Category,
    Cause,
    FileId,
    Incident,
    IncidentState,
    Line,
    Match,
    Outcome,
    Result,
    Severity,
    Told,
)
from monitor.records.story import LOOK
from monitor.redact import redact
from monitor.safe.paths import Failed

DISK_FULL, DISK_LOW, DISK_SILENT = "vigia.disk_full", "vigia.disk_low", "vigia.disk_silent"
SICK = "vigia.child_sick"
_ONCE_MORE = 2.0  # seconds after which a silent server is asked again before it is told
_TELL_AGAIN_EVERY = 1.0
_NOWHERE = FileId(0, 0)


def finding(
    look: str,
    rule: str,
    category: Category,
    severity: Severity,
    subject: str,
    text: str,
    captures: tuple[tuple[str, str], ...] = (),
) -> Match:
    """What a look found, in the form of a line that means it; its source says that it is none."""
    line = Line(f"{LOOK}{look}", _NOWHERE, text, 0, 0, time.time())
    return Match(line, rule, category, severity, subject, captures)


def of_full(volume: Volume) -> Match:
    return finding(
        "disk", DISK_FULL, Category.DISK_FULL, Severity.CRITICAL, volume.path, f"only {volume.said}"
    )


def of_low(volume: Volume) -> Match:
    return finding(
        "disk", DISK_LOW, Category.DISK_FULL, Severity.WARNING, volume.path, f"only {volume.said}"
    )


def of_silent(place: Failed) -> Match:
    return finding(
        "disk",
        DISK_SILENT,
        Category.TIMEOUT,
        Severity.CRITICAL,
        place.at,
        f"the disk of {place.why}",
    )


def of_bot_api(url: str, why: str) -> Match:
    shown = redact(url)
    text = f"the local Bot API server at {shown} does not answer: {why}"
    return finding(
        "bot_api",
        BOT_API_DOWN,
        Category.SERVER_DOWN,
        Severity.CRITICAL,
        shown,
        text,
        (("url", shown),),
    )


def of_sick(told: Told) -> tuple[Match, Outcome | None]:
    """A child that hangs or grew too large, and what its minder does about it."""
    facts = dict(told.facts)
    grew = facts["cause"] == Cause.MEMORY_LIMIT
    category = Category.OUT_OF_MEMORY if grew else Category.HANG
    match = finding("child", SICK, category, told.severity, told.child, facts["why"])
    restarted = Outcome(Result.DONE, "it is ended and started again, counted like a crash")
    return match, None if "left" in facts else restarted


class Checks:
    """Looks every so often, and says each thing once: what the book knows is not told again."""

    def __init__(
        self,
        book: Book,
        room: Callable[[], Room],
        bot_api: Callable[[], str | None],
        intake: Intake,
        settle: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._book = book
        self._room = room
        self._bot_api = bot_api
        self._intake = intake
        self._settle = settle
        self._clock = clock
        self._short: set[str] = set()  # disks that were seen without room

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await self._until_next()

    async def _until_next(self) -> None:
        """Meanwhile a child that is started anew is told soon that it shall wait."""
        due = time.monotonic() + self._room().disk.every
        while (left := due - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _TELL_AGAIN_EVERY))
            if self._intake.holders:
                await self._intake.keep()

    async def look(self) -> None:
        await asyncio.gather(self._look_at_disks(), self._look_at_server())
        await self._let_go()
        await self._intake.keep()
        self._settle()

    # --- disks ---

    async def _look_at_disks(self) -> None:
        volumes, silent = await self._room().volumes()
        for volume in volumes:
            self._judge(volume)
        for place in silent:
            self._tell(of_silent(place))
        answering = {volume.path for volume in volumes}
        for known in self._told(DISK_SILENT):
            if known.match.subject in answering:
                self._book.gone(known, "it answers again")
        await self._hold_while_full(volumes)

    def _judge(self, volume: Volume) -> None:
        full, low = of_full(volume), of_low(volume)
        if volume.is_full:
            self._tell(full)
        elif volume.is_low:
            self._tell(low)
        if volume.has_room and (told := self._given_up(full)):
            self._book.gone(told, volume.said)
        if volume.is_calm and (told := self._known(low)):
            self._book.gone(told, volume.said)
        if not volume.has_room:
            self._short.add(volume.path)
        elif volume.path in self._short:
            self._short.discard(volume.path)
            self._begin_again(volume)

    def _begin_again(self, volume: Volume) -> None:
        """What failed for want of room has it now: its ladder begins anew and resumes its work."""
        for one in list(self._book.known.values()):
            failed = one.state is IncidentState.FAILED
            if failed and one.match.category is Category.DISK_FULL:
                self._book.begin_again(one, volume.said, self._clock())

    async def _hold_while_full(self, volumes: list[Volume]) -> None:
        """From the first look on, and also when nothing of ours could be freed."""
        for volume in volumes:
            known = self._known(of_full(volume)) if volume.is_full else None
            if known and not self._is_left_alone(known):
                await self._intake.hold(known)

    def _is_left_alone(self, incident: Incident) -> bool:
        """A person wants no hand moved on it."""
        ladder = self._book.ladder(incident.match)
        dry = not ladder or self._book.is_dry(incident, ladder[0])
        return dry or self._book.paused is not None

    # --- the server ---

    async def _look_at_server(self) -> None:
        url = self._bot_api()
        down = self._told(BOT_API_DOWN)
        if url is None or not (why := await answer_of(url)):
            for one in down:
                if one.state not in OPEN:
                    self._book.gone(one, "it answers" if url else "it is used no more")
            return
        if not down:
            await asyncio.sleep(_ONCE_MORE)  # it may just be starting
            why = await answer_of(url)
        if why:
            self._tell(of_bot_api(url, why))

    # --- the book ---

    def _tell(self, match: Match) -> None:
        if self._known(match) is None:
            self._book.take(match, "", self._clock())

    def _known(self, match: Match) -> Incident | None:
        """The incident that says it already and is not over."""
        known = self._book.known.get(key_of(match, ""))
        return None if known is None or known.state is IncidentState.RESOLVED else known

    def _given_up(self, match: Match) -> Incident | None:
        """The same, where no ladder of ours is on its way to end it."""
        known = self._known(match)
        return None if known is None or known.state in OPEN else known

    def _told(self, rule: str) -> list[Incident]:
        return [
            one
            for one in self._book.known.values()
            if one.match.rule == rule and one.state is not IncidentState.RESOLVED
        ]

    async def _let_go(self) -> None:
        """Nobody waits for an incident that is over, or that a person has to see to."""
        for number in self._intake.holders:
            known = self._book.by_id(number)
            if known is None or (known.state not in OPEN and not _holds_on(known)):
                await self._intake.release(number)


def _holds_on(incident: Incident) -> bool:
    """What we see ourselves is waited for to its end; what only a line says is not."""
    return incident.state is IncidentState.FAILED and incident.match.rule in (
        DISK_FULL,
        BOT_API_DOWN,
    )
