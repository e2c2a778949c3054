"""What is tried for which trouble, rung by rung; a rule's own ladder goes before its category's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

from tenacity import RetryCallState, wait_exponential

from monitor.model import Category
from monitor.settings import Seconds, setting


@dataclass(frozen=True, slots=True)
class Rung:
    """One strategy, tried so often with these waits before each attempt, then the next rung."""

    do: str = setting("alert_only", "the strategy")
    attempts: int = setting(1, "how often it is tried before the next rung")
    delay: Seconds = setting(0.0, "wait before the first attempt; doubles each time")
    max_delay: Seconds = setting(60.0, "longest wait between two attempts")

    def wait_before(self, attempt: int) -> float:
        """Seconds before that attempt (the first is 1)."""
        state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
        state.attempt_number = attempt
        return float(wait_exponential(multiplier=self.delay, max=self.max_delay)(state))


Ladder = tuple[Rung, ...]

_RESUME = Rung("resume_job", attempts=3, delay=1.0)

DEFAULTS: Mapping[Category, Ladder] = {
    Category.TIMEOUT: (_RESUME, Rung("restart_child")),
    Category.PERMISSION: (Rung("take_ownership"),),
    Category.MISSING_PATH: (Rung("make_directory"),),
    Category.CORRUPT_FILE: (Rung("quarantine", attempts=2),),
    Category.DISK_FULL: (Rung("free_disk", attempts=3, delay=2.0),),
    Category.SERVER_DOWN: (Rung("probe_server", attempts=3, delay=10.0, max_delay=10.0),),
    Category.RATE_LIMIT: (Rung("wait_out", attempts=2),),
    Category.RECIPIENT_GONE: (Rung("note"),),
    Category.FILE_TOO_BIG: (Rung("note"),),
    Category.AUTH: (Rung("stop_child"),),
    Category.CONFLICT: (Rung("end_stray_poller"), Rung("restart_child")),
    Category.OUT_OF_MEMORY: (Rung("restart_child"),),
    Category.TOO_MANY_FILES: (Rung("raise_limits"),),
    Category.DATABASE: (_RESUME,),
    Category.HANG: (Rung("restart_child"),),
}


def ladder_for(rule: str, category: Category, chosen: Mapping[str, Ladder]) -> Ladder:
    """The rungs for this trouble; none means that it is only told."""
    for key in (rule, category.value):
        if key in chosen:
            return tuple(takewhile(lambda rung: rung.do != "alert_only", chosen[key]))
    return DEFAULTS.get(category, ())
