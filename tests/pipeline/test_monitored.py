"""The closed loop: something breaks, the monitor understands, repairs, resumes, and sees it succeed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.demo.botapi import BotApi, bot_api
from tests.monitor.vigia import Vigia, until, vigia
from tests.pipeline.films import film
from tests.pipeline.homes import QUICK, Home
from tests.pipeline.telegram import at, hand_in, sent

FILM = film(5)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "api") as api:
        yield api


@pytest.fixture
def place(tmp_path: Path, api: BotApi) -> Iterator[tuple[Vigia, Home]]:
    """A monitor whose child is the pipeline; that repairs itself only after a minute."""
    folder = tmp_path / "home"
    folder.mkdir()
    here = Home(folder, at(api))
    (folder / "pipeline.toml").write_text(QUICK.replace("retry_ours = 0.5", "retry_ours = 600"))
    (folder / ".env").write_text("".join(f"{k}={v}\n" for k, v in at(api).items()))
    here.log = folder / "logs" / "pipeline.log"
    with vigia(folder) as monitor:
        monitor.start()
        until(lambda: "event=pipeline.ready" in here.text(), 60, monitor.text)
        here.control = next((folder / "data").glob("*pipeline*.sock"), here.control)
        yield monitor, here


def records(here: Home) -> list[dict[str, Any]]:
    path = here.folder / "logs" / "errors.json"
    return list(json.loads(path.read_text())) if path.exists() else []


def kept_whole(here: Home) -> bool:
    return [p.read_bytes() for p in here.kept()] == [FILM]


def test_a_film_that_came_cut_is_quarantined_and_fetched_again(
    place: tuple[Vigia, Home], api: BotApi
) -> None:
    monitor, here = place
    api.fault("cut", method="download", bytes=len(FILM) * 6 // 10, framing="close")
    job = hand_in(here, sent(api, FILM, say_size=False))
    until(lambda: kept_whole(here), 60, lambda: (here.text(), monitor.text()))
    until(here.posted, 30, here.text)
    assert "event=verify.failed" in here.text()
    listed = monitor.run("quarantine", "list").stdout
    assert "corrupt_file" in listed
    assert job in json.dumps(records(here))


def test_a_removed_folder_is_made_again_and_the_job_goes_through(
    place: tuple[Vigia, Home], api: BotApi
) -> None:
    monitor, here = place
    hand_in(here, sent(api, FILM))
    until(lambda: len(here.posted()) == 1, 60, here.text)
    shutil.rmtree(here.folder / "modelos" / "ana")
    hand_in(here, sent(api, film(6)))
    until(lambda: len(here.kept()) == 1, 60, lambda: (here.text(), monitor.text()))
    until(here.posted, 30, here.text)
    assert "FileNotFoundError" in here.text()
    assert "missing_path" in json.dumps(records(here))
