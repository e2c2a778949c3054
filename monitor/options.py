"""What can be set: each setting with its default and its line of documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from monitor.settings import Bytes, Mode, Seconds, setting


@dataclass(frozen=True, slots=True)
class Rung:
    """One strategy, tried so often with these waits before each attempt, then the next rung."""

    do: str = setting("alert_only", "the strategy")
    attempts: int = setting(1, "how often it is tried before the next rung")
    delay: Seconds = setting(0.0, "wait before the first attempt; doubles each time")
    max_delay: Seconds = setting(60.0, "longest wait between two attempts")
    dry_run: bool = setting(False, "decide and record that it would be done, but do not do it")


@dataclass(frozen=True, slots=True)
class Repair:
    quiet: Seconds = setting(10.0, "how long it must stay well before an incident is resolved")
    again: Seconds = setting(
        600.0, "a resolved trouble that comes back within this time is the same incident"
    )
    oldest: Seconds = setting(300.0, "lines older than this are recorded but nothing is done")
    per_target: int = setting(6, "most actions an hour on one target by one strategy")
    restarts: int = setting(3, "most restarts an hour that log lines can bring about")
    actions: int = setting(60, "most actions an hour, all together")
    storm: int = setting(20, "this many new incidents within `storm_within` and no hand is moved")
    storm_within: Seconds = setting(60.0, "the window in which a storm is counted")
    dry_run: bool = setting(False, "decide and record, but do nothing")
    dry_run_for: tuple[str, ...] = setting(
        (), "the same for these rules and categories alone, by name"
    )


@dataclass(frozen=True, slots=True)
class Restart:
    policy: Literal["always", "on-failure", "never"] = setting(
        "always", "when an ended child is started again"
    )
    delay: Seconds = setting(1.0, "first wait before a restart; doubles each time")
    max_delay: Seconds = setting(60.0, "longest wait before a restart")
    stable: Seconds = setting(600.0, "a run of this length forgives the earlier ends")
    limit: int = setting(5, "this many ends within `period` open the breaker")
    period: Seconds = setting(600.0, "the window in which ends are counted")
    probe_delay: Seconds = setting(
        300.0, "wait of an open breaker before one probe run; doubles up to an hour"
    )
    give_up: Literal["probe", "exit"] = setting(
        "probe", "an open breaker tries again by itself, or gives the child up for good"
    )


@dataclass(frozen=True, slots=True)
class Stop:
    signal: Literal["TERM", "INT", "QUIT", "HUP", "USR1", "USR2"] = setting(
        "TERM", "the signal that asks the child to stop"
    )
    timeout: Seconds = setting(10.0, "how long it may take before it is killed")
    orphans: Literal["end", "wait"] = setting(
        "end", "what to do with a copy that an earlier, killed monitor left running"
    )


@dataclass(frozen=True, slots=True)
class Log:
    file: str = setting("", "the log file, relative to the home; `logs/NAME.log` by default")
    size: Bytes = setting(50 << 20, "rotate when the log is larger than this; 0 never")
    age: Seconds = setting(7 * 86400.0, "rotate when the log is older than this; 0 never")
    keep: int = setting(10, "how many rotated logs are kept")
    total: Bytes = setting(500 << 20, "all rotated logs together; the oldest go first")


@dataclass(frozen=True, slots=True)
class Health:
    every: Seconds = setting(30.0, "how often liveness is asked for and memory measured")
    hang_after: Seconds = setting(
        300.0, "restart when the last finished work is older than this (GET /health); 0 never"
    )
    silence: Seconds = setting(0.0, "restart when the log is silent for this long; 0 never")
    heartbeat: str = setting("", "a file the child touches; its age counts like `hang_after`")
    memory: Bytes = setting(0, "restart when the whole process tree uses more than this; 0 never")
    memory_rest: Seconds = setting(600.0, "least time between two restarts for memory")


@dataclass(frozen=True, slots=True)
class Disk:
    warn: Bytes = setting(
        5 << 30, "tell it once when less is free, or less than a quarter of the disk; 0 never"
    )
    critical: Bytes = setting(
        2 << 30, "hold the intake and free what is ours below this, or a tenth of the disk; 0 never"
    )
    target: Bytes = setting(
        5 << 30, "free what is ours until so much is free, or a quarter of the disk"
    )
    every: Seconds = setting(30.0, "how often disks and the local Bot API server are looked at")


@dataclass(frozen=True, slots=True)
class Server:
    restart: tuple[str, ...] = setting(
        (), "a command that starts it again when it does not answer; no shell reads it"
    )


@dataclass(frozen=True, slots=True)
class Alerts:
    least: Literal["info", "warning", "critical"] = setting(
        "warning", "what is less than this stands in the daily digest only"
    )
    group: Seconds = setting(30.0, "what comes up within this time is told in one message")
    edit_every: Seconds = setting(15.0, "least time between two changes of one message")
    escalate: Seconds = setting(
        1800.0, "a warning that lasts this long is told once with a sound; 0 never"
    )
    repeat: Seconds = setting(
        4 * 3600.0, "what is open and nobody acknowledged is told again; 0 never"
    )
    quiet: str = setting("", "hours in which only critical alerts are sent, like `23:00-07:00`")
    zone: str = setting("", "the IANA zone of all hours here; the machine's own by default")
    digest: str = setting("09:00", "when the daily digest is sent; empty never")
    expire: Seconds = setting(
        6 * 3600.0, "what ended longer ago than this before it could be told goes into the digest"
    )
    webhook: str = setting("", "a URL that is sent the same as JSON, as Alertmanager would")
    apprise: tuple[str, ...] = setting((), "Apprise URLs that are sent the same as text")


@dataclass(frozen=True, slots=True)
class Child:
    """One program that is kept running."""

    command: tuple[str, ...] = setting((), "program and arguments; no shell reads it")
    directory: str = setting("", "its working directory, relative to the home; the home by default")
    env: Mapping[str, str] = setting(MappingProxyType({}), "variables added to its environment")
    inherit_env: tuple[str, ...] = setting(
        ("*",), "patterns of the variables it inherits from the monitor's environment"
    )
    pass_env: tuple[str, ...] = setting(
        (), "variables it is given from `.env`, tokens included, by name"
    )
    user: str = setting("", "run it as this user; it is not started when that fails")
    group: str = setting("", "run it with this group; the user's own by default")
    umask: Mode | None = setting(None, "its umask; the monitor's own by default")
    retry: tuple[str, ...] = setting(
        (), "a command that does a failed job again, {job} put in; when it serves no socket"
    )
    nice: int = setting(0, "its priority, -20 to 19")
    after: tuple[str, ...] = setting((), "children that must be running before this one")
    autostart: bool = setting(True, "start it with the monitor")
    restart: Restart = setting(Restart(), "when and how it is started again")
    stop: Stop = setting(Stop(), "how it is stopped")
    log: Log = setting(Log(), "where its output goes")
    health: Health = setting(Health(), "how it is told that it still makes progress")
