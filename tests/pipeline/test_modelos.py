"""A modelo whose folder is removed: its sender stays known and its jobs go on, whatever restarts."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from pipeline.config import Settings
from pipeline.store.base import open_store
from pipeline.store.modelos import Profiles
from pipeline.store.tables import Media, Modelo
from tests.monitor.vigia import until
from tests.pipeline.chats import chat, photo

pytestmark = pytest.mark.slow


def test_a_sender_whose_folder_was_removed_before_a_restart_is_known_and_the_job_goes_on(
    tmp_path: Path, database_url: str
) -> None:
    with chat(tmp_path, DATABASE_URL=database_url) as c:
        top = c.home.modelo("ana", telegram_user_id=c.ana, display="Ana María")
        c.home.ready()
        c.wait(lambda: c.rows(Modelo))
        shutil.rmtree(top)
        c.home.end(signal.SIGKILL)
        c.home.ready()
        c.api.send(c.ana, "photo", data=photo(1))
        c.wait_said("una foto")
        c.wait(lambda: "event=download.failed" in c.home.text())
        top.mkdir()  # as the monitor makes it again: empty
        c.wait(lambda: len(c.home.posted()) == 1)
        assert [one.caption for one in c.rows(Media)] == ["Foto de Ana María"]


def test_a_modelo_that_was_taken_away_for_good_is_gone_after_reload(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        boss = c.api.user("Jefa", language_code="es")
        c.home.env["ADMIN_ID"] = str(boss)
        c.home.ready()
        c.wait(lambda: c.rows(Modelo))
        shutil.rmtree(c.home.folder / "modelos/ana")
        c.api.write(boss, "/reload")
        c.wait_said("0 modelos", boss)
        c.api.write(c.ana, "hola")
        c.wait_said(f"Tu número es {c.ana}")
        assert c.rows(Modelo) == []


def test_what_a_modelo_last_said_is_what_holds(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    store = open_store(settings)
    place = settings.modelos / "ana"
    place.mkdir(parents=True)
    now = Profiles(settings.modelos, store)
    for display in ("Ana", "Ana María"):
        (place / "config.json").write_text(f'{{"display": "{display}"}}')
        now.all()
    (place / "config.json").write_text("{")  # wrong, and noted nowhere
    now.all()
    shutil.rmtree(place)
    later = Profiles(settings.modelos, store)
    assert later.of("ana").display == "Ana María"
    assert later.all()[0]["ana"].display == "Ana María"
    store.close()


def test_a_sender_who_moved_to_another_modelo_is_of_that_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    store = open_store(settings)
    for name in ("ana", "eva"):
        (settings.modelos / name).mkdir(parents=True)
    (settings.modelos / "ana/config.json").write_text('{"telegram_user_id": 7}')
    Profiles(settings.modelos, store).all()
    shutil.rmtree(settings.modelos / "ana")
    (settings.modelos / "eva/config.json").write_text('{"telegram_user_id": 7}')
    later = Profiles(settings.modelos, store)
    until(lambda: list(later.all()[0]) == ["eva"], 1, later.all)
    store.close()
