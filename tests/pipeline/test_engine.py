"""What is synced and what need not be; and how far a job says it is."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.demo.botapi import BotApi, bot_api
from pipeline.config import Settings
from pipeline.flows import engine
from pipeline.flows.jobs import Jobs
from pipeline.store.base import open_store
from tests.monitor.vigia import until
from tests.pipeline.films import film
from tests.pipeline.homes import Home, home
from tests.pipeline.telegram import at, hand_in, sent
from tests.pipeline.test_kill import rows, sent_posts

pytestmark = pytest.mark.slow


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "api") as api:
        yield api


def engine_files(here: Home) -> list[Path]:
    return sorted((here.folder / "data").glob("jobs.sqlite*"))


def test_all_that_a_power_cut_takes_from_the_engine_is_done_again_and_nothing_goes_out_twice(
    tmp_path: Path,
) -> None:
    """The worst of it: all since the jobs were handed in, which was synced."""
    (tmp_path / "home").mkdir()
    with home(tmp_path / "home") as here:
        given = {number: film(number, frames=3, side=64) for number in range(3)}
        for number, data in given.items():
            (tmp_path / f"{number}.mp4").write_bytes(data)
            here.run("ingest", str(tmp_path / f"{number}.mp4"), "--modelo", "ana")
        before = tmp_path / "before"
        before.mkdir()
        for path in engine_files(here):
            shutil.copy(path, before)
        here.ready()
        until(lambda: sent_posts(here) == len(given), 60, here.text)
        done = here.said("event=job.done")
        here.end(signal.SIGKILL)
        for path in engine_files(here):
            path.unlink()
        for path in before.iterdir():
            shutil.copy(path, here.folder / "data")
        here.ready()
        until(lambda: here.said("event=job.done") >= done + len(given), 60, here.text)
        media, posts = rows(here)
        assert [one.state for one in media] == ["stored"] * len(given)
        assert [(one.state, one.attempts) for one in posts] == [("sent", 1)] * len(given)
        assert sorted(p.read_bytes() for p in here.kept()) == sorted(given.values())
        assert len(here.posted()) == len(given)


def test_what_is_handed_in_is_synced_and_what_a_worker_records_is_not(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    store = open_store(settings)
    engine.prepare(settings)
    jobs = Jobs(settings, store)
    worker = sa.create_engine(settings.jobs_url, **engine.ON_SQLITE)
    asked = sa.text("pragma synchronous")
    with jobs._client._sys_db.engine.connect() as ours, worker.connect() as theirs:
        assert (ours.scalar(asked), theirs.scalar(asked)) == (2, 1)  # full, normal
    with store.engine.connect() as kept:
        assert kept.scalar(asked) == 2
    jobs.close()
    worker.dispose()
    store.close()


def test_a_job_says_in_which_step_it_is_and_how_far(tmp_path: Path, api: BotApi) -> None:
    (tmp_path / "home").mkdir()
    with home(tmp_path / "home", **at(api)) as here:
        here.ready()
        api.fault("hang", method="download", times=1000)
        job = hand_in(here, sent(api, b"data", "a.bin"))
        until(lambda: api.requests("download"), 60, here.text)
        view = here.wait_job(job, "running")
        assert (view["step"], view["percent"]) == ("download", 0)
        here.drop("broken.mp4", film(1)[:-5000])
        until(lambda: "event=verify.failed" in here.text(), 30, here.text)
        views = {one["id"]: one for one in here.ask("GET", "/jobs")[1]}
        broken = next(one for name, one in views.items() if name != job)
        assert (broken["step"], broken["percent"]) == ("verify", 50)
