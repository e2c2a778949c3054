"""Jobs a second of the media flow: 100-byte files, so that what is left is the flow itself.

    python benchmarks/pipeline_jobs.py [--jobs 300]

Each row: the database, how many workers, jobs at once in each, jobs handed in and done a second, and
what one job costs a worker: milliseconds of CPU, its start left out. At the end, where there is strace:
how often it waits for the disk (fdatasync and fsync) for one job.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
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
    print("database    workers  at once  handed in/s  done/s  CPU ms/job")
    with a_server() as server:
        rows = [("", 1, 4), ("", 1, 16), (server.url, 1, 16), (server.url, 3, 16)]
        for number, (where, workers, at_once) in enumerate(rows):
            url = database(where, f"b{number}") if where else ""
            with tempfile.TemporaryDirectory() as folder:
                given, done, cost = measured(Path(folder), url, workers, at_once, count)
            name = "postgresql" if url else "sqlite"
            row = f"{name:<12}{workers:>6}{at_once:>9}{given:>12.0f}{done:>9.1f}{cost:>11.1f}"
            print(row, flush=True)
    if shutil.which("strace"):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "syncs")
            measured(Path(folder), "", 1, 4, count, log)
            calls = re.findall(r"(\d+) +(fdatasync|fsync)\n", log.read_text())
            print(*(f"{name} a job on sqlite: {int(n) / count:.1f}" for n, name in calls), sep="\n")


def database(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return url.replace("/postgres?", f"/{name}?")


def measured(
    home: Path, url: str, workers: int, at_once: int, count: int, syncs: Path | None = None
) -> tuple[float, float, float]:
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
        pids = []
        for _ in range(workers):
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", "worker"], env=environ, stdout=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            if syncs:
                stack.callback(traced(process.pid, syncs).wait)
            stack.callback(process.terminate)
            pids.append(process.pid)
        while stored(store) < count // 10:  # they have started
            time.sleep(0.02)
        first, began, before = stored(store), time.monotonic(), sum(map(cpu, pids))
        while stored(store) < count:
            time.sleep(0.02)
        took, cost = time.monotonic() - began, sum(map(cpu, pids)) - before
    jobs.close()
    store.close()
    return given, (count - first) / took, 1000 * cost / (count - first)


def traced(pid: int, log: Path) -> subprocess.Popen[bytes]:
    """It ends with whom it looks at."""
    only = ("-f", "-c", "-U", "calls,name", "-e", "trace=fdatasync,fsync")
    return subprocess.Popen(
        ["strace", *only, "-o", str(log), "-p", str(pid)], stderr=subprocess.DEVNULL
    )


def cpu(pid: int) -> float:
    """Seconds that it has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
