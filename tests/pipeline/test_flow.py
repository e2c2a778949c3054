"""One file's way through, by the whole program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.monitor.vigia import until
from tests.pipeline.homes import home

pytestmark = pytest.mark.slow


def test_a_dropped_file_is_kept_and_posted_and_its_job_says_so(
    tmp_path: Path, database_url: str
) -> None:
    with home(tmp_path, DATABASE_URL=database_url) as h:
        h.ready()
        h.drop("clip.bin", b"x" * 1000)
        until(h.posted, 30, h.text)  # perhaps before its job has said its last word
        until(lambda: h.ask("GET", "/jobs")[1][0]["state"] == "succeeded", 60, h.text)
        jobs = h.ask("GET", "/jobs")[1]
        assert [(j["state"], j["percent"], j["modelo"]) for j in jobs] == [
            ("succeeded", 100, "ana")
        ]
        assert [p.read_bytes() for p in (*h.kept(), *h.posted())] == [b"x" * 1000] * 2
        assert not os.listdir(tmp_path / "modelos/ana/inbox")
        health = h.ask("GET", "/health")[1]
        assert health["age"] < 10
        assert (health["queued"], health["running"], health["done_last_hour"]) == (0, 0, 1)
        assert h.end() == 0
        assert "event=pipeline.stopped" in h.text()


def test_the_same_bytes_of_one_modelo_are_kept_and_posted_once(tmp_path: Path) -> None:
    with home(tmp_path) as h:
        h.modelo("eva")
        h.ready()
        h.drop("one.bin", b"same")
        until(h.posted, 30, h.text)
        h.drop("two.bin", b"same")
        h.drop("three.bin", b"same", "eva")
        until(lambda: h.said("event=job.done") == 3 and h.posted("eva"), 30, h.text)
        assert len(h.kept()) == len(h.posted()) == len(h.kept("eva")) == 1
        assert " duplicate\n" in h.text()


def test_a_file_that_is_still_written_is_waited_for(tmp_path: Path) -> None:
    with home(tmp_path) as h:
        h.ready()
        path = tmp_path / "modelos/ana/inbox/slow.bin"
        with path.open("wb") as file:
            file.write(b"first")
            file.flush()
            h.drop("other.bin", b"y")
            until(lambda: len(h.posted()) == 1, 30, h.text)
            assert path.exists()
            file.write(b"second")
        until(lambda: len(h.posted()) == 2, 30, h.text)
        assert {p.read_bytes() for p in h.posted()} == {b"y", b"firstsecond"}


def test_a_file_is_handed_in_by_command_before_the_pipeline_runs_and_only_once(
    tmp_path: Path,
) -> None:
    with home(tmp_path) as h:
        file = tmp_path / "mine.bin"
        file.write_bytes(b"mine")
        first, second = (h.run("ingest", str(file), "--modelo", "ana") for _ in range(2))
        assert first.stdout == second.stdout, first.stderr
        h.ready()
        h.wait_job(first.stdout.strip(), "succeeded")
        until(h.posted, 45, h.text)
        assert file.read_bytes() == b"mine"
        assert len(h.kept()) == 1


def test_a_modelo_without_config_is_named_with_what_to_do(tmp_path: Path) -> None:
    with home(tmp_path) as h:
        (tmp_path / "modelos/eva/inbox").mkdir(parents=True)
        h.ready()
        until(
            lambda: "event=modelo.unconfigured file=modelos/eva/config.json" in h.text(), 10, h.text
        )
        refused = h.run("ingest", __file__, "--modelo", "eva")
        assert refused.returncode == 1
        assert "modelos/eva/config.json" in refused.stderr
