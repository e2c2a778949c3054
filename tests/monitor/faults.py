"""A whole monitor whose child is a real worker with jobs, and what its records and notes say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until

WORKER = Path(__file__).with_name("jobs_child.py")
QUICK = "[repair]\nquiet = 0.5\n"


def python_for_all() -> str:
    """An interpreter that any user may run."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else sys.executable


def worker(more: str = "") -> str:
    """The child's section; a copy of the program in the home, for a user who cannot come here."""
    script = 'exec "$0" -I -S "$VIGIA_HOME/worker.py"'
    return one(("/bin/sh", "-c", script, python_for_all()), more)


def settle_in(home: Path) -> None:
    """The folders of a worker, and its program."""
    for folder in ("inbox", "modelos/victor", "origin"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "worker.py").write_text(WORKER.read_text())


def give_job(home: Path, name: str, work: str) -> None:
    """Whole at once, so that the worker never reads half of it."""
    beside = home / f".{name}"
    beside.write_text(work)
    beside.rename(home / "inbox" / name)


def of(home: Path, **fields: object) -> list[dict[str, Any]]:
    """The records with these values."""
    return [r for r in records(home) if all(r[name] == value for name, value in fields.items())]


def wait_for(v: Vigia, seconds: float = 40.0, **fields: object) -> dict[str, Any]:
    until(lambda: of(v.home, **fields), seconds, what=lambda: (fields, v.text()))
    return of(v.home, **fields)[0]


def story(home: Path, incident: str) -> list[str]:
    """What became of that incident, step by step."""
    return [record["state"] for record in of(home, incident=incident)]


def notes(home: Path) -> list[str]:
    """What the worker was told, in order."""
    file = home / "notes.txt"
    return (
        [line.split(" ", 2)[2] for line in file.read_text().splitlines()] if file.exists() else []
    )
