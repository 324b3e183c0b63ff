"""A store is kept in bounds, saved and restored; what people decided and what is to be sent survives it all."""

from __future__ import annotations

import gzip
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from tests.stores.fleet import START, World, at, observed, pod, rules
from tests.stores.ledger import assert_counts_hold

from bartizan.base.errors import StoreError
from bartizan.model.resource import identify
from bartizan.stores import audit, outbox, upkeep
from bartizan.stores.backup import back_up, restore
from bartizan.stores.open import open_store
from bartizan.stores.queries import trends
from bartizan.stores.schema import METADATA, body, finding, resource
from bartizan.stores.scope import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.stores.open import Store

_RULES = rules("roots", "limits:low")


@pytest.fixture
def lived(store: Store) -> World:
    """A store with half a year behind it."""
    world = World(store).join("one", "two")
    for day in range(0, 180, 5):
        verdicts = "fp" if day % 2 else "pf"
        said = [observed(pod(f"p{number}"), _RULES, verdicts) for number in range(day % 7 + 1)]
        world.keep(_RULES, *said, cluster="one" if day % 3 else "two", hours=24 * day)
    world.keep(_RULES, observed(pod("old"), _RULES, "fp"), stream="check")
    world.keep(_RULES, gone=(identify(pod("old")),), hours=24 * 60, stream="check")
    world.keep(_RULES, gone=(identify(pod("p5")),), hours=24 * 179)
    with store.writing() as connection:
        audit.record(connection, audit.Act(START, "ann", "waiver.approve", "w1", {"until": "2026-09-01"}))
        outbox.post(connection, "k", "slack", {"text": "hello"}, START)
    return world


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with store.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
        }


def test_a_backup_is_restored_as_it_was(lived: World, empty_url: str, tmp_path: Path) -> None:
    """From each engine to each."""
    counts = back_up(lived.store, tmp_path / "all.backup")
    other = open_store(empty_url)
    assert restore(other, tmp_path / "all.backup") == counts
    assert everything(other) == everything(lived.store)
    assert_counts_hold(other)
    again = World(other)
    again.sequences = lived.sequences
    again.join("three").keep(_RULES, observed(pod("new"), _RULES, "ff"), hours=24 * 200)
    assert_counts_hold(other)
    other.close()


def test_half_a_backup_restores_nothing(lived: World, sqlite_url: str, tmp_path: Path) -> None:
    path = tmp_path / "all.backup"
    back_up(lived.store, path)
    whole = gzip.decompress(path.read_bytes())
    other = open_store(sqlite_url + ".other")
    broken = {
        "cut": path.read_bytes()[:-40],
        "short": gzip.compress(whole[: len(whole) // 2]),
        "foreign": gzip.compress(b"\0\0\0\1\x01"),
        "plain": b"hello",
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(StoreError, match=r"cannot be read|not whole|no back-up"):
            restore(other, tmp_path / name)
        assert not any(everything(other).values())
    restore(other, path)
    with pytest.raises(StoreError, match="not empty"):
        restore(other, path)
    other.close()


def test_what_is_too_old_is_taken_away_and_what_is_open_stays(lived: World) -> None:
    keep = upkeep.Retention(closed_findings=30, gone_bodies=1, gone_resources=90)
    removed = upkeep.prune(lived.store, keep, at(24 * 181))
    assert removed["resource"] == 1
    assert removed["body"] == 1 + 1
    with lived.store.reading() as connection:
        closed = connection.execute(select(finding.c.closed_at).where(finding.c.closed_at.is_not(None))).scalars()
        assert all(one >= at(24 * 151) for one in closed)
        assert connection.execute(select(finding.c.id).where(finding.c.closed_at.is_(None))).first()
        lost = select(resource.c.id).where(resource.c.gone_at.is_(None), resource.c.id.not_in(select(body.c.resource)))
        assert connection.execute(lost).first() is None
    assert_counts_hold(lived.store)
    assert not any(upkeep.prune(lived.store, keep, at(24 * 181)).values())


def test_old_days_become_months_and_the_trend_stays_exact(lived: World) -> None:
    today = START.date() + timedelta(days=181)
    months = [date(2026, month, 1) - timedelta(days=1) for month in (4, 5, 6, 7, 8)]

    def ends() -> list[Any]:
        with lived.store.reading() as connection:
            told = trends.trend(connection, EVERYTHING, date(2026, 3, 1), today)
        return [one for one in told if one.day in months or one.day > today - timedelta(days=60)]

    before = ends()
    assert upkeep.compact(lived.store, upkeep.Retention(daily=60), today) > 0
    assert ends() == before
    assert upkeep.compact(lived.store, upkeep.Retention(daily=60), today) == 0
    assert_counts_hold(lived.store)
    with lived.store.reading() as connection:
        days = connection.execute(text("SELECT DISTINCT day FROM entry WHERE day < 20605")).scalars()
        assert {(date(1970, 1, 1) + timedelta(days=day)).day for day in days} == {1}


def test_space_is_given_back(lived: World) -> None:
    upkeep.settle(lived.store)
    assert upkeep.sizes(lived.store)[""] > 0
    assert_counts_hold(lived.store)


def test_the_audit_log_cannot_be_rewritten(lived: World) -> None:
    store = lived.store
    with store.writing() as connection:
        for number in range(5):
            audit.record(connection, audit.Act(at(number), "bob", "token.make", f"t{number}", {"n": number}))
    for statement in ("UPDATE audit SET actor = 'eve' WHERE id = 3", "DELETE FROM audit WHERE id = 3"):
        with pytest.raises(DBAPIError, match="written once"), store.writing() as connection:
            connection.execute(text(statement))
    with store.reading() as connection:
        assert audit.broken_at(connection) is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'eve' WHERE id = 3", "DELETE FROM audit WHERE id = 3"])
def test_an_audit_log_rewritten_by_its_owner_shows(lived: World, statement: str) -> None:
    store = lived.store
    with store.writing() as connection:
        for number in range(5):
            audit.record(connection, audit.Act(at(number), "bob", "token.make", f"t{number}", {}))
        if store.dialect == "sqlite":
            connection.execute(text("DROP TRIGGER audit_is_written_once_update"))
            connection.execute(text("DROP TRIGGER audit_is_written_once_delete"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        connection.execute(text(statement))
        assert audit.broken_at(connection) == 3


def test_a_message_is_sent_by_one_and_comes_back_when_that_one_dies(store: Store) -> None:
    lease = timedelta(minutes=1)
    with store.writing() as connection:
        assert outbox.post(connection, "a", "slack", {"n": 1}, START)
        assert not outbox.post(connection, "a", "slack", {"n": 2}, START)
        assert outbox.post(connection, "b", "mail", {"n": 3}, START)
    with store.writing() as connection:
        first = outbox.claim(connection, START, lease, limit=1)
    with store.writing() as connection:
        second = outbox.claim(connection, START, lease)
    assert [(one.key, one.message) for one in (*first, *second)] == [("a", {"n": 1}), ("b", {"n": 3})]
    with store.writing() as connection:
        outbox.sent(connection, first[0].number, START)
        again = outbox.claim(connection, START + lease, lease)
        assert [(one.key, one.attempts) for one in again] == [("b", 2)]
        outbox.failed(connection, again[0].number, "500", None, START + lease)
        assert outbox.claim(connection, START + 9 * lease, lease) == []
