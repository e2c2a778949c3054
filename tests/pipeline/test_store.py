"""The tables, on both databases: as the migrations make them, and as the code wants them."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from pipeline.config import Settings
from pipeline.store.base import Store, open_store
from pipeline.store.tables import Base, Batch, Inbox


@pytest.fixture
def store(tmp_path: Path, database_url: str):
    opened = open_store(Settings(home=tmp_path, database_url=database_url))
    yield opened
    opened.close()


def test_the_migrations_make_exactly_the_tables_that_the_code_names(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_opening_again_changes_nothing(tmp_path: Path, database_url: str, store: Store) -> None:
    open_store(Settings(home=tmp_path, database_url=database_url)).close()


def test_an_update_is_kept_once_for_each_bot(store: Store) -> None:
    with store.write() as session:
        session.add(Inbox(bot=1, update_id=7, raw="{}", received_at=0.0))
        session.add(Inbox(bot=2, update_id=7, raw="{}", received_at=0.0))
    with pytest.raises(IntegrityError), store.write() as session:
        session.add(Inbox(bot=1, update_id=7, raw="{}", received_at=0.0))


def test_a_user_has_one_open_batch_and_any_number_of_closed_ones(store: Store) -> None:
    def batch(state: str) -> Batch:
        times = {"opened_at": 0.0, "last_at": 0.0, "closes_at": 0.0}
        return Batch(bot=1, user_id=2, chat_id=2, modelo="ana", state=state, **times)

    with store.write() as session:
        session.add_all([batch("open"), batch("closed"), batch("closed")])
    with pytest.raises(IntegrityError), store.write() as session:
        session.add(batch("open"))


def test_on_sqlite_the_file_is_in_wal_mode_and_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path))
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
    store.close()
