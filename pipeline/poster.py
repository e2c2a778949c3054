"""Looks for what is due and has it published, one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog

from pipeline.events import said
from pipeline.kit import Kit
from pipeline.profiles import ProfileError
from pipeline.rules import next_time
from pipeline.steps import publish
from pipeline.store import posts
from pipeline.store.tables import Post
from pipeline.targets.folder import Folder
from pipeline.targets.port import Target
from pipeline.targets.telegram import Telegram

say = structlog.get_logger(part="pipeline.poster")


class Poster:
    """One for each database: `run` has it, a mere worker has none."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._targets: dict[str, Target] = {"folder": Folder(kit.settings.modelos)}
        if kit.api:
            self._targets["telegram"] = Telegram(kit.api)
        self._bell = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def nudge(self) -> None:
        """Something may be due already; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is gone, and so are we
            self._loop.call_soon_threadsafe(self._bell.set)

    async def run(self) -> None:
        await asyncio.to_thread(publish.recover, self._kit, self._targets)
        while True:
            self._bell.clear()
            try:
                while await asyncio.to_thread(self.look, time.time()):
                    pass
            except Exception as error:  # noqa: BLE001 -- the next look may find the database again
                say.warning("poster.waiting", error=said(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), self._kit.settings.look_every)

    def look(self, now: float) -> int:
        """Publishes what is due; how many were dealt with."""
        with self._kit.store.read() as session:
            due = posts.due(session, now)
        dealt = 0
        for post in due:
            self._kit.gate.pass_through()
            with self._kit.gate.at_work(f"post {post.id}"):
                dealt += self._deal(post, time.time())
        return dealt

    def _deal(self, post: Post, now: float) -> int:
        """The rules are asked once more: a post that is late must not crowd with the next."""
        try:
            later = self._moved(post, now)
        except (OSError, ProfileError) as error:  # of this modelo; the others go on
            self._put_off(post, now + self._kit.settings.look_every, said(error))
            return 0
        target = self._targets.get(post.target.partition(":")[0])
        if later > now or target is None:
            why = "the rules moved it" if target else "there is no TELEGRAM_TOKEN to send it with"
            self._put_off(post, later if later > now else now + 3600.0, why)
            return 0
        publish.run(self._kit, target, post.id)
        return 1

    def _put_off(self, post: Post, until: float, why: str) -> None:
        with self._kit.store.write() as session:
            session.get_one(Post, post.id).due_at = until
        say.warning("post.put_off", post=post.id, modelo=post.modelo, why=why)

    def _moved(self, post: Post, now: float) -> float:
        posting = self._kit.profiles.of(post.modelo).posting
        with self._kit.store.read() as session:
            gone = [
                at
                for at in posts.taken(session, post.modelo, post.target, now, gone=True)
                if at <= now
            ]
        return next_time(posting, gone, now)
