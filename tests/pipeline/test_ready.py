"""`python -m pipeline check`: what the pipeline needs, looked at without changing anything."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

import pipeline
from monitor.texts.reasons import Form
from pipeline.config import read_settings
from pipeline.store.base import open_store
from pipeline.texts import FAULTS, told
from tests.monitor.test_reasons import is_said, texts_in
from tests.pipeline.homes import Home

PIPELINE = Path(pipeline.__file__).parent
SAID_BY = ("config", "ready", "commands", "profiles", "ai/choose")
# What stands in those files and is said to no person, or needs no other language.
SAID_TO_NOBODY = {
    ("by command",): "why a modelo is held, in the database",
    ("pipeline.toml, .env",): "the names of files",
    ("DATABASE_URL; systemctl status postgresql",): "a command",
    ("AI_PROVIDER, AI_API_KEY (.env)",): "names of settings",
    ("pipeline: ", ""): "our own name",
    ("git pull",): "a command",
    ("pip install 'vigia[ai]'",): "a command",
    ("pip install 'vigia[media]'",): "a command",
    ("mkdir -p modelos/ana  (docs/pipeline.md)",): "a command",
    ("python -m pipeline",): "a command",
}


def check(home: Home) -> tuple[int, list[dict[str, Any]]]:
    done = home.run("check", "--json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def says(rows: list[dict[str, Any]], standing: str) -> str:
    return " | ".join(row["says"] for row in rows if row["standing"] == standing)


def test_a_new_home_is_ready_and_stays_as_it_was(tmp_path: Path) -> None:
    home = Home(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, rows = check(home)
    assert code == 0
    assert "made at the first start" in says(rows, "ready")
    assert "modelos: ana" in says(rows, "ready")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_database_is_told_by_its_version(tmp_path: Path) -> None:
    home = Home(tmp_path)
    store = open_store(read_settings(tmp_path, {}))
    assert "the database is up to date" in says(check(home)[1], "ready")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    store.close()
    code, rows = check(home)
    assert code == 2
    assert "a newer version wrote the database (9999)" in says(rows, "wrong")


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    home = Home(tmp_path, {"DATABASE_URL": f"postgresql://vigia:hunter22@127.0.0.1:{port}/vigia"})
    code, rows = check(home)
    assert code == 2
    assert f"127.0.0.1:{port}: " in says(rows, "wrong")
    assert "hunter22" not in json.dumps(rows)


def test_all_that_is_wrong_with_the_settings_is_said_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path, {"ADMIN_ID": "ana", "DATABASE_URL": "mysql://x"})
    code, rows = check(home)
    assert code == 2
    assert len([row for row in rows if row["standing"] == "wrong"]) == 2


def test_a_modelo_without_a_profile_is_a_warning(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "modelos" / "eva").mkdir()
    code, rows = check(home)
    assert code == 1
    assert "modelos/eva/config.json" in says(rows, "warning")


def test_started_by_hand_it_reads_the_env_of_its_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / ".env").write_text("DATABASE_URL=mysql://x\nVIGIA_LANG=es\n")
    assert "DATABASE_URL debe empezar por postgresql://" in says(check(home)[1], "wrong")
    refused = home.run("jobs", "list")
    assert refused.returncode == 78
    assert "DATABASE_URL debe empezar por postgresql://" in refused.stderr
    home.env["DATABASE_URL"] = ""  # what is exported wins
    assert "base de datos: se crea al arrancar" in says(check(home)[1], "ready")


def test_under_a_monitor_it_has_what_the_monitor_gave_it(tmp_path: Path) -> None:
    home = Home(tmp_path, {"VIGIA_CHILD": f"{tmp_path}:pipeline"})
    (tmp_path / ".env").write_text("DATABASE_URL=mysql://x\n")
    assert check(home)[0] == 0


def test_an_env_that_nobody_can_read_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / ".env").write_bytes(b"TELEGRAM_TOKEN=\xff\xfe\n")
    code, rows = check(home)
    assert code == 2
    assert f"{tmp_path / '.env'} cannot be read" in says(rows, "wrong")


def test_whatever_it_says_to_people_has_its_spanish_pair() -> None:
    known = {Form.of(english, "").literals for english in FAULTS} | SAID_TO_NOBODY.keys()
    files = [PIPELINE / f"{name}.py" for name in SAID_BY]
    there = {literals: file.name for file in files for _, literals in texts_in(file)}
    without = {said: file for said, file in there.items() if is_said(said) and said not in known}
    assert without == {}, "each needs a pair in pipeline/texts.py"
    assert SAID_TO_NOBODY.keys() - there.keys() == set()


def test_no_pair_is_kept_for_what_nobody_says() -> None:
    files = [file for file in PIPELINE.rglob("*.py") if file.name != "texts.py"]
    code = "\0".join(text for f in files for _, literals in texts_in(f) for text in literals)
    unsaid = [e for e in FAULTS if not all(t in code for t in Form.of(e, "").literals)]
    assert unsaid == []


@pytest.mark.parametrize("given", ["", "{0.__class__} {given} }{ %s", "(a+)+$", "ñ\n\x1b[31m: x"])
def test_each_fault_is_said_in_spanish_with_its_values_as_they_are(given: str) -> None:
    for english, spanish in FAULTS.items():
        names = Form.of(english, "").names
        assert Form.of(spanish, "").names == names, english
        values = dict.fromkeys(names, given)
        assert told(english.format_map(values), "es") == spanish.format_map(values)
        assert told(english.format_map(values), "en") == english.format_map(values)


def test_a_fault_behind_a_name_is_said_in_spanish_and_a_foreign_word_stays() -> None:
    fault = "pipeline.toml: poll: must be a number"
    assert told(fault, "es") == "pipeline.toml: poll: debe ser un número"
    for foreign in ("h:80: [Errno 111] Connection refused", "x", ""):
        assert told(foreign, "es") == foreign


def test_a_person_who_reads_spanish_is_told_all_of_it(tmp_path: Path) -> None:
    home = Home(tmp_path, {"VIGIA_LANG": "es", "ADMIN_ID": "ana", "DATABASE_URL": "mysql://x"})
    (tmp_path / "pipeline.toml").write_text("poll = 0\nworkers = 1.5\nx = 1\n")
    done = home.run("check")
    assert [" ".join(row.split()[1:8]) for row in done.stdout.splitlines()] == [
        "ADMIN_ID debe ser números separados por comas,",
        "DATABASE_URL debe empezar por postgresql://; déjalo vacío",
        "pipeline.toml: poll: debe ser mayor que 0",
        "pipeline.toml: workers: debe ser un número entero",
        "pipeline.toml: x: no se conoce; se conocen",
    ]
    assert "¿está todo lo que necesita el pipeline?" in home.run("--help").stdout
