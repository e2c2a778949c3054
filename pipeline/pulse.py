"""When each part last finished something; liveness is the age of the one that is latest."""

from __future__ import annotations

import threading
import time


class Pulse:
    """Parts beat from any thread. A part that was never heard of is not waited for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def beat(self, part: str) -> None:
        with self._lock:
            self._last[part] = time.monotonic()

    def rest(self, part: str) -> None:
        """It has nothing to do now, or ended; nobody waits for it."""
        with self._lock:
            self._last.pop(part, None)

    def age(self) -> float:
        """Of the part that has been silent for longest."""
        return max(self.ages().values(), default=0.0)

    def ages(self) -> dict[str, float]:
        now = time.monotonic()
        with self._lock:
            return {part: now - last for part, last in self._last.items()}
