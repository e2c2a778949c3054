"""The tokens and ids in `.env`: well formed, not used twice; asked of Telegram by `online.py`."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from monitor.config import OWN_KEYS, PIPELINE_KEYS, SCRIPT_KEYS, WITHHELD, Config
from monitor.preflight.finding import Finding, Standing, off, warning, wrong

TOKENS = ("TELEGRAM_TOKEN", "MONITOR_TELEGRAM_TOKEN")
KEYS = (*PIPELINE_KEYS, *WITHHELD, *SCRIPT_KEYS, *OWN_KEYS)
PATIENCE = 8.0
_TOKEN = re.compile(r"\d{6,12}:[A-Za-z0-9_-]{30,}")


def written(config: Config) -> Iterator[Finding]:
    """What can be told of them without asking anybody."""
    secrets = config.secrets
    for name in TOKENS:
        token = secrets.get(name, "")
        if not token:
            yield off(f"{name.lower()}_off")
        elif not _TOKEN.fullmatch(token):
            yield wrong("token_form", name=name)
    if secrets.get("TELEGRAM_TOKEN") and not secrets.get("ADMIN_ID"):
        yield warning("admin_off")
    for part in filter(None, secrets.get("ADMIN_ID", "").replace(" ", "").split(",")):
        if not re.fullmatch(r"-?\d{1,15}", part):
            yield wrong("admin_form", id=part)
    yield from _shared(secrets)
    yield from _misspelt(config.home / ".env")


def _shared(secrets: Mapping[str, str]) -> Iterator[Finding]:
    """Two that ask for the updates of one token take them from each other."""
    if secrets.get(TOKENS[0]) and secrets.get(TOKENS[0]) == secrets.get(TOKENS[1]):
        yield wrong("token_twice")
    for name in TOKENS:
        if strangers := _strangers_with(secrets.get(name, "")):
            yield warning("token_elsewhere", name=name, pids=" ".join(map(str, strangers)))


def _strangers_with(token: str) -> list[int]:
    """Processes that hold the token in their environment and are neither ours nor our parents'."""
    if not _TOKEN.fullmatch(token):
        return []
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if not process.name.isdigit() or int(process.name) in _line_of_parents():
                continue
            environ = (process / "environ").read_bytes()
            if token.encode() in environ and b"VIGIA_CHILD=" not in environ:
                found.append(int(process.name))
    return sorted(found)


def _line_of_parents() -> set[int]:
    line, pid = set(), os.getpid()
    while pid > 1 and pid not in line:
        line.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            break
    return line


def _misspelt(file: Path) -> Iterator[Finding]:
    """A key that is almost one of ours is read by nobody."""
    try:
        lines = file.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines, 1):
        name = line.partition("=")[0].removeprefix("export ").strip()
        if "=" not in line or name in KEYS or line.lstrip().startswith("#"):
            continue
        if close := difflib.get_close_matches(name.upper(), KEYS, 1, 0.85):
            yield warning("key_misspelt", path=file, line=number, name=name, meant=close[0])


def asked(config: Config) -> Iterator[Finding]:
    """What Telegram, or the local Bot API server, says of them; in a process of its own for TLS."""
    secrets = config.secrets
    tokens = {name: t for name in TOKENS if _TOKEN.fullmatch(t := secrets.get(name, ""))}
    if not tokens and not config.bot_api:
        return
    question = {
        "server": config.bot_api or "https://api.telegram.org",
        "local": bool(config.bot_api),
        "tokens": tokens,
        "admins": [a for a in secrets.get("ADMIN_ID", "").replace(" ", "").split(",") if a],
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "monitor.preflight.online"],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        answers = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        yield warning("nobody_asked", server=question["server"])
        return
    for standing, kind, facts in answers:
        yield Finding(Standing(standing), kind, tuple(facts.items()))
