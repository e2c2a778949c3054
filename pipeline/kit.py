"""What every step works with, and how work is parked when the process is told to stop."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.ai.port import Captioner
from pipeline.bot_api import BotApi
from pipeline.config import Settings
from pipeline.pulse import Pulse
from pipeline.store.base import Store
from pipeline.store.modelos import Profiles

__all__ = ["Gate", "Kit", "Profiles"]


class Gate:
    """Counts the jobs at work; once it is closed, each stops for good at its next safe point.

    What is parked was recorded up to there; ending the process then repeats nothing but the piece
    that had begun, and every piece may be repeated.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._active: set[str] = set()
        self._parked: set[str] = set()
        self._pieces = 0
        self._closed = False
        self._mine = threading.local()  # what this thread is at work on

    @property
    def active(self) -> frozenset[str]:
        with self._changed:
            return frozenset(self._active)

    @contextlib.contextmanager
    def at_work(self, name: str = "") -> Iterator[None]:
        """One at a time of each name: a job that is begun again waits for itself to end."""
        with self._changed:
            self._pieces += 1
            name = name or f"piece {self._pieces}"
            self._changed.wait_for(lambda: name not in self._active)
            self._active.add(name)
        self._mine.name = name
        try:
            yield
        finally:
            self._mine.name = ""
            with self._changed:
                self._active.discard(name)
                self._changed.notify_all()

    def pass_through(self) -> None:
        """Returns while the gate is open; never again once it is closed."""
        if not self._closed:
            return
        with self._changed:
            if name := getattr(self._mine, "name", ""):
                self._parked.add(name)
            self._changed.notify_all()
        threading.Event().wait()

    def close(self, within: float) -> int:
        """How many jobs did not come to a safe point in time."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._active <= self._parked, within)
            return len(self._active - self._parked)


@dataclass(frozen=True, slots=True)
class Kit:
    settings: Settings
    store: Store
    executor: str
    profiles: Profiles
    captioner: Captioner
    api: BotApi | None = None  # without a token there is none
    pulse: Pulse = field(default_factory=Pulse)
    gate: Gate = field(default_factory=Gate)
    nudge: Callable[[], None] = lambda: None  # something is due to be posted
    progress: Callable[[str, float], None] = lambda step, share: None  # noqa: ARG005 -- nobody listens

    def shown(self, path: str | Path | None) -> str | None:
        """A path as lines name it: relative to the home, as the roots of the monitor are."""
        if not path:
            return None
        try:
            return str(Path(path).relative_to(self.settings.home))
        except ValueError:
            return str(path)

    def still_alive(self) -> None:
        """Called again and again in the middle of long work: it is alive, and may be parked here."""
        self.gate.pass_through()
        self.pulse.beat("jobs")
