"""A database is opened, brought to the schema of the release, and never taken back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from bartizan.base.errors import StoreError
from bartizan.stores.migrate import HEAD, configuration, migrate, revision
from bartizan.stores.open import Store, open_store
from bartizan.stores.schema import METADATA

if TYPE_CHECKING:
    from pathlib import Path


def test_an_empty_database_gets_our_tables(empty_url: str) -> None:
    store = open_store(empty_url)
    with store.reading() as connection:
        assert revision(connection) == HEAD
    store.close()


def test_the_migrations_make_what_the_schema_says(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [one for one in compare_metadata(context, METADATA) if "_search" not in repr(one)]
    assert found == []


def test_head_is_the_newest_migration(store: Store) -> None:
    with store.engine.connect() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    assert script.get_heads() == [HEAD]


def test_a_newer_release_s_database_is_refused_and_left_alone(store: Store, url: str) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer release") as told:
        open_store(url)
    assert told.value.hint.startswith("Start the newer release")
    with store.reading() as connection:
        assert revision(connection) == "9999"


def test_two_that_start_at_once_migrate_once(empty_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            open_store(empty_url).close()
        except BaseException as error:  # noqa: BLE001  shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    migrate(store)
    with store.reading() as connection:
        assert revision(connection) == HEAD


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "the database's URL cannot be read"),
        ("mysql://x/y", "no store is kept in `mysql`"),
        ("sqlite://", "a store in memory would forget"),
        ("sqlite:////proc/nowhere/x.db", "`/proc/nowhere/x.db` cannot be made"),
        ("postgresql://127.0.0.1:1/x", "the database does not answer"),
    ],
)
def test_what_cannot_be_opened_is_said(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as told:
        open_store(url)
    assert "\n" not in told.value.message


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is no database, and long enough to be read as a header" * 40)
    with pytest.raises(StoreError, match="damaged"):
        open_store(f"sqlite:///{tmp_path}/x.db")


def test_a_reader_cannot_write_and_sees_one_moment(store: Store) -> None:
    """A page whose parts are read one after the other shows one state of the fleet."""
    insert = text("INSERT INTO cluster (name, joined_at) VALUES ('a', 0)")
    count = text("SELECT count(*) FROM cluster")
    with store.reading() as reader:
        assert reader.execute(count).scalar() == 0
        with store.writing() as writer:
            writer.execute(insert)
        assert reader.execute(count).scalar() == 0
    with store.reading() as reader:
        assert reader.execute(count).scalar() == 1
