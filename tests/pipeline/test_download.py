"""Files come from a played Telegram that cuts, drops, floods, forgets and goes away."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo.botapi import BotApi, bot_api
from pipeline import bot_api as client
from pipeline.config import Settings
from tests.monitor.vigia import until
from tests.pipeline.homes import Home, home
from tests.pipeline.telegram import at, hand_in, lines, sent

pytestmark = pytest.mark.slow

DATA = random.Random(3).randbytes(3_000_000)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "api") as api:
        yield api


@pytest.fixture
def here(tmp_path: Path, api: BotApi) -> Iterator[Home]:
    (tmp_path / "home").mkdir()
    with home(tmp_path / "home", **at(api)) as h:
        h.ready()
        yield h


def kept_whole(here: Home, data: bytes = DATA) -> None:
    assert [p.read_bytes() == data for p in here.kept()] == [True]
    assert not list((here.folder / "modelos/ana").glob("*.part"))


def test_a_file_comes_whole_under_its_name_in_time(here: Home, api: BotApi) -> None:
    here.wait_job(hand_in(here, sent(api, DATA, "a.bin")), "succeeded")
    kept_whole(here)
    (path,) = here.kept()
    day, clock, rest = path.stem.split("_")
    assert (len(day), len(clock), len(rest), path.suffix) == (8, 6, 6, ".bin")


@pytest.mark.parametrize("framing", ["length", "close"])
def test_a_body_that_ends_early_goes_on_where_it_ended(
    here: Home, api: BotApi, framing: str
) -> None:
    api.fault("cut", method="download", bytes=1_000_000, framing=framing)
    here.wait_job(hand_in(here, sent(api, DATA, "a.bin")), "succeeded")
    kept_whole(here)
    (line,) = lines(here, "download.waiting")
    assert " WARNING pipeline.download " in line
    assert [request["status"] for request in api.requests("download")] == [200, 206]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "server error", "method": "getFile", "times": 2},
        {"fault": "unavailable", "method": "getFile"},
        {"fault": "flood", "method": "getFile", "retry_after": 1},
        {"fault": "page", "method": "getFile", "status": 502},
        {"fault": "drop", "method": "getFile"},
        {"fault": "drop", "method": "getFile", "when": "after"},
        {"fault": "not found", "method": "download"},
        {"fault": "page", "method": "download", "status": 502},
        {"fault": "drop", "method": "download"},
    ],
    ids=lambda f: "-".join(map(str, f.values())),
)
def test_trouble_of_the_world_is_waited_out_without_a_word_of_error(
    here: Home, api: BotApi, fault: dict[str, object]
) -> None:
    source = sent(api, DATA, "a.bin")
    api.fault(str(fault["fault"]), **{k: v for k, v in fault.items() if k != "fault"})
    here.wait_job(hand_in(here, source), "succeeded", 60)
    kept_whole(here)
    assert lines(here, "download.waiting")
    assert " ERROR " not in here.text()
    assert api.token not in here.text()


def test_a_server_that_is_gone_is_waited_for_and_named(here: Home, api: BotApi) -> None:
    source = sent(api, DATA, "a.bin")
    api.stop()
    job = hand_in(here, source)
    here.wait_job(job, "waiting")
    assert f"url={api.url}" in lines(here, "download.waiting")[0]
    api.start()
    here.wait_job(job, "succeeded")
    kept_whole(here)


def test_what_is_too_big_is_rejected_with_words_for_the_sender(here: Home, api: BotApi) -> None:
    source = sent(api, DATA, "a.bin")
    api.fault("file too big", method="getFile")
    job = hand_in(here, source)
    view = here.wait_job(job, "failed")
    assert view["rejected"]
    assert "20 MB" in view["words"]
    assert lines(here, "download.rejected")
    assert here.ask("POST", f"/jobs/{job}/retry")[0] == 202  # a person has switched the server
    here.wait_job(job, "succeeded")


def test_a_job_in_long_trouble_leaves_the_workers_to_others(here: Home, api: BotApi) -> None:
    api.fault("unavailable", method="getFile", times=1000)
    for number in range(8):
        hand_in(here, sent(api, DATA[: 1000 + number], "a.bin"))
    until(lambda: len(lines(here, "download.waiting")) >= 8, 60, here.text)
    here.drop("own.bin", b"own")
    until(here.posted, 45, here.text)


def test_a_local_server_hands_its_file_over(tmp_path: Path) -> None:
    with bot_api(tmp_path / "api", local=True) as api:
        (tmp_path / "home").mkdir()
        with home(tmp_path / "home", **at(api)) as h:
            source = sent(api, DATA, "a.bin")
            h.ready()
            h.wait_job(hand_in(h, source), "succeeded")
            kept_whole(h)
            assert os.stat(h.kept()[0]).st_nlink == 1
            assert not api.requests("download")


def test_the_folders_of_a_server_in_a_container_are_found_where_this_machine_has_them() -> None:
    settings = Settings(Path("/h"), token="t", api_files=(("/var/lib/api", "/srv/api"),))
    api = client.BotApi(settings)
    assert api.seen_by_us("/var/lib/api/1:a/videos/x.mp4") == Path("/srv/api/1:a/videos/x.mp4")
    assert api.seen_by_us("/var/lib/apix/x.mp4") == Path("/var/lib/apix/x.mp4")
    assert api.seen_by_us("videos/x.mp4") is None
    api.close()
