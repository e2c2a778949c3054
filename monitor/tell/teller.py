"""Hears what happens, decides what to say, and keeps both on disk; delivery does the rest."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import sha256

from monitor import __version__
from monitor.heal.casework import clock
from monitor.model import Incident, Outcome, Severity, Told
from monitor.options import Alerts, Rung
from monitor.state import State, StateUnwritable
from monitor.tell import hours, occasions
from monitor.tell.alerts import Now, also_open, decide, is_over, is_settled
from monitor.tell.board import Board
from monitor.tell.channels import Channels
from monitor.tell.courier import Courier
from monitor.tell.delivery import Delivery
from monitor.tell.ledger import Ledger
from monitor.tell.markup import Row, to_text
from monitor.tell.news import of_incident, of_told, subject_of
from monitor.tell.occasions import Tally
from monitor.tell.outbox import Pace
from monitor.tell.words import Mute

_BUSY_LOOK, _IDLE_LOOK = 0.5, 20.0  # how often we look for what became due by itself
_SHAPES = 5  # of unknown lines, in the digest


class Teller:
    """Off without a channel: then it hears nothing and keeps nothing."""

    def __init__(
        self,
        state: State,
        courier: Courier,
        tell: Callable[[Told], None],
        shapes: Callable[[], Sequence[tuple[str, int]]],
        host: str,
        pace: Pace | None = None,
    ) -> None:
        self.settings = Alerts()
        self.channels = Channels()
        self._ledger = Ledger(state)
        self._tell = tell
        self._broken = ""
        self.board = Board()
        with self._apart():
            self.board = self._ledger.load()
        self._shapes = shapes
        self._news = asyncio.Event()
        self._began = clock()
        self._session = Tally(time.time())
        self._hurry = False
        self.delivery = Delivery(self.board, courier, self._commit, tell, host, pace or Pace())
        self.delivery.counted = self._count

    def apply(self, settings: Alerts, channels: Channels, lang: str, children: str) -> None:
        """These settings from now on; what reached nobody is told anew."""
        self.settings, self.channels = settings, channels
        self.delivery.apply(channels, lang, settings.zone)
        self.board.revive()
        if channels.off:
            self._tell(Told(channels.off))
        if not self.is_on:
            return
        self._tell(Told("alerts_on", facts=(("to", ", ".join(channels.lanes)),)))
        self._greet(children)
        if "digest_day" not in self.board.kept:
            self.board.keep("digest_day", hours.local(time.time(), settings.zone)[0])
        self.wake()

    def _greet(self, children: str) -> None:
        """Once per version and configuration of alerts and children, not at every start."""
        settings = self.settings
        known = f"{__version__} {children} {settings} {self.channels.lanes}"
        digest = sha256(known.encode()).hexdigest()
        if self.board.kept.get("started") == digest:
            return
        self.board.keep("started", digest)
        facts = {"version": __version__, "children": children, "least": settings.least}
        facts |= {"quiet": settings.quiet}
        self._post("start", occasions.start(facts, self.delivery.reader()))

    def know(self, incidents: Iterable[Incident]) -> None:
        """What is open and was never heard of: it came up while nobody was to be told."""
        for incident in incidents:
            if f"INC-{incident.id}" not in self.board.threads:
                self.incident(incident, None, None, None)

    @property
    def is_on(self) -> bool:
        return bool(self.channels.lanes)

    # --- what is heard: nothing that goes wrong here may be in the way of a repair ---

    def incident(
        self, incident: Incident, rung: Rung | None, outcome: Outcome | None, pid: int | None
    ) -> None:
        """An incident moved: in memory now, on disk with the move itself."""
        if not self.is_on:
            return
        with self._apart():
            now, before = self._now(), self.board.news(f"INC-{incident.id}")
            news = of_incident(incident, rung, outcome, pid, now.wall, before)
            self.board.hear(news, now, self.settings.repeat)
            if before is None:
                self._count("incidents")
            if news.state in ("resolved", "failed") and (
                before is None or before.state != news.state
            ):
                self._count(news.state)
            self.wake()

    def heard(self, told: Told) -> None:
        """Something else happened; of what is said about alerts only a refusal is news."""
        if not self.is_on or (told.kind.startswith("alert") and told.kind != "alerts_refused"):
            return
        with self._apart():
            now, before = self._now(), self.board.news(subject_of(told))
            if before and before.kind == "child" and is_over(before, now.wall):
                before = None
            if news := of_told(told, now.wall, before):
                self.board.hear(news, now, self.settings.repeat)
                self.wake()

    def save(self) -> None:
        """Within the transaction of what moved."""
        self._ledger.save(self.board)

    def saved(self) -> None:
        self.board.changed.clear()

    def wake(self) -> None:
        self._news.set()

    @contextlib.contextmanager
    def _apart(self) -> Iterator[None]:
        """Whatever fails within is said once, and touches nobody else."""
        try:
            yield
        except StateUnwritable:
            pass  # said by who keeps the state; it is written down later
        except Exception as error:  # noqa: BLE001 - the house is watched also when nobody can be told
            why = f"{type(error).__name__}: {error}"
            if why != self._broken:
                self._broken = why
                self._tell(Told("alerts_broken", severity=Severity.CRITICAL, facts=(("why", why),)))

    # --- mute ---

    def mute(self, what: str, seconds: float, by: str) -> Mute:
        mute = Mute(what, time.time() + seconds, by)
        self._keep_mutes({**self.board.mutes, what: mute})
        return mute

    def unmute(self, what: str) -> list[str]:
        """Which ended; without a name all of them."""
        mutes = self.board.mutes
        ended = [name for name in mutes if not what or name == what]
        self._keep_mutes({name: mute for name, mute in mutes.items() if name not in ended})
        return ended

    def _keep_mutes(self, mutes: Mapping[str, Mute]) -> None:
        now = time.time()
        kept = {what: asdict(mute) for what, mute in mutes.items() if mute.until > now}
        self.board.keep("mutes", kept)
        self._commit()
        self.wake()

    # --- deciding ---

    async def run(self) -> None:
        """Until cancelled: decide, write down, let letters go."""
        async with asyncio.TaskGroup() as sending:
            while True:
                self._news.clear()
                with self._apart():
                    self._turn()
                wait = self.delivery.pump(sending, self.wake)
                look = _IDLE_LOOK if self._is_settled() else _BUSY_LOOK
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(wait, look)):
                        await self._news.wait()

    def _turn(self) -> None:
        if not self.is_on:
            return
        now, settings, board = self._now(), self.settings, self.board
        if self._hurry:
            settings = replace(settings, group=0.0, edit_every=0.0)
        moves = decide(board.threads, board.posts, board.mutes.values(), settings, now)
        board.apply(moves, self.delivery.lanes, now)
        self._digest(now)
        board.forget(now.wall)
        self._commit()

    def _is_settled(self) -> bool:
        wall, board = time.time(), self.board
        return all(is_settled(one, board.posts, wall) for one in board.threads.values())

    def _now(self) -> Now:
        wall = time.time()
        quiet = hours.is_quiet(self.settings.quiet, self.settings.zone, wall)
        return Now(wall, clock(), quiet)

    def _commit(self) -> None:
        """A disk that takes nothing keeps nobody from being told; it is written down later."""
        with contextlib.suppress(StateUnwritable):
            self._ledger.commit(self.board)

    # --- messages about no trouble ---

    def _post(self, kind: str, rows: Sequence[Row]) -> None:
        """In place of an older one of its kind that never went out."""
        for post in list(self.board.posts.values()):
            if post.kind == kind and not post.messages:
                for letter in list(self.board.letters.values()):
                    if letter.post == post.id:
                        self.board.drop("letter", letter.id)
        self.board.post(kind, self.delivery.lanes, self._now(), to_text(rows))

    def _digest(self, now: Now) -> None:
        last = str(self.board.kept.get("digest_day", ""))
        day = hours.digest_due(self.settings.digest, self.settings.zone, last, now.wall)
        if not day:
            return
        noted = [one for one in self.board.threads.values() if one.noted]
        rows = occasions.digest(
            self._tally(),
            [one.news for one in noted],
            also_open(self.board.threads.values(), now.wall),
            self._shapes()[:_SHAPES],
            clock() - self._began,
            self.delivery.reader(),
        )
        self._post("digest", rows)
        self.board.keep("digest_day", day)
        self.board.keep("tally", asdict(Tally(now.wall)))
        for one in noted:
            self.board.put(replace(one, noted=False))

    def _tally(self) -> Tally:
        return Tally(**self.board.kept.get("tally", asdict(self._session)))

    def _count(self, what: str) -> None:
        tally = self._tally()
        self.board.keep("tally", asdict(replace(tally, **{what: getattr(tally, what) + 1})))
        now = getattr(self._session, what) + 1
        self._session = replace(self._session, **{what: now})

    async def close(self, why: str, within: float = 5.0) -> None:
        """A last word, when it can be had in that time; else the next start has it."""
        if not self.is_on:
            return
        with self._apart():
            others = also_open(self.board.threads.values(), time.time())
            facts = {"why": why}
            rows = occasions.summary(facts, self._session, others, self.delivery.reader())
            self._post("summary", rows)
        self._hurry = True
        self.wake()
        deadline = clock() + within
        while (left := deadline - clock()) > 0 and self.delivery.may_go_within(left):
            await asyncio.sleep(min(left, 0.05))
