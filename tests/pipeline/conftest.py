"""Both databases for whoever asks for one, real: a file, and a server of our own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import needed, wait_until


def _anybody() -> list[str]:
    """What makes a command run as somebody that postgres accepts: it refuses root."""
    if os.geteuid() != 0:
        return []
    name = next((n for n in ("postgres", "nobody") if _known(n)), None)
    return (
        ["setpriv", f"--reuid={name}", f"--regid={pwd.getpwnam(name).pw_gid}", "--clear-groups"]
        if name
        else []
    )


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server that this whole session has."""
    with a_server() as server:
        yield server.url


class Server:
    """One PostgreSQL, as somebody that it accepts; on a socket, without a port."""

    def __init__(self, command: list[str], environ: dict[str, str], folder: Path) -> None:
        self._command, self._environ, self._folder = command, environ, folder
        self.url = f"postgresql://vigia@/postgres?host={folder}"
        self.start()

    def start(self) -> None:
        log = self._folder / "log"
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                self._command, stdout=out, stderr=out, env=self._environ, cwd=self._folder
            )
        ready = wait_until(lambda: _answers(self._folder) or self.process.poll() is not None, 60)
        assert ready, log.read_text()
        assert self.process.poll() is None, log.read_text()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order and at once, SIGQUIT as a crash does."""
        self.process.send_signal(how)
        self.process.wait(20)


@contextlib.contextmanager
def a_server() -> Iterator[Server]:
    programs = Path(needed("initdb")).parent
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    who = _anybody()
    if who:
        owner = pwd.getpwnam(who[1].partition("=")[2])
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)} | {
        k: v for k, v in os.environ.items() if k.startswith("VIGIA_TEST")
    }
    data = folder / "data"
    init = [*who, str(programs / "initdb"), "-D", str(data), "-U", "vigia", "-A", "trust", "-N"]
    subprocess.run(
        [*init, "-E", "UTF8"], env=environ, cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
    server = None
    try:
        server = Server(
            [*who, *command, "-c", "listen_addresses=", "-c", "fsync=off"], environ, folder
        )
        yield server
    finally:
        if server is not None and server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(folder: Path) -> bool:
    try:
        psycopg.connect(f"host={folder} user=vigia dbname=postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What stands in DATABASE_URL: nothing, or a database of its own on a real server."""
    if request.param == "sqlite":
        return ""
    server: str = request.getfixturevalue("postgres")
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return server.replace("/postgres?", f"/{name}?")
