"""Is all there that the pipeline needs? Rows for `vigia check`; nothing is changed by looking."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from pipeline.ai.choose import captioner
from pipeline.checks import ffmpeg
from pipeline.config import Settings, read_settings
from pipeline.events import redacted, said
from pipeline.model import SettingsError
from pipeline.profiles import read_profiles
from pipeline.store.base import MIGRATIONS, Store
from pipeline.texts import told

_PATIENCE = 2.0  # seconds for a database server to take a connection

Row = dict[str, str]


def look(home: Path, environ: Mapping[str, str], language: str) -> list[Row]:
    """Each thing in turn; wrong settings are all that is looked at then."""
    return [row | {"says": told(row["says"], language)} for row in _looks(home, environ)]


def _looks(home: Path, environ: Mapping[str, str]) -> Iterator[Row]:
    try:
        settings = read_settings(home, environ)
    except SettingsError as error:
        for fault in error.faults:
            yield _row("wrong", fault, "pipeline.toml, .env")
        return
    yield from _database(settings)
    yield from _captions(settings)
    yield from _files(settings)
    yield from _modelos(settings)


def _database(settings: Settings) -> Iterator[Row]:
    if not settings.database_url and not (settings.data / "pipeline.sqlite").exists():
        yield _row("ready", "database: made at the first start")
        return
    if settings.database_url and (why := _unreachable(settings.database_url)):
        yield _row("wrong", f"database: {why}", "DATABASE_URL; systemctl status postgresql")
        return
    store = Store(settings.store_url)
    try:
        with store.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        why = redacted(said(error))[:200]
        yield _row("wrong", f"database: {why}", "DATABASE_URL")
        return
    finally:
        store.close()
    newest = _newest()
    if current == newest:
        yield _row("ready", "the database is up to date")
    elif current is None or current < newest:
        yield _row("ready", f"database: goes from {current} to {newest} at the next start")
    else:
        yield _row("wrong", f"a newer version wrote the database ({current})", "git pull")


def _unreachable(url: str) -> str:
    """Asked by hand first: a driver may wait for minutes."""
    where = urlsplit(url)
    if not where.hostname:
        return ""  # a socket of this machine
    try:
        socket.create_connection((where.hostname, where.port or 5432), _PATIENCE).close()
    except OSError as error:
        return f"{where.hostname}:{where.port or 5432}: {error}"
    return ""


def _newest() -> str:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _captions(settings: Settings) -> Iterator[Row]:
    try:
        captioner(settings)
    except SettingsError as error:
        for fault in error.faults:
            yield _row("wrong", fault, "pip install 'vigia[ai]'")
        return
    if settings.ai:
        yield _row("ready", "captions by an AI provider")
    else:
        yield _row("off", "plain captions, without AI", "AI_PROVIDER, AI_API_KEY (.env)")


def _files(settings: Settings) -> Iterator[Row]:
    if find_spec("av") is None and not ffmpeg.is_here():
        says = "no ffmpeg and no av: videos are checked by their header and for holes"
        yield _row("off", says, "pip install 'vigia[media]'")
    for _, ours in settings.api_files:
        if not Path(ours).is_dir():
            says = f"TELEGRAM_BOT_API_FILES: there is no {ours}"
            yield _row("wrong", says, "scripts/start_local_bot_api.sh")


def _modelos(settings: Settings) -> Iterator[Row]:
    found, wrong = read_profiles(settings.modelos)
    for error in wrong:
        why = said(error) if isinstance(error, OSError) else str(error)
        yield _row("warning", why, "docs/pipeline.md")
    if found:
        yield _row("ready", f"modelos: {', '.join(sorted(found))}")
    elif not wrong:
        yield _row("off", "there is no modelo yet", "mkdir -p modelos/ana  (docs/pipeline.md)")


def _row(standing: str, says: str, mend: str = "") -> Row:
    return {"standing": standing, "says": redacted(says), "mend": mend}
