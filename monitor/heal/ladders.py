"""What is tried for which trouble, rung by rung; a rule's own ladder goes before its category's."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

from tenacity import RetryCallState, wait_exponential

from monitor.model import Category
from monitor.options import Rung

Ladder = tuple[Rung, ...]


def wait_before(rung: Rung, attempt: int) -> float:
    """Seconds before that attempt on a rung; the first is 1."""
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    state.attempt_number = attempt
    return float(wait_exponential(multiplier=rung.delay, max=rung.max_delay)(state))


_RESUME = Rung("resume_job", attempts=3, delay=1.0)

DEFAULTS: Mapping[Category, Ladder] = {
    Category.TIMEOUT: (_RESUME, Rung("restart_child")),
    Category.PERMISSION: (Rung("take_ownership"),),
    Category.MISSING_PATH: (Rung("make_directory"),),
    Category.CORRUPT_FILE: (Rung("quarantine", attempts=2),),
    Category.DISK_FULL: (
        Rung("free_disk", attempts=3, delay=2.0),
        Rung("free_disk", attempts=3, delay=60.0, max_delay=240.0),
    ),
    Category.SERVER_DOWN: (
        Rung("probe_server", attempts=3, delay=10.0, max_delay=10.0),
        Rung("restart_server"),
    ),
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

# What a person should know and nobody of ours can mend; a poll that is refused waits by itself.
ONLY_TOLD = ("vigia.disk_low", "vigia.disk_silent", "vigia.post_unknown", "vigia.poll_unauthorized")


def ladder_for(rule: str, category: Category, chosen: Mapping[str, Ladder]) -> Ladder:
    """The rungs for this trouble; none means that it is only told."""
    for key in (rule,) if rule in ONLY_TOLD else (rule, category.value):
        if key in chosen:
            return tuple(takewhile(lambda rung: rung.do != "alert_only", chosen[key]))
    return () if rule in ONLY_TOLD else DEFAULTS.get(category, ())
