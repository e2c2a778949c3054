"""Which language the people of a home read, known before its settings are judged."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from monitor.texts import Lang, language


def tongue(home: Path, environ: Mapping[str, str]) -> Lang:
    """As `config.load` finds it; of a broken file nothing is taken, and whoever needs it complains."""
    return language(_chosen(home / "vigia.toml"), {**_written(home / ".env"), **environ})


def _chosen(file: Path) -> str:
    with suppress(OSError, ValueError):
        if "lang" in (text := _text(file)):
            import tomllib  # noqa: PLC0415 - every command asks: only who has the word pays

            return str(tomllib.loads(text).get("lang", "auto"))
    return "auto"


def _written(file: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        if "VIGIA_LANG" in (text := _text(file)):
            from dotenv import dotenv_values  # noqa: PLC0415 - the same

            return {k: v for k, v in dotenv_values(stream=io.StringIO(text)).items() if v}
    return {}


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8-sig")
