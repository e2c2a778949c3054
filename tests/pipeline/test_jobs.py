"""Jobs over time: tried again, cancelled, given up, adopted, forgotten; and the traps of the engine."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

import pipeline
from monitor.demo.botapi import BotApi, bot_api
from pipeline.config import Settings
from pipeline.store import retries
from pipeline.store.base import Store, open_store
from pipeline.store.tables import Retry
from tests.monitor.vigia import until
from tests.pipeline.conftest import a_server
from tests.pipeline.homes import QUICK, Home, home
from tests.pipeline.telegram import at, hand_in, intake, sent

pytestmark = pytest.mark.slow

LATER = QUICK.replace("retry_first = 0.2", "retry_first = 600").replace("most = 1.0", "most = 600")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "api") as api:
        yield api


@pytest.fixture
def here(tmp_path: Path, api: BotApi) -> Iterator[Home]:
    (tmp_path / "home").mkdir()
    with home(tmp_path / "home", **at(api)) as h:
        yield h


def patient(here: Home) -> None:
    """What waits now waits for ten minutes: longer than any test."""
    (here.folder / "pipeline.toml").write_text(LATER)
    here.ready()


def test_a_waiting_job_begins_at_once_when_a_person_says_so(here: Home, api: BotApi) -> None:
    patient(here)
    api.fault("server error", method="getFile")
    job = hand_in(here, sent(api, b"data", "a.bin"))
    here.wait_job(job, "waiting")
    told = here.run("jobs", "retry", job)
    assert told.returncode == 0, told.stderr
    here.wait_job(job, "succeeded")
    listed = here.run("jobs", "list").stdout
    assert job in listed
    assert "succeeded 100%" in listed
    assert f'"id": "{job}"' in here.run("jobs", "show", job).stdout


def test_a_cancelled_job_stays_cancelled_until_it_is_begun_again(here: Home, api: BotApi) -> None:
    patient(here)
    api.fault("server error", method="getFile")
    job = hand_in(here, sent(api, b"data", "a.bin"))
    here.wait_job(job, "waiting")
    assert here.ask("POST", f"/jobs/{job}/cancel")[0] == 202
    here.wait_job(job, "cancelled")
    with intake(here) as jobs:
        assert jobs.find_orphans(time.time()) == 0
    assert here.ask("POST", f"/jobs/{job}/retry")[0] == 202
    here.wait_job(job, "succeeded")


def test_a_job_that_is_not_there_is_said_to_be_none(here: Home) -> None:
    here.ready()
    assert here.ask("GET", "/jobs/none")[0] == 404
    assert here.ask("POST", "/jobs/none/retry")[0] == 404
    ended = here.run("jobs", "retry", "none")
    assert (ended.returncode, ended.stderr) == (1, "pipeline: there is no job none\n")


def test_paused_it_begins_no_job_and_resumed_it_goes_on(here: Home) -> None:
    here.ready()
    assert here.ask("POST", "/pause") == (200, {"paused": True})
    file = here.folder / "mine.bin"
    file.write_bytes(b"mine")
    job = here.run("ingest", str(file), "--modelo", "ana").stdout.strip()
    health = here.ask("GET", "/health")[1]
    assert (health["queued"], health["running"], health["paused"]) == (1, 0, True)
    assert here.job(job)["state"] == "queued"
    assert here.ask("POST", "/resume") == (200, {"paused": False})
    here.wait_job(job, "succeeded")


def test_a_pause_ends_with_the_process_that_was_paused(here: Home) -> None:
    here.ready()
    here.ask("POST", "/pause")
    assert here.end() == 0
    here.drop("a.bin", b"a")
    here.ready()
    until(here.posted, 60, here.text)


def test_what_heals_one_job_brings_the_others_forward(here: Home, api: BotApi) -> None:
    (here.folder / "pipeline.toml").write_text(
        QUICK.replace("retry_ours = 0.5", "retry_ours = 600")
    )
    here.ready()
    shutil.rmtree(here.folder / "modelos/ana/inbox")
    (here.folder / "modelos/ana").rename(here.folder / "modelos/away")
    names = [hand_in(here, sent(api, bytes([n]) * 9, "a.bin")) for n in range(3)]
    for job in names:
        here.wait_job(job, "failed")
    (here.folder / "modelos/away").rename(here.folder / "modelos/ana")
    here.ask("POST", f"/jobs/{names[0]}/retry")
    for job in names:
        here.wait_job(job, "succeeded")


def test_a_job_whose_failure_could_not_be_written_down_is_found(here: Home, api: BotApi) -> None:
    patient(here)
    api.fault("server error", method="getFile")
    job = hand_in(here, sent(api, b"data", "a.bin"))
    here.wait_job(job, "waiting")
    with intake(here) as jobs:
        with jobs._store.write() as session:
            retries.forget(session, job)
        assert jobs.find_orphans(time.time() - 10_000) == 1
    here.wait_job(job, "succeeded")


def test_finished_jobs_are_forgotten_after_their_time_and_their_files_stay(here: Home) -> None:
    here.ready()
    here.drop("a.bin", b"a")
    until(here.posted, 60, here.text)
    job = here.ask("GET", "/jobs")[1][0]["id"]
    here.wait_job(job, "succeeded")
    with intake(here) as jobs:
        assert jobs.purge(time.time() - 3600) == 0
        assert jobs.purge(time.time() + 3600) == 1
    assert here.job(job)["state"] == "unknown"
    assert here.kept()


def stuck(here: Home, api: BotApi) -> str:
    """A job that is in the middle of its download for as long as the process lives."""
    api.fault("hang", method="download", times=1000)
    job = hand_in(here, sent(api, b"data", "a.bin"))
    until(lambda: api.requests("download"), 60, here.text)
    return job


def test_newer_code_goes_on_with_the_jobs_of_older_code(
    here: Home, api: BotApi, tmp_path: Path
) -> None:
    """By default the engine strands them all when a comment has changed."""
    here.ready()
    job = stuck(here, api)
    here.end(signal.SIGKILL)
    api.clear()
    newer = tmp_path / "newer"
    shutil.copytree(Path(pipeline.__file__).parent, newer / "pipeline")
    flow = newer / "pipeline" / "flows" / "media.py"
    flow.write_text(
        flow.read_text().replace(
            "    job = DBOS.workflow_id", "    # newer\n    job = DBOS.workflow_id"
        )
    )
    assert "# newer" in flow.read_text()
    here.env["PYTHONPATH"] = str(newer)
    here.ready()
    here.wait_job(job, "succeeded")


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_job_that_takes_the_process_with_it_again_and_again_is_given_up(
    here: Home, api: BotApi
) -> None:
    here.ready()
    job = stuck(here, api)
    for _ in range(21):
        seen = len(api.requests("download"))
        here.end(signal.SIGKILL)
        here.ready()
        until(lambda seen=seen: len(api.requests("download")) > seen or _given_up(here, job), 60)
    assert _given_up(here, job)
    api.clear()
    here.ask("POST", f"/jobs/{job}/retry")
    here.wait_job(job, "succeeded")


def _given_up(here: Home, job: str) -> bool:
    return here.job(job)["state"] == "failed"


# --- several workers on one PostgreSQL ------------------------------------------------------------


def test_workers_share_the_jobs_and_take_over_those_of_a_dead_one(
    tmp_path: Path, postgres: str, api: BotApi
) -> None:
    url = _database(postgres)
    (tmp_path / "home").mkdir()
    with home(tmp_path / "home", DATABASE_URL=url, **at(api)) as h:
        worker = Home(h.folder, h.env)
        worker.log = h.folder / "worker.txt"
        worker.env = h.env | {"VIGIA_CONTROL": ""}
        (h.folder / "pipeline.toml").write_text(QUICK + "dead_after = 3\n")
        worker.ready("worker")
        job = stuck(h, api)
        h.ready()
        worker.end(signal.SIGKILL)
        api.clear()
        h.wait_job(job, "succeeded", 60)
        assert "event=worker.gone" in h.text()
        assert "adopted=1" in h.text()


def test_a_database_that_crashes_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    with a_server() as server, home(tmp_path, DATABASE_URL=server.url) as h:
        h.ready()
        for number in range(10):
            h.drop(f"{number}.bin", bytes([number]) * 100)
        until(h.kept, 30, h.text)
        server.stop(signal.SIGQUIT)
        for number in range(10, 20):
            h.drop(f"{number}.bin", bytes([number]) * 100)
        until(lambda: "library.said" in h.text() or ".waiting" in h.text(), 30, h.text)
        server.start()
        if h.process is not None and h.process.poll() is not None:
            assert h.process.returncode == 75
            h.ready()  # as the monitor does
        until(lambda: len(h.posted()) == 20, 90, h.text)
        assert len(h.kept()) == 20


def _database(server: str) -> str:
    name = f"w{os.getpid()}_{int(time.time() * 1000)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return server.replace("/postgres?", f"/{name}?")


# --- how long one waits ---------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[Store]:
    opened = open_store(Settings(home=tmp_path, database_url=database_url))
    yield opened
    opened.close()


def test_each_wait_is_twice_the_last_up_to_the_longest_and_then_it_is_over(store: Store) -> None:
    settings = Settings(home=Path("/h"))
    waits, now = [], 1000.0
    for _ in range(400):
        with store.write() as session:
            row = retries.put(session, "j", "world", "download", "why", 0.0, now, settings)
        if row.kind == retries.OVER:
            break
        waits.append(row.at - now)
        now = row.at
    assert waits[:9] == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    assert 172_000 < now - 1000 < 172_800
    with store.read() as session:
        assert retries.due(session, now + 1e9) == []


def test_what_telegram_says_to_wait_is_waited(store: Store) -> None:
    with store.write() as session:
        row = retries.put(session, "j", "world", "x", "why", 245.0, 0.0, Settings(home=Path("/h")))
    assert row.at == 245.0


def test_only_failures_of_the_same_step_are_brought_forward(store: Store) -> None:
    settings = Settings(home=Path("/h"))
    with store.write() as session:
        for job, step in (("a", "verify"), ("b", "verify"), ("c", "download")):
            retries.put(session, job, "ours", step, "why", 0.0, 0.0, settings)
    with store.write() as session:
        retries.succeeded(session, "a", 7.0)
    with store.read() as session:
        found = {row.job: row.at for row in session.scalars(select(Retry))}
    assert found == {"b": 7.0, "c": 60.0}
