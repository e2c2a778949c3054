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

_PATIENCE = 2.0  # seconds for a database server to take a connection

Row = dict[str, str]


def look(home: Path, environ: Mapping[str, str], language: str) -> list[Row]:
    """Each thing in turn; wrong settings are all that is looked at then."""
    try:
        settings = read_settings(home, environ)
    except SettingsError as error:
        return [
            _row("wrong", fault, fault, "pipeline.toml, .env", language) for fault in error.faults
        ]
    return [
        *_database(settings, language),
        *_captions(settings, language),
        *_files(settings, language),
        *_modelos(settings, language),
    ]


def _database(settings: Settings, language: str) -> Iterator[Row]:
    if not settings.database_url and not (settings.data / "pipeline.sqlite").exists():
        yield _row(
            "ready",
            "base de datos: se crea al arrancar",
            "database: made at the first start",
            "",
            language,
        )
        return
    if settings.database_url and (why := _unreachable(settings.database_url)):
        mend = "DATABASE_URL; systemctl status postgresql"
        yield _row("wrong", f"base de datos: {why}", f"database: {why}", mend, language)
        return
    store = Store(settings.store_url)
    try:
        with store.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        why = redacted(said(error))[:200]
        yield _row("wrong", f"base de datos: {why}", f"database: {why}", "DATABASE_URL", language)
        return
    finally:
        store.close()
    newest = _newest()
    if current == newest:
        yield _row("ready", "base de datos al día", "the database is up to date", "", language)
    elif current is None or current < newest:
        yield _row(
            "ready",
            f"base de datos: pasa de {current} a {newest} al arrancar",
            f"database: goes from {current} to {newest} at the next start",
            "",
            language,
        )
    else:
        yield _row(
            "wrong",
            f"una versión más nueva escribió la base de datos ({current})",
            f"a newer version wrote the database ({current})",
            "git pull",
            language,
        )


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


def _captions(settings: Settings, language: str) -> Iterator[Row]:
    try:
        captioner(settings)
    except SettingsError as error:
        for fault in error.faults:
            yield _row("wrong", fault, fault, "pip install 'vigia[ai]'", language)
        return
    if settings.ai:
        yield _row(
            "ready", "textos por un proveedor de IA", "captions by an AI provider", "", language
        )
    else:
        mend = "AI_PROVIDER, AI_API_KEY (.env)"
        yield _row("off", "textos sencillos, sin IA", "plain captions, without AI", mend, language)


def _files(settings: Settings, language: str) -> Iterator[Row]:
    if find_spec("av") is None and not ffmpeg.is_here():
        spanish = "sin ffmpeg ni av: los vídeos se comprueban por su cabecera y por huecos"
        english = "no ffmpeg and no av: videos are checked by their header and for holes"
        yield _row("off", spanish, english, "pip install 'vigia[media]'", language)
    for _, ours in settings.api_files:
        if not Path(ours).is_dir():
            spanish = f"TELEGRAM_BOT_API_FILES: no existe {ours}"
            english = f"TELEGRAM_BOT_API_FILES: there is no {ours}"
            yield _row("wrong", spanish, english, "scripts/start_local_bot_api.sh", language)


def _modelos(settings: Settings, language: str) -> Iterator[Row]:
    found, wrong = read_profiles(settings.modelos)
    for error in wrong:
        why = said(error) if isinstance(error, OSError) else str(error)
        yield _row("warning", why, why, "docs/pipeline.md", language)
    if found:
        names = ", ".join(sorted(found))
        yield _row("ready", f"modelos: {names}", f"modelos: {names}", "", language)
    elif not wrong:
        spanish, english = "aún no hay ningún modelo", "there is no modelo yet"
        yield _row("off", spanish, english, "mkdir -p modelos/ana  (docs/pipeline.md)", language)


def _row(standing: str, spanish: str, english: str, mend: str, language: str) -> Row:
    return {
        "standing": standing,
        "says": redacted(spanish if language == "es" else english),
        "mend": mend,
    }
