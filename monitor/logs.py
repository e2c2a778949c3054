"""The logs that are followed: shown, understood, remembered, and those of our children kept small."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.config import Config
from monitor.echo import Echo
from monitor.follow.follower import Follower
from monitor.follow.live import follow
from monitor.heal.casework import Casework
from monitor.model import Chunk, FileId, Gap, Position, Severity, Told
from monitor.state import State, StateUnwritable
from monitor.supervise import capture
from monitor.supervise.crew import Crew
from monitor.texts import sized
from monitor.understand.classify import Classifier
from monitor.understand.shapes import Shapes

_FLUSH_EVERY = 0.3
_SAVE_EVERY = 1.0  # what was only read and meant nothing is remembered this often
_LOOK_AT_AGE_EVERY = 60.0
_REST = 60.0  # seconds until an earlier log is compressed


@dataclass(frozen=True, slots=True)
class _Refused:
    """A log that could not be rotated."""

    wait: float = 0.5
    until: float = 0.0


class Logs:
    """Owns the follower; all that was read passes here once, in order."""

    def __init__(
        self,
        config: Config,
        crew: Crew,
        state: State,
        echo: Echo | None,
        tell: Callable[[Told], None],
        ours: Callable[[FileId], bool],
    ) -> None:
        self.opened = asyncio.Event()
        self._config = config
        self._crew = crew
        self._state = state
        self._echo = echo
        self._tell = tell
        self._ours = ours
        self._classifier: Classifier
        self._casework: Casework
        self._flush_later: asyncio.TimerHandle | None = None
        self._names = _names_of(config)
        self._follower = self._new_follower(state.positions())
        self._anew = asyncio.Event()
        self._too_large = asyncio.Event()
        self._rotated = asyncio.Event()
        self._refused: dict[str, _Refused] = {}
        self._turn_at = time.monotonic()
        self._turns = 0
        self._saved_at = 0.0
        self._save_later: asyncio.TimerHandle | None = None
        self._degraded = False

    def _new_follower(self, positions: Sequence[Position]) -> Follower:
        home = self._config.home
        own = [str(self._config.log_of(name)) for name in self._config.children]
        others = [str(home / pattern) for pattern in self._config.follow]
        return Follower(
            [*own, *others], positions=positions, ours=self._ours, held=self._crew.writes_to
        )

    # --- following ---

    async def run(self) -> None:
        """Follow until cancelled; a new configuration goes on where the old one stood."""
        while True:
            await self._follow_until_changed()
            old, self._follower = self._follower, self._new_follower(self._follower.positions())
            old.close()

    async def _follow_until_changed(self) -> None:
        """When it returns or raises, nobody reads any more."""
        following = asyncio.ensure_future(follow(self._follower, self._take, monotonic=self._clock))
        changed = asyncio.ensure_future(self._anew.wait())
        try:
            await asyncio.wait((following, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            following.cancel()
            await asyncio.wait((following,))
        self._anew.clear()
        if not following.cancelled():
            following.result()

    def understand(self, classifier: Classifier, casework: Casework) -> None:
        """Who judges the lines from now on, and who takes what means trouble."""
        if self.opened.is_set():
            self._flush(everything=True)  # what is open in the old one would be lost with it
        self._classifier, self._casework = classifier, casework

    @property
    def shapes(self) -> Shapes:
        """The lines that no rule knows, grouped."""
        return self._classifier.shapes

    def apply(self, config: Config) -> None:
        """Follow what the new configuration names."""
        self._config, self._names = config, _names_of(config)
        self._anew.set()

    def _clock(self) -> float:
        """Read before and after each look: it shows that following goes on."""
        self._turns += 1
        if self._turns == 2:
            self.opened.set()
        self._turn_at = time.monotonic()
        return self._turn_at

    def stalled_for(self) -> float:
        return time.monotonic() - self._turn_at

    def read_the_rest(self) -> None:
        """All that is left once the children have ended."""
        while turn := self._follower.poll(time.monotonic(), time.time()):
            self._take(turn)
        self._flush(everything=True)
        self._save()

    def close(self) -> None:
        for later in (self._save_later, self._flush_later):
            if later:
                later.cancel()
        self._follower.close()

    def _take(self, turn: Sequence[Chunk | Gap]) -> None:
        for each in turn:
            if isinstance(each, Gap):
                facts = (("path", each.path), ("why", each.why))
                self._tell(Told("gap", severity=Severity.WARNING, facts=facts))
                continue
            name = self._name_of(each.path)
            if self._echo:
                self._echo.show(name if self._has_several() else "", each.data)
            child = self._config.children.get(name)
            if child and 0 < child.log.size <= each.end:
                self._too_large.set()
            for match in self._classifier.feed(each):
                self._casework.take(match, name)
        for gone in self._classifier.files() - self._follower.tails.keys():
            for match in self._classifier.forget(gone):
                self._casework.take(match, self._name_of(match.line.path))
        self._flush_when_idle()
        if self._casework.has_news:
            self._save()
        else:
            self._save_soon()

    def _flush_when_idle(self) -> None:
        """An event whose end nobody wrote ends when nothing follows it for a while."""
        if self._flush_later is None and any(map(self._classifier.pending, self._follower.tails)):
            self._flush_later = asyncio.get_running_loop().call_later(_FLUSH_EVERY, self._flush)

    def _flush(self, *, everything: bool = False) -> None:
        self._flush_later = None
        for match in self._classifier.flush(time.time(), everything=everything):
            self._casework.take(match, self._name_of(match.line.path))
        if self._casework.has_news:
            self._save()
        self._flush_when_idle()

    def _name_of(self, path: str) -> str:
        return self._names.get(path) or Path(path).name

    def _has_several(self) -> bool:
        return len(self._config.children) + len(self._config.follow) > 1

    # --- remembering ---

    def _save_soon(self) -> None:
        """At once when the last time is long ago, else when it is: a flood must not sync all day."""
        wait = self._saved_at + _SAVE_EVERY - time.monotonic()
        if wait <= 0:
            self._save()
        elif self._save_later is None:
            self._save_later = asyncio.get_running_loop().call_later(wait, self._save)

    def _save(self) -> None:
        if self._save_later:
            self._save_later.cancel()
            self._save_later = None
        self._saved_at = time.monotonic()
        starts = {id: self._classifier.pending(id) for id in self._follower.tails}
        upto = {id: start for id, start in starts.items() if start is not None}
        try:
            with self._state.transaction():
                self._state.save_positions(self._follower.positions(upto), time.time())
                self._casework.save()
        except StateUnwritable as error:
            if not self._degraded:
                facts = (("why", str(error)),)
                self._tell(Told("state_trouble", severity=Severity.CRITICAL, facts=facts))
            self._degraded = True
        else:
            self._degraded = False
            self._casework.saved()

    # --- rotating ---

    async def keep_small(self) -> None:
        """Rotate the children's logs when they are too large or too old, until cancelled."""
        async with asyncio.TaskGroup() as works:
            works.create_task(self._rotate_in_time())
            works.create_task(self._pack_what_was_rotated())

    async def _rotate_in_time(self) -> None:
        since = time.time()
        while True:
            self._too_large.clear()
            config = self._config
            for name, child in config.children.items():
                path = config.log_of(name)
                due = time.monotonic() >= self._refused.get(name, _Refused()).until
                if due and capture.wants_rotation(path, child.log, since, time.time()):
                    await self._rotate(name, path)
                    capture.drop(path, child.log)
                    self._rotated.set()
            await self._until_too_large()

    async def _pack_what_was_rotated(self) -> None:
        """Beside the rotating, and not before they have rested: in a flood they are gone by then."""
        while True:
            self._rotated.clear()
            rested = time.time() - _REST
            for name in list(self._config.children):
                path = self._config.log_of(name)
                while packed := await asyncio.to_thread(capture.pack_oldest, path, rested):
                    if not packed.put(path):
                        break
            await self._rotated.wait()
            await asyncio.sleep(_REST)

    async def _until_too_large(self) -> None:
        """Or until what was refused is tried again: a flood rings all the time."""
        now = time.monotonic()
        again = [one.until - now for one in self._refused.values() if one.until > now]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min([_LOOK_AT_AGE_EVERY, *again])):
                await self._too_large.wait()

    async def _rotate(self, name: str, path: Path) -> None:
        tree = self._crew.tree_of(name)
        done = await capture.rotate(path, tree, self._drain, self._begin_anew)
        if done is None:
            self._refuse(name)
            return
        self._refused.pop(name, None)
        facts = (("size", sized(done.bytes)), ("paused", f"{done.paused * 1000:.1f}"))
        self._tell(Told("log_rotated", name, facts=facts))

    def _refuse(self, name: str) -> None:
        """Soon again, for a busy machine is not busy for ever, and then less often; told once."""
        if name not in self._refused:
            self._tell(Told("log_not_rotated", name, Severity.WARNING))
        wait = min(_LOOK_AT_AGE_EVERY, self._refused.get(name, _Refused()).wait * 2)
        self._refused[name] = _Refused(wait, time.monotonic() + wait)

    def _drain(self) -> None:
        """Read to the end of what there is, now, while nobody writes."""
        while turn := self._follower.poll(time.monotonic(), time.time()):
            self._take(turn)

    def _begin_anew(self, id: FileId) -> None:
        self._follower.begin_anew(id)
        self._classifier.begins_anew(id)
        self._save()


def _names_of(config: Config) -> dict[str, str]:
    """Whose log stands where; asked for each chunk."""
    return {str(config.log_of(name)): name for name in config.children}
