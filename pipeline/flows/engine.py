"""The only one that starts DBOS. Each setting here answers a trap that was stepped into.

Of what it offers this is left alone: retries of steps (their count does not outlive a kill, and a job
that waits holds its worker), timeouts of workflows (what runs is not interrupted; each step limits
itself), limiters (on SQLite their clock has whole seconds), the debouncer (it keeps the last arguments
only; batches are rows of ours), `destroy` (a step that ends after it is not recorded; jobs are parked).
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig

from pipeline.config import Settings
from pipeline.model import SettingsError

NAME = "vigia-pipeline"
QUEUE = "media"
# Constant: by default it is a hash of the source, and a changed comment strands every waiting job.
VERSION = "1"


def prepare(settings: Settings) -> None:
    """The tables of DBOS, in WAL mode on SQLite, before anybody connects.

    A client on a missing file would make an empty one and fail; the mode persists in the file, and
    in WAL fewer steps are repeated after a kill and nothing is ever "locked".
    """
    if not settings.database_url:
        _insist_on_sqlite()
        path = Path(settings.jobs_url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path)
        connection.execute("pragma journal_mode=wal")
        connection.close()
    DBOS.migrate(settings.jobs_url)


def launch(settings: Settings, executor: str) -> None:
    """From here on jobs run. `executor` must belong to this process alone: with a shared one, a
    process that starts would run again what the other is running (25 of 600 steps, measured).
    """
    config: DBOSConfig = {
        "name": NAME,
        "system_database_url": settings.jobs_url,
        "executor_id": executor,
        "application_version": VERSION,
        "log_level": "WARNING",  # below it praises its console
        "db_engine_kwargs": {} if settings.database_url else ON_SQLITE,
    }
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(
        QUEUE,
        worker_concurrency=settings.workers,
        polling_interval_sec=settings.poll,
        # The settings of this start hold; a pause by the monitor ends with the process it was for.
        on_conflict="always_update",
    )


def _without_sync(connection: Any, _record: Any) -> None:
    """What a worker records outlives any kill; a power cut may take the last of it. Then a step is
    done again, which each may be, for what it did is in our own store, and that syncs. Handing in,
    retrying and cancelling go through `Jobs`, whose connections sync: with them all before them.
    """
    connection.execute("pragma synchronous=normal")


# One connection: threads that write take turns here, at once. Left to SQLite they would look every
# few milliseconds whether the file is free, and most of the time of 16 jobs went into that.
ON_SQLITE: dict[str, Any] = {
    "pool_size": 1,
    "pool_pre_ping": False,
    "pool_events": [(_without_sync, "connect")],
}


def pause(paused: bool, settings: Settings) -> None:
    """No further job begins, on any machine, until it is lifted or the pipeline starts anew."""
    queue = DBOS.retrieve_queue(QUEUE)
    if queue is not None:
        queue.set_worker_concurrency(0 if paused else settings.workers)


def _insist_on_sqlite() -> None:
    """DBOS 3.4 reads the clock with a function that SQLite has since 3.42; on Python 3.11 it does not."""
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
        raise SettingsError(
            (
                (
                    f"SQLite {sqlite3.sqlite_version} is too old for this Python: use Python 3.11, "
                    "SQLite 3.42 or newer, or PostgreSQL by DATABASE_URL"
                ),
            )
        )
