"""What can be set, as one frozen value read from `vigia.toml` and `.env`; all has a default."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from dotenv import dotenv_values

from monitor.home import data_folder
from monitor.options import Alerts, Child, Disk, Repair, Rung, Server
from monitor.settings import (
    Fault,
    SettingsError,
    Source,
    read,
    setting,
)
from monitor.texts import language

# Read by the monitor alone, or sent on to a child only when its section asks for them by name.
WITHHELD = ("MONITOR_TELEGRAM_TOKEN", "TELEGRAM_TOKEN")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_OURS = ("monitor", "control")  # logs/monitor.log and control.sock are not a child's
# What the pipeline that ships with us is given.
PIPELINE_KEYS = (
    "TELEGRAM_TOKEN",
    "ADMIN_ID",
    "USE_LOCAL_BOT_API",
    "TELEGRAM_BOT_API_LOCAL_URL",
    "TELEGRAM_BOT_API_FILES",
    "DATABASE_URL",
    "AI_PROVIDER",
    "AI_API_KEY",
)
OWN_KEYS = ("VIGIA_LANG",)  # of the monitor itself, and no secret
SCRIPT_KEYS = ("API_ID", "API_HASH")  # read by scripts/start_local_bot_api.sh alone

_YES = ("1", "true", "yes", "on", "si", "sí")
BOT_API = "http://127.0.0.1:8081"  # where a local Bot API server listens by default


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set, and where home is."""

    home: Path = Path()
    children: Mapping[str, Child] = setting(MappingProxyType({}), "the programs kept running")
    follow: tuple[str, ...] = setting(
        (), "further logs to follow, as paths or globs relative to the home"
    )
    lang: Literal["auto", "es", "en"] = setting(
        "auto", "the language of messages to people and of commands"
    )
    rules: tuple[str, ...] = setting(
        ("rules.d",), "folders with rules of your own, relative to the home"
    )
    roots: tuple[str, ...] = setting(
        ("modelos", "data", "logs"), "folders in which repairs may touch files"
    )
    metrics: str = setting(
        "", "address of this machine for GET /metrics and /healthz, like `127.0.0.1:9464`"
    )
    repair: Repair = setting(Repair(), "how repairs are made, and how many at most")
    disk: Disk = setting(Disk(), "how much room there shall be")
    servers: Mapping[str, Server] = setting(
        MappingProxyType({}), "servers that we may start again, by `host:port`"
    )
    alerts: Alerts = setting(Alerts(), "who is told of what, and when")
    ladders: Mapping[str, tuple[Rung, ...]] = setting(
        MappingProxyType({}), "what is tried, by category or by the name of a rule"
    )
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def data(self) -> Path:
        """Where the monitor keeps what it must remember."""
        return data_folder(self.home)

    @property
    def bot_api(self) -> str | None:
        """The local Bot API server's address, when one is used."""
        if self.secrets.get("USE_LOCAL_BOT_API", "").strip().lower() not in _YES:
            return None
        return self.secrets.get("TELEGRAM_BOT_API_LOCAL_URL", "").strip() or BOT_API

    def log_of(self, name: str) -> Path:
        return self.home / (self.children[name].log.file or f"logs/{name}.log")


def load(
    home: Path,
    environ: Mapping[str, str],
    command: tuple[str, ...] = (),
    *,
    no_child: bool = False,
    follow: tuple[str, ...] = (),
) -> Config:
    """Read the home's settings; raises SettingsError with all that is wrong."""
    source, table = _parse(home / "vigia.toml")
    given = _children_table(table, source)
    config = read(Config, {k: v for k, v in table.items() if k != "children"}, source)
    children = {name: _child(name, raw, source) for name, raw in given.items()}
    if command or not children:
        children = {"pipeline": _the_one(command)}
    if no_child:
        children = {}
    _check_children(children, source)
    if config.metrics and not _is_local(config.metrics):
        source.fault(
            ("metrics",), "metrics: must be a loopback address with a port: 127.0.0.1:9464"
        )
    if source.faults:
        raise SettingsError(tuple(source.faults))
    secrets = _secrets(home / ".env", environ)
    return replace(
        config,
        home=home,
        lang=language(config.lang, {**environ, **secrets}),
        children=MappingProxyType(children),
        follow=config.follow + follow,
        secrets=MappingProxyType(secrets),
    )


def _parse(file: Path) -> tuple[Source, dict[str, Any]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return Source(str(file), text), tomllib.loads(text)
    except FileNotFoundError:
        return Source(str(file), ""), {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((Fault(str(file), None, f"cannot be read: {error}"),)) from None
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits
        raise SettingsError((Fault(str(file), None, f"is not TOML: {error}"),)) from None


def _children_table(table: dict[str, Any], source: Source) -> dict[str, Any]:
    children = table.get("children", {})
    if not isinstance(children, dict):
        source.fault(("children",), "children are tables: [children.NAME] with a command")
        return {}
    for name, raw in children.items():
        if not isinstance(raw, dict):
            source.fault(("children", name), f"children.{name} must be a table with a command")
    return {name: raw for name, raw in children.items() if isinstance(raw, dict)}


def _child(name: str, raw: dict[str, Any], source: Source) -> Child:
    path = ("children", name)
    if isinstance(raw.get("command"), str):
        raw = {**raw, "command": _split(raw["command"], source, path)}
    child = read(Child, raw, source, path)
    if raw.get("command") and not child.command:
        child = replace(child, command=("?",))  # one fault is enough
    if name == "pipeline" and not child.command:
        shipped = _the_one(())
        child = replace(child, command=shipped.command, pass_env=child.pass_env or PIPELINE_KEYS)
    return child


def _split(command: str, source: Source, path: tuple[str, ...]) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        source.fault((*path, "command"), f"children.{path[1]}.command: {str(error).lower()}")
        return ["?"]


def _the_one(command: tuple[str, ...]) -> Child:
    """The only child of a home without a file: the one on the command line, or the pipeline."""
    if command:
        return Child(command=command)
    return Child(command=(sys.executable, "-m", "pipeline"), pass_env=PIPELINE_KEYS)


def _is_local(address: str) -> bool:
    """What stands there tells how we are doing: other machines come through a proxy that asks who."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(ValueError):
        local = host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
        return local and 0 <= int(port) < 65536
    return False


def _check_children(children: Mapping[str, Child], source: Source) -> None:
    logs = {"logs/monitor.log": "the monitor"}
    for name, child in children.items():
        for key, what in (*_faults_of(name, child), *_faults_of_order(name, children)):
            source.fault(("children", name, *key), what)
        log = os.path.normpath(child.log.file or f"logs/{name}.log")
        if (other := logs.setdefault(log, name)) != name:
            what = f"children.{name} would write into {log}, the log of {other}"
            source.fault(("children", name, "log", "file"), what)


def _faults_of(name: str, child: Child) -> Iterator[tuple[tuple[str, ...], str]]:
    """What the kind of a value does not rule out: the key below the child, and the sentence."""
    here = f"children.{name}"
    if not _NAME.fullmatch(name):
        yield (), f"{name!r} is not a name for a child: letters, digits, - and _, at most 64"
    if name in _OURS:
        yield (), f"{name!r} is no name for a child: the monitor's own files have it"
    if not child.command or not child.command[0]:
        yield ("command",), f"{here} has no command"
    if not -20 <= child.nice <= 19:
        yield ("nice",), f"{here}.nice: must be -20 to 19"
    if child.restart.limit < 1:
        yield ("restart", "limit"), f"{here}.restart.limit: must be >= 1"
    if child.restart.stable <= 0:
        yield ("restart", "stable"), f"{here}.restart.stable: must be > 0: else no end counts"
    if child.health.every <= 0:
        yield ("health", "every"), f"{here}.health.every: must be > 0"


def _faults_of_order(
    name: str, children: Mapping[str, Child]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for other in children[name].after:
        if other not in children:
            yield ("after",), f"children.{name}.after names {other!r}: no child"
    if _waits_for_itself(name, children):
        yield ("after",), f"children.{name}.after leads back to itself"


def _waits_for_itself(name: str, children: Mapping[str, Child]) -> bool:
    seen: set[str] = set()
    todo = list(children[name].after)
    while todo:
        other = todo.pop()
        if other == name:
            return True
        if other in children and other not in seen:
            seen.add(other)
            todo.extend(children[other].after)
    return False


def in_order(children: Mapping[str, Child]) -> tuple[str, ...]:
    """Names so that each stands after those it waits for."""
    order: list[str] = []

    def add(name: str) -> None:
        for other in children[name].after:
            if other not in order:
                add(other)
        if name not in order:
            order.append(name)

    for name in children:
        add(name)
    return tuple(order)


def _secrets(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """`.env` under the real environment: what is exported wins over what is written down."""
    try:
        written = dotenv_values(file, encoding="utf-8-sig") if file.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((Fault(str(file), None, f"cannot be read: {error}"),)) from None
    values = {k: v for k, v in written.items() if v}
    return values | {
        k: v for k, v in environ.items() if k in values or k in PIPELINE_KEYS + WITHHELD
    }


def child_environment(
    name: str, child: Child, config: Config, environ: Mapping[str, str]
) -> dict[str, str]:
    """The variables of a child: inherited by pattern, then given by name, then its own."""
    from_systemd = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS")
    withheld = {*WITHHELD, *from_systemd, "LISTEN_FDNAMES", "VIGIA_CHILD", "VIGIA_CONTROL"}
    inherited = {k: v for k, v in environ.items() if k not in withheld and _fits(k, child)}
    known = {**environ, **config.secrets}
    given = {k: known[k] for k in child.pass_env if k in known}
    own = {
        "PYTHONUNBUFFERED": "1",
        "VIGIA_HOME": str(config.home),
        "VIGIA_CHILD": f"{config.home}:{name}",
    }
    return inherited | own | given | dict(child.env)


def withheld_from(child: Child, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Tokens in our environment that the child would have inherited and is not given."""
    return tuple(k for k in WITHHELD[1:] if k in environ and k not in child.pass_env)


def _fits(name: str, child: Child) -> bool:
    return any(
        name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1]))
        for pattern in child.inherit_env
    )
