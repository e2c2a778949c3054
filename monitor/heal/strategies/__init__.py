"""All strategies, one way to help per file; a name that stands twice fails at import."""

from __future__ import annotations

from monitor.heal.strategies import (
    end_stray_poller,
    free_disk,
    make_directory,
    note,
    probe_server,
    quarantine,
    raise_limits,
    restart_child,
    restart_server,
    resume_job,
    stop_child,
    take_ownership,
    wait_out,
)
from monitor.heal.strategy import Strategy

ALL: tuple[Strategy, ...] = (
    end_stray_poller.STRATEGY,
    free_disk.STRATEGY,
    make_directory.STRATEGY,
    note.STRATEGY,
    probe_server.STRATEGY,
    quarantine.STRATEGY,
    raise_limits.STRATEGY,
    restart_child.STRATEGY,
    restart_server.STRATEGY,
    resume_job.STRATEGY,
    stop_child.STRATEGY,
    take_ownership.STRATEGY,
    wait_out.STRATEGY,
)

BY_NAME = {strategy.name: strategy for strategy in ALL}
if len(BY_NAME) != len(ALL):
    raise ImportError("two strategies have one name")

NAMES = frozenset(BY_NAME) | {"alert_only"}
