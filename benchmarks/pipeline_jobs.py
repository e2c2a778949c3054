"""Jobs a second of the media flow: 100-byte files, so that what is left is the flow itself.

    python benchmarks/pipeline_jobs.py [--jobs 300]

Each row: the database, how many workers, jobs at once in each, jobs handed in and done a second.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from sqlalchemy import func, select

from pipeline.config import read_settings
from pipeline.flows import engine
from pipeline.flows.jobs import Jobs
from pipeline.model import Kind, Source
from pipeline.store.base import Store, open_store
from pipeline.store.tables import Media
from tests.pipeline.conftest import a_server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=300)
    count = parser.parse_args().jobs
    print("database    workers  at once  handed in/s  done/s")
    with a_server() as server:
        rows = [("", 1, 4), ("", 1, 16), (server.url, 1, 16), (server.url, 3, 16)]
        for number, (where, workers, at_once) in enumerate(rows):
            url = database(where, f"b{number}") if where else ""
            with tempfile.TemporaryDirectory() as folder:
                given, done = measured(Path(folder), url, workers, at_once, count)
            name = "postgresql" if url else "sqlite"
            print(f"{name:<12}{workers:>6}{at_once:>9}{given:>12.0f}{done:>9.1f}", flush=True)


def database(url: str, name: str) -> str:

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return url.replace("/postgres?", f"/{name}?")


def measured(home: Path, url: str, workers: int, at_once: int, count: int) -> tuple[float, float]:
    (home / "pipeline.toml").write_text(f"workers = {at_once}\npoll = 0.05\n")
    (home / "modelos" / "ana").mkdir(parents=True)
    (home / "modelos" / "ana" / "config.json").write_text("{}")
    environ = {**os.environ, "DATABASE_URL": url, "VIGIA_HOME": str(home)}
    settings = read_settings(home, environ)
    store = open_store(settings)
    engine.prepare(settings)
    jobs = Jobs(settings, store)
    given = hand_in(home, jobs, count)
    with contextlib.ExitStack() as stack:
        for _ in range(workers):
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", "worker"], env=environ, stdout=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        while stored(store) < count // 10:  # they have started
            time.sleep(0.02)
        first, began = stored(store), time.monotonic()
        while stored(store) < count:
            time.sleep(0.02)
        took = time.monotonic() - began
    jobs.close()
    store.close()
    return given, (count - first) / took


def hand_in(home: Path, jobs: Jobs, count: int) -> float:
    began = time.monotonic()
    for number in range(count):
        path = home / f"{number}.bin"
        path.write_bytes(b"%100d" % number)
        jobs.submit(Source(f"b-{number}", Kind.DOCUMENT, path=str(path), size=100), "ana")
    return count / (time.monotonic() - began)


def stored(store: Store) -> int:
    with store.read() as session:
        return (
            session.scalar(select(func.count()).select_from(Media).where(Media.state == "stored"))
            or 0
        )


if __name__ == "__main__":
    main()
