"""`bartizan store`: back-ups that come back, counts that are counted again, and a log that shows a change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.cli.command import bartizan
from tests.stores.fleet import World, observed, pod, rules

from bartizan.stores.audit import Act, record
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A folder with a small history in it."""
    store = open_store(f"sqlite:///{tmp_path}/plane.db")
    asked = rules("roots", "latest")
    World(store).join("one").keep(asked, observed(pod("web"), asked, "fp"))
    act = Act(datetime(2026, 3, 1, tzinfo=UTC), "somebody", "joined", "one", {})
    store.write(lambda connection: record(connection, act))
    store.close()
    return tmp_path


def spoil(data: Path, statement: str) -> None:
    """Change a store behind our back."""
    store = open_store(f"sqlite:///{data}/plane.db")
    with store.writing() as connection:
        connection.execute(text(statement))
    store.close()


def test_a_store_that_holds_is_said_to(data: Path) -> None:
    done = bartizan("store", "check", "--data", data)
    assert (done.code, done.out) == (0, "counts and audit log hold\n")


def test_a_count_that_is_wrong_is_named(data: Path) -> None:
    spoil(data, "UPDATE tally SET failed = failed + 1")
    done = bartizan("store", "check", "--data", data)
    assert done.code == 1
    assert "one/shop roots: fail: 2 kept, 1 counted" in done.err


def test_a_log_that_was_changed_shows(data: Path) -> None:
    spoil(data, "DROP TRIGGER audit_is_written_once_update")
    spoil(data, "UPDATE audit SET actor = 'nobody'")
    done = bartizan("store", "check", "--data", data)
    assert done.code == 1
    assert "does not follow at row 1" in done.err


def test_a_back_up_comes_back(data: Path, tmp_path: Path) -> None:
    file, database = tmp_path / "all.backup", f"sqlite:///{tmp_path}/other.db"
    assert bartizan("store", "backup", file, "--data", data).code == 0
    assert bartizan("store", "restore", file, "--database", database).code == 0
    assert bartizan("store", "check", "--database", database).code == 0
    again = bartizan("store", "restore", file, "--database", database)
    assert again.code == 3
    assert "the store is not empty" in again.err


def test_pruning_says_what_went(data: Path) -> None:
    done = bartizan("store", "prune", "--settle", "--data", data)
    assert done.code == 0
    assert "finding" in done.out


def test_a_worker_asks_for_a_store_that_is_shared(data: Path) -> None:
    done = bartizan("worker", "--data", data)
    assert done.code == 2
    assert "BARTIZAN_DATABASE_URL" in done.err
