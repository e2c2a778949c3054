"""What survives a crash, in SQLite; the only file that speaks SQL."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from monitor.model import FileId, LastWords, Position
from monitor.supervise.budget import Memory, Past

OURS = 0x56494749  # "VIGI", in the header of the file
KEPT = 7 * 86400.0  # seconds for which the place in a file that is gone is remembered

# What SQLite says when the disk, another process or the file is in the way, not the statement.
NOT_NOW = tuple(
    f"SQLITE_{word}"
    for word in (
        "FULL",
        "READONLY",
        "IOERR",
        "CANTOPEN",
        "BUSY",
        "LOCKED",
        "CORRUPT",
        "NOTADB",
        "PERM",
    )
)

# Each brings the schema one version further and is never changed once it was released.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE position (
        device INTEGER NOT NULL,
        inode INTEGER NOT NULL,
        path BLOB NOT NULL,
        start INTEGER NOT NULL CHECK (start >= 0),
        head BLOB NOT NULL,
        marker BLOB NOT NULL,
        seen REAL NOT NULL,
        rank INTEGER NOT NULL,
        PRIMARY KEY (device, inode)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE child (
        name TEXT NOT NULL PRIMARY KEY,
        boot TEXT NOT NULL,
        ends TEXT NOT NULL,
        streak INTEGER NOT NULL,
        opened INTEGER NOT NULL,
        stopped_by TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE incident (id INTEGER PRIMARY KEY, open INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
    CREATE INDEX incident_open ON incident (open, id);
    CREATE TABLE attempt (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        incident INTEGER NOT NULL,
        strategy TEXT NOT NULL,
        began REAL NOT NULL,
        result TEXT
    ) STRICT;
    CREATE TABLE record (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL) STRICT;
    CREATE TABLE kept (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE alert (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    """,
    "ALTER TABLE child ADD COLUMN last_words TEXT NOT NULL DEFAULT 'null';",
)


class StateError(Exception):
    """The state cannot be used as it is."""


class StateTooNew(StateError):  # noqa: N818  (it says what is wrong, as its siblings do)
    """A newer version of Vigía wrote this file; an older one must not guess what is in it."""


class StateUnwritable(StateError):  # noqa: N818
    """Nothing can be written just now: go on in memory, say so, and try again."""


class StateFull(StateUnwritable):
    """There is no room on the disk; who can make some may try again at once."""


class _Broken(Exception):  # noqa: N818
    """This is no database of ours, or no longer one."""


class State:
    """One file, one writer, every commit on disk before it returns."""

    def __init__(self, connection: sqlite3.Connection, homeless: str = "") -> None:
        self._db = connection
        self._homeless = homeless  # the file where this should be, while it is in memory only
        self._owed: dict[str, tuple[object, ...]] = {}  # what the disk has not taken yet

    @classmethod
    def open(cls, path: str, *, at: float, warn: Callable[[str], None]) -> State:
        """The state in this file; one that is broken is moved aside and begun anew."""
        try:
            try:
                return cls(_open(path))
            except (_Broken, sqlite3.DatabaseError) as error:
                if isinstance(error, sqlite3.OperationalError) and not _is_broken(error):
                    raise
                aside = _move_aside(path, at)
                warn(f"{path} is not a usable state ({error}); it was moved to {aside}")
                return cls(_open(path))
        except (OSError, sqlite3.Error) as error:
            raise StateUnwritable(f"{path} cannot be opened: {error}") from error

    @classmethod
    def in_memory(cls, path: str = "") -> State:
        """For as long as the disk takes none: goes on from what stands in the file."""
        memory = sqlite3.connect(":memory:", isolation_level=None)
        try:
            _copy(path, memory)
            return cls(_prepared(memory), path)
        except (_Broken, StateError, OSError, sqlite3.Error):
            memory.close()
            return cls(_prepared(sqlite3.connect(":memory:", isolation_level=None)), path)

    def move_in(self) -> bool:
        """Whether it was in memory only and is on disk now; until then it is asked again."""
        if not self._homeless or self._db.in_transaction:
            return False
        try:
            file = _open(self._homeless)
        except (_Broken, StateError, OSError, sqlite3.Error):
            return False
        try:
            self._db.backup(file)  # all of it in one transaction
        except sqlite3.Error:
            file.close()
            return False
        self._db.close()
        self._db, self._homeless = file, ""
        return True

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing; on disk when it ends. One inside another is part of it."""
        if self._db.in_transaction:
            with _told():
                yield self._db
            return
        with _told():
            self._db.execute("BEGIN IMMEDIATE")
        try:
            with _told():
                yield self._db
                self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def shrink(self) -> None:
        """What waits in the write-ahead log is brought into the file, and its room given back."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # --- how far the logs were read ------------------------------------------------------------

    def save_positions(self, positions: Iterable[Position], at: float) -> None:
        """Inside a transaction, with the decisions on what was read up to there."""
        rows = [
            (_signed(p.id.device), _signed(p.id.inode), os.fsencode(p.path),
             p.offset, p.head, p.marker, at, rank)
            for rank, p in enumerate(positions)
        ]  # fmt: skip
        with _told():
            self._db.executemany("REPLACE INTO position VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def positions(self) -> list[Position]:
        """What is known of the logs; the file that was read last comes last."""
        with _told():
            rows = self._db.execute(
                "SELECT path, device, inode, start, head, marker FROM position ORDER BY seen, rank"
            ).fetchall()
        return [
            Position(
                os.fsdecode(path),
                FileId(_unsigned(device), _unsigned(inode)), start, head, marker,
            )
            for path, device, inode, start, head, marker in rows
        ]  # fmt: skip

    def forget_gone(self) -> None:
        """The place in a file that is gone is not needed once others were read for a week more."""
        with _told():
            rows = self._db.execute(
                "SELECT path, device, inode FROM position"
                " WHERE seen < (SELECT max(seen) FROM position) - ?",
                (KEPT,),
            ).fetchall()
            gone = [row[1:] for row in rows if not _is_there(*row)]
            self._db.executemany("DELETE FROM position WHERE device = ? AND inode = ?", gone)

    # --- what a child's minder must not forget -------------------------------------------------

    def recall(self, name: str) -> Memory:
        """Its ledger and who stopped it; a reboot forgives the ends, not the person's stop."""
        with _told():
            row = self._db.execute(
                "SELECT boot, ends, streak, opened, stopped_by, last_words FROM child"
                " WHERE name = ?",
                (name,),
            ).fetchone()
        if row is None:
            return Memory()
        boot, ends, streak, opened, stopped_by, last_words = row
        if boot != boot_id():
            return Memory(stopped_by=stopped_by)
        past = Past(tuple(json.loads(ends)), streak, opened)
        return Memory(past, stopped_by, _words(json.loads(last_words)))

    def remember(self, name: str, memory: Memory) -> None:
        """As soon as the disk takes it: a child's end must not wait for room, nor end us."""
        past = memory.past
        words = json.dumps(memory.last_words and asdict(memory.last_words))
        row = (name, boot_id(), json.dumps(past.ends), past.streak, past.opened,
               memory.stopped_by, words)  # fmt: skip
        self._owed[name] = row
        with suppress(StateUnwritable):
            with self.transaction() as db:
                db.executemany(
                    "REPLACE INTO child VALUES (?, ?, ?, ?, ?, ?, ?)", self._owed.values()
                )
            self._owed.clear()

    # --- open and shut -------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._db.close()


def _open(path: str) -> sqlite3.Connection:
    os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
    if os.path.lexists(path) and not os.path.isfile(path):
        raise _Broken("it is not a file")
    if os.path.lexists(path) and not os.access(path, os.R_OK | os.W_OK) and _may_replace(path):
        raise _Broken("permission denied")
    # SQLite would create it readable for others; -wal and -shm take its mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        return _prepared(connection)
    except BaseException:
        connection.close()
        raise


def _copy(path: str, memory: sqlite3.Connection) -> None:
    """What a file holds, read without a byte of room on its disk."""
    if os.path.isfile(path):
        file = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        try:
            file.execute("PRAGMA locking_mode = EXCLUSIVE")  # else there is an index file to make
            file.backup(memory)
        finally:
            file.close()


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    """Checked, and brought to the newest version."""
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if owner != OURS and (owner or tables or version):
        raise _Broken("another program's database")
    if version < 0:
        raise _Broken(f"version {version}")
    if version > len(MIGRATIONS):
        raise StateTooNew(
            f"the state has version {version}; this program knows up to {len(MIGRATIONS)}"
        )
    if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise _Broken(found)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        db.executescript(
            f"BEGIN IMMEDIATE; {migration}; PRAGMA application_id = {OURS};"
            f" PRAGMA user_version = {number}; COMMIT;"
        )
    _try(db)
    return db


def _try(db: sqlite3.Connection) -> None:
    """Its tables can be read, and it can be written: a scratched header may forbid that."""
    db.execute("SELECT count(*) FROM position").fetchone()
    try:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        raise _Broken("it cannot be written, though its file can") from error


def _may_replace(path: str) -> bool:
    """Whether a new file may stand here: on a read-only disk none may."""
    return os.access(os.path.dirname(os.path.abspath(path)), os.W_OK)


def _move_aside(path: str, at: float) -> str:
    aside = f"{path}.broken-{int(at)}"
    number = 0
    while os.path.lexists(aside):
        number += 1
        aside = f"{path}.broken-{int(at)}-{number}"
    os.rename(path, aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(path + suffix, aside + suffix)
    return aside


def _is_broken(error: sqlite3.OperationalError) -> bool:
    """Whether the file itself is wrong, not the disk or another process."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def _told() -> Iterator[None]:
    """Full, read-only, locked or failing disks are one thing for the caller: not writable now."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith("SQLITE_FULL"):
            raise StateFull(f"the state cannot be written: {error}") from error
        if name.startswith(NOT_NOW):
            raise StateUnwritable(f"the state cannot be written: {error}") from error
        raise


def boot_id() -> str:
    """Which start of the machine this is; times since boot mean nothing in another one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _is_there(path: bytes, device: int, inode: int) -> bool:
    """Whether this very file still stands at the path."""
    with suppress(OSError):
        status = os.stat(path)
        return (_signed(status.st_dev), _signed(status.st_ino)) == (device, inode)
    return False


def _words(body: dict[str, Any] | None) -> LastWords | None:
    return LastWords(**body | {"log": FileId(**body["log"])}) if body else None


def _signed(number: int) -> int:
    """SQLite's integers have a sign; inode numbers of some file systems use all 64 bits."""
    return number - (1 << 64) if number >= 1 << 63 else number


def _unsigned(number: int) -> int:
    return number + (1 << 64) if number < 0 else number
