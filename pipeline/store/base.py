"""The only one that opens the database: transactions to read and to write, migrations at start."""

from __future__ import annotations

import contextlib
import fcntl
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session

from pipeline.config import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_463_201  # of PostgreSQL, for migrations


class Store:
    """Safe to use from several threads and, with WAL or PostgreSQL, from several processes."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.on_sqlite = self.engine.dialect.name == "sqlite"
        self._writing = self.engine.execution_options(immediate=True)
        # SQLite lets who must wait look again and again, ever less often; a lock wakes the next.
        self._turn = threading.Lock() if self.on_sqlite else contextlib.nullcontext()

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """All of it or nothing. On SQLite the lock is taken at once: a transaction that reads
        first and writes later would be refused instead of waiting.
        """
        writing = Session(self._writing, expire_on_commit=False)
        with self._turn, writing as session, session.begin():
            yield session

    def alone(self, session: Session, what: str) -> None:
        """Until the end of this transaction nobody else is in a transaction about `what`."""
        if not self.on_sqlite:
            key = zlib.crc32(what.encode())
            session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": key})

    def close(self) -> None:
        self.engine.dispose()


def open_store(settings: Settings) -> Store:
    """The store, with its tables as this version wants them."""
    settings.data.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url)
    with (settings.data / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one machine may start at the same moment
        migrate(store)
    return store


def migrate(store: Store, to: str = "head") -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with store.engine.connect() as connection:
        if not store.on_sqlite:  # and those of several machines
            connection.execute(text("select pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        connection.commit()
        if not store.on_sqlite:
            connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        # A connection that died while it was not used is found before it is used.
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=20)
    engine = create_engine(url, connect_args={"timeout": 30.0}, pool_size=5, max_overflow=20)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("pragma journal_mode=wal")  # measured: fewer repeated steps after a kill
    connection.execute("pragma synchronous=full")  # what is confirmed to Telegram must be on disk
    connection.execute("pragma foreign_keys=on")


def _on_begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("begin immediate" if immediate else "begin")
