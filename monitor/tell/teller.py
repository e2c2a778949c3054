"""Hears what happens, decides what to say, and keeps both on disk; delivery does the rest."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from monitor.heal.casework import clock
from monitor.model import Incident, Outcome, Severity, Told
from monitor.options import Alerts, Rung
from monitor.state import State, StateUnwritable
from monitor.tell import hours
from monitor.tell.alerts import Now, decide, is_over, is_settled
from monitor.tell.board import Board
from monitor.tell.channels import Channels
from monitor.tell.courier import Courier
from monitor.tell.delivery import Delivery
from monitor.tell.ledger import Ledger
from monitor.tell.markup import Row, to_text
from monitor.tell.news import of_incident, of_told, subject_of, with_deed
from monitor.tell.outbox import Pace
from monitor.tell.rounds import Rounds
from monitor.tell.words import Mute, Post

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
        self._news = asyncio.Event()
        self._hurry = False
        self.delivery = Delivery(self.board, courier, self._commit, tell, host, pace or Pace())
        self.rounds = Rounds(self.board, self.delivery.writer.reader, shapes)
        self.delivery.counted = self.rounds.count

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
        self.rounds.greet(settings, children, self.delivery.lanes, self._now())
        self.wake()

    def know(self, incidents: Iterable[Incident]) -> None:
        """What is open and was never heard of: it came up while nobody was to be told."""
        for incident in incidents:
            if f"INC-{incident.id}" not in self.board.threads:
                self.incident(incident, None, None, None)

    @property
    def is_on(self) -> bool:
        return bool(self.channels.lanes)

    def standing(self) -> dict[str, Any]:
        """For `vigia status`: whether anybody is told, what waits to go out, what is mute."""
        waiting, now = self.board.letters.values(), time.time()
        return {
            "to": list(self.channels.lanes),
            "waiting": len(waiting),
            "oldest": now - min(one.made for one in waiting) if waiting else None,
            "mutes": [asdict(mute) for mute in self.board.mutes.values() if mute.until > now],
        }

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
            if incident.word == "retry":  # who acknowledged or closed it is said elsewhere
                news = with_deed(news, "retry", incident.by, now.wall)
            self.board.hear(news, now, self.settings.repeat)
            if before is None:
                self.rounds.count("incidents")
            if news.state in ("resolved", "failed") and (
                before is None or before.state != news.state
            ):
                self.rounds.count(news.state)
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

    # --- what the remote control needs ---

    def digest_now(self) -> list[Row]:
        """As it would be said now; the daily one comes all the same."""
        return self.rounds.as_digest(())

    def answer(self, lane: str, rows: Sequence[Row]) -> Post:
        """A message in one chat that is about no trouble; what is sent is written down first."""
        post = self.board.post("answer", [lane], self._now(), to_text(rows))
        self.wake()
        return post

    def did(self, post: Post, do: str, by: str) -> None:
        """Who did what stands in the message from now on."""
        at = time.time()
        for thread in self.board.threads_of(post):
            self.board.put(replace(thread, news=with_deed(thread.news, do, by, at)))
        self.wake()

    def show_again(self, post: Post) -> None:
        """With buttons that are good."""
        self.board.edit(post, self._now())
        self.wake()

    def write_down(self) -> None:
        """On disk when this returns; else StateUnwritable."""
        self._ledger.commit(self.board)

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
        self.rounds.digest(settings, self.delivery.lanes, now)
        board.forget(now.wall)
        self._commit()

    def _is_settled(self) -> bool:
        now, board = self._now(), self.board
        return all(is_settled(one, board.posts, now) for one in board.threads.values())

    def _now(self) -> Now:
        wall = time.time()
        quiet = hours.is_quiet(self.settings.quiet, self.settings.zone, wall)
        return Now(wall, clock(), quiet)

    def _commit(self) -> None:
        """A disk that takes nothing keeps nobody from being told; it is written down later."""
        with contextlib.suppress(StateUnwritable):
            self._ledger.commit(self.board)

    async def close(self, why: str, within: float = 5.0) -> None:
        """A last word, when it can be had in that time; else the next start has it."""
        if not self.is_on:
            return
        with self._apart():
            self.rounds.sum_up(why, self.delivery.lanes, self._now())
        self._hurry = True
        self.wake()
        deadline = clock() + within
        while (left := deadline - clock()) > 0 and self.delivery.may_go_within(left):
            await asyncio.sleep(min(left, 0.05))
