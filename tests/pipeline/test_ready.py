"""`python -m pipeline check`: what the pipeline needs, looked at without changing anything."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from pipeline.config import read_settings
from pipeline.store.base import open_store
from tests.pipeline.homes import Home


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
    assert "DATABASE_URL must begin with postgresql://" in says(check(home)[1], "wrong")
    refused = home.run("jobs", "list")
    assert refused.returncode == 78
    assert "DATABASE_URL" in refused.stderr
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
