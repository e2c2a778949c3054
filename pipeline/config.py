"""What can be set: the environment and `.env` name secrets and servers, `pipeline.toml` the rest."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from pipeline.model import SettingsError

CLOUD = "https://api.telegram.org"


PROVIDERS = ("google", "openai", "ollama")


@dataclass(frozen=True, slots=True)
class AiModel:
    """One model at one provider, `google:gemini-2.5-flash` or `openai:llava@http://…/v1`."""

    provider: str
    name: str
    url: str = ""
    key: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        return f"{self.provider}:{self.name}"


@dataclass(frozen=True, slots=True)
class Settings:
    """One value that holds all of it; nothing else reads the environment."""

    home: Path
    token: str = field(default="", repr=False)
    admins: frozenset[int] = frozenset()
    api: str = CLOUD  # the Bot API server
    local_api: bool = False
    api_files: tuple[tuple[str, str], ...] = ()  # its folders, as it and as we see them
    database_url: str = field(default="", repr=False)
    ai: tuple[AiModel, ...] = ()  # asked in this order

    # pipeline.toml
    workers: int = 4  # jobs at the same time
    # workers / poll is the most jobs a second
    poll: float = 0.25  # seconds between looks at the queue
    look_every: float = 60.0  # how often the poster looks for what is due
    step_limit: float = 600.0  # the longest that one answer of a server or one check may take
    caption_limit: float = 60.0
    retry_first: float = 5.0  # the world failed: wait this, then twice as long each time
    retry_most: float = 600.0
    retry_ours: float = 60.0  # ours to repair: also tried by ourselves, ever less often
    give_up_after: float = 172800.0  # a job that failed for this long is left failed
    settle: float = 2.0  # a dropped file must stay as it is for this long
    batch_window: float = 12.5  # seconds after the last message until a batch is closed
    batch_longest: float = 60.0
    batch_most: int = 10
    progress_every: float = 10.0  # seconds, at least, between two edits in one chat
    keep_jobs: float = 2592000.0  # how long finished jobs are remembered
    memory: int = 0  # MB of RSS after which it ends with 75 between jobs; 0 never
    dead_after: float = (
        120.0  # a worker that says nothing for this long is gone; others do its jobs
    )
    stop_within: float = 8.0  # seconds for what runs to finish when it is told to stop

    @property
    def modelos(self) -> Path:
        return self.home / "modelos"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def store_url(self) -> str:
        """For SQLAlchemy: PostgreSQL with the driver that is installed, else a file in `data/`."""
        if self.database_url:
            return "postgresql+psycopg://" + self.database_url.split("://", 1)[1]
        return f"sqlite:///{self.data / 'pipeline.sqlite'}"

    @property
    def jobs_url(self) -> str:
        """For DBOS, which keeps its tables in a schema of its own, or in a file of its own."""
        if self.database_url:
            return "postgresql://" + self.database_url.split("://", 1)[1]
        return f"sqlite:///{self.data / 'jobs.sqlite'}"


_FROM_FILE = (
    *("workers", "poll", "look_every", "step_limit", "caption_limit", "retry_first", "retry_most"),
    *("retry_ours", "give_up_after", "settle", "batch_window", "batch_longest", "batch_most"),
    *("progress_every", "keep_jobs", "memory", "dead_after", "stop_within"),
)


def read_settings(home: Path, environ: Mapping[str, str]) -> Settings:
    """All of it, or a SettingsError with everything that is wrong."""
    faults: list[str] = []
    environ = known(home, environ)
    given: dict[str, Any] = {"home": Path(os.path.abspath(home))}
    given |= _from_environment(environ, faults) | _from_file(home / "pipeline.toml", faults)
    if faults:
        raise SettingsError(tuple(faults))
    return Settings(**given)


def known(home: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """What is exported, over the home's `.env`; a monitor has already chosen for its child."""
    file = home / ".env"
    if "VIGIA_CHILD" in environ or not file.is_file():
        return environ
    try:
        written = dotenv_values(file, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError((f"{file} cannot be read: {error}",)) from None
    return {k: v for k, v in written.items() if v} | dict(environ)


def _from_environment(environ: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {
        "token": environ.get("TELEGRAM_TOKEN", "").strip(),
    }
    if given["token"] and not re.fullmatch(r"\d{1,18}:\S+", given["token"]):
        faults.append("TELEGRAM_TOKEN must be like 123456789:AA…, as @BotFather gives it")
    admins = environ.get("ADMIN_ID", "").replace(",", " ").split()
    if wrong := [word for word in admins if not word.lstrip("-").isdigit()]:
        faults.append(f"ADMIN_ID must be numbers separated by commas, not {wrong[0]!r}")
    else:
        given["admins"] = frozenset(map(int, admins))
    if environ.get("USE_LOCAL_BOT_API", "").strip().lower() in {
        "1",
        "true",
        "yes",
        "on",
        "si",
        "sí",
    }:
        given["local_api"] = True
        api = environ.get("TELEGRAM_BOT_API_LOCAL_URL", "").strip() or "http://127.0.0.1:8081"
        given["api"] = api.rstrip("/")
        if not api.startswith(("http://", "https://")):
            faults.append(f"TELEGRAM_BOT_API_LOCAL_URL must begin with http://, not {api!r}")
    given["ai"] = _models(environ.get("AI_PROVIDER", ""), environ.get("AI_API_KEY", ""), faults)
    given["api_files"] = _pairs(environ.get("TELEGRAM_BOT_API_FILES", ""), faults)
    url = environ.get("DATABASE_URL", "").strip()
    if url and not url.startswith(("postgres://", "postgresql://", "postgresql+psycopg://")):
        faults.append("DATABASE_URL must begin with postgresql://; leave it empty for SQLite")
    given["database_url"] = url
    return given


def _models(text: str, keys: str, faults: list[str]) -> tuple[AiModel, ...]:
    """Several separated by commas, and as many keys; the last key is also that of the rest."""
    known, found = [key.strip() for key in keys.split(",")], []
    for number, word in enumerate(filter(None, (word.strip() for word in text.split(",")))):
        provider, _, rest = word.partition(":")
        name, _, url = rest.partition("@")
        if provider not in PROVIDERS or not name:
            ways = " | ".join(f"{one}:MODEL" for one in PROVIDERS)
            faults.append(f"AI_PROVIDER must be {ways}, perhaps with @URL, not {word!r}")
            continue
        found.append(AiModel(provider, name, url, known[min(number, len(known) - 1)]))
    return tuple(found)


def _pairs(text: str, faults: list[str]) -> tuple[tuple[str, str], ...]:
    """`/var/lib/telegram-bot-api=/srv/botapi,…`: how the server names a folder, and how we do."""
    pairs = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        theirs, _, ours = word.partition("=")
        if not theirs.startswith("/") or not ours.startswith("/"):
            faults.append(f"TELEGRAM_BOT_API_FILES must be /THEIRS=/OURS, not {word!r}")
            continue
        pairs.append((theirs.rstrip("/"), ours.rstrip("/")))
    return tuple(pairs)


def _from_file(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        faults.append(f"{path.name}: {error}")
        return {}
    kinds = {f.name: f.type for f in fields(Settings)}
    given = {}
    for key, value in raw.items():
        if wrong := _wrong(key, value, whole=kinds.get(key) == "int"):
            faults.append(f"{path.name}: {key}: {wrong}")
        else:
            given[key] = value
    return given


def _wrong(key: str, value: Any, *, whole: bool) -> str:
    """What a key of the file must be, when it is not so."""
    if key not in _FROM_FILE:
        return f"is not known; known are {', '.join(_FROM_FILE)}"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        return "must be a whole number" if whole else "must be a number"
    if value < 0 or (value == 0 and key != "memory"):
        return "must be more than 0"
    return ""
