"""Killed again and again, and told to stop: nothing is lost, nothing is there twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.config import read_settings
from pipeline.store.base import Store
from pipeline.store.tables import Media, Post
from tests.monitor.vigia import until, vigia
from tests.pipeline.films import film
from tests.pipeline.homes import Home, home

pytestmark = pytest.mark.slow


def rows(here: Home) -> tuple[list[Media], list[Post]]:
    store = Store(read_settings(here.folder, here.environ()).store_url)
    try:
        with store.read() as session:
            return list(session.scalars(select(Media))), list(session.scalars(select(Post)))
    finally:
        store.close()


def sent_posts(here: Home) -> int:
    with contextlib.suppress(Exception):
        return sum(post.state == "sent" for post in rows(here)[1])
    return 0


def campaign(here: Home, films: int, kills: int, seed: int) -> None:
    """Films are dropped while the pipeline is killed at moments that nobody chose."""
    chance = random.Random(seed)
    data = [film(number, frames=3, side=64) for number in range(films)]
    ready = 0
    here.start()
    for number, one in enumerate(data):
        here.drop(f"{number}.mp4", one)
    for _ in range(kills):
        assert here.process is not None
        # From before it is ready to deep in the work; the moment is the point, not a condition.
        if chance.random() < 0.7:
            until(lambda ready=ready: here.said("event=pipeline.ready") > ready, 60, here.text)
        with contextlib.suppress(subprocess.TimeoutExpired):
            here.process.wait(chance.uniform(0.05, 2.0))
        here.process.send_signal(signal.SIGKILL)
        here.process.wait()
        ready = here.said("event=pipeline.ready")
        here.start()
    all_went_through_once(here, data)


def all_went_through_once(here: Home, data: list[bytes]) -> None:
    films = len(data)
    until(lambda: sent_posts(here) >= films, 400, here.text)
    media, posts = rows(here)
    assert Counter(one.state for one in media) == {"stored": films}
    assert Counter(one.state for one in posts) == {"sent": films}
    assert len({post.media_id for post in posts}) == films
    assert sorted(p.read_bytes() for p in here.kept()) == sorted(data)
    assert sorted(p.read_bytes() for p in here.posted()) == sorted(data)
    assert {str(here.folder / one.path) for one in media} == set(map(str, here.kept()))
    assert not list(here.folder.rglob("*.part"))


def test_30_films_and_8_kills_leave_30_films_30_rows_and_30_posts(tmp_path: Path) -> None:
    with home(tmp_path) as here:
        campaign(here, 30, 8, seed=1)


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_200_films_and_50_kills_leave_200_films_200_rows_and_200_posts(
    tmp_path: Path, database_url: str
) -> None:
    with home(tmp_path, DATABASE_URL=database_url) as here:
        campaign(here, 200, 50, seed=2)


def is_ready(here: Home, pid: int) -> bool:
    return any(
        "event=pipeline.ready" in line and line.endswith(f" pid={pid}")
        for line in here.text().splitlines()
    )


# The brake is what this is not about: fifty ends in a row are ours.
UNDER = """
[children.pipeline]
command = [{python!r}, "-m", "pipeline"]
[children.pipeline.restart]
limit = 1000
delay = 0.1
max_delay = 0.1
"""


@pytest.mark.parametrize(
    ("films", "kills"),
    [(30, 5), pytest.param(200, 50, marks=[pytest.mark.campaign, pytest.mark.timeout(900)])],
)
def test_started_again_by_the_monitor_after_each_kill_it_does_all_of_it_once(
    tmp_path: Path, films: int, kills: int
) -> None:
    chance = random.Random(3)
    data = [film(number, frames=3, side=64) for number in range(films)]
    here = Home(tmp_path)
    here.log = tmp_path / "logs" / "pipeline.log"
    with vigia(tmp_path) as v:
        v.configure(UNDER.format(python=sys.executable))
        v.start()
        pid = v.wait_state("running", "pipeline")["pid"]
        for number, one in enumerate(data):
            here.drop(f"{number}.mp4", one)
        for _ in range(kills):
            if chance.random() < 0.7:
                until(lambda pid=pid: is_ready(here, pid), 60, here.text)
            time.sleep(chance.uniform(0.05, 2.0))  # the moment is the point, not a condition
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: v.child("pipeline")["pid"] not in (pid, None), 60, v.text)
            pid = v.child("pipeline")["pid"]
        all_went_through_once(here, data)
        assert v.child("pipeline")["starts"] == kills + 1
        assert v.end() == 0


def test_it_stops_within_ten_seconds_in_the_middle_of_work_and_goes_on_later(
    tmp_path: Path,
) -> None:
    data = {number: film(number, frames=3, side=64) for number in range(20)}
    with home(tmp_path) as here:
        here.ready()
        for number, one in data.items():
            here.drop(f"{number}.mp4", one)
        until(here.kept, 60, here.text)
        began = time.monotonic()
        assert here.end() == 0
        assert time.monotonic() - began < 10
        assert "event=pipeline.stopped" in here.text()
        assert " unfinished=" not in here.text()
        here.ready()
        until(lambda: sent_posts(here) == len(data), 60, here.text)
        assert len(here.posted()) == len(data)


def test_two_of_them_never_run_in_one_home(tmp_path: Path) -> None:
    with home(tmp_path) as here:
        here.ready()
        second = here.run()
        assert second.returncode == 75
        assert f"another instance is already running (pid {here.process.pid})" in second.stdout


def test_a_wrong_configuration_is_told_with_all_its_faults_and_ends_with_78(
    tmp_path: Path,
) -> None:
    with home(tmp_path, DATABASE_URL="mysql://x", ADMIN_ID="ana") as here:
        (tmp_path / "pipeline.toml").write_text("wrokers = 3\npoll = -1\n")
        ended = here.run()
        assert ended.returncode == 78
        for word in ("DATABASE_URL", "ADMIN_ID", "wrokers", "poll"):
            assert sum(word in line for line in ended.stdout.splitlines()) >= 1, ended.stdout


def test_a_database_that_is_not_there_ends_it_with_75(tmp_path: Path) -> None:
    with home(tmp_path, DATABASE_URL="postgresql://u:secretsecret@127.0.0.1:1/x") as here:
        ended = here.run()
        assert ended.returncode == 75, ended.stdout + ended.stderr
        assert "refused" in ended.stdout
        assert "secretsecret" not in ended.stdout + ended.stderr


def test_above_its_limit_of_memory_it_ends_with_75_between_jobs_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    with home(tmp_path) as here:
        config = (tmp_path / "pipeline.toml").read_text()
        (tmp_path / "pipeline.toml").write_text(config + "memory = 1\n")
        here.drop("a.bin", b"a")
        here.start()
        assert here.process is not None
        assert here.process.wait(30) == 75
        assert "event=pipeline.full" in here.text()
        (tmp_path / "pipeline.toml").write_text(config)
        here.ready()
        until(here.posted, 30, here.text)
