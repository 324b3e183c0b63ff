"""How often something may be done, as two engines count it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.stores.fleet import START

from bartizan.stores.open import open_store
from bartizan.stores.schema import throttle as table
from bartizan.stores.throttle import Rate, forget, take

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pytest

    from bartizan.stores.open import Store

RATE = Rate(3, timedelta(seconds=10))


def _take(store: Store, seconds: float, key: bytes = b"k") -> float:
    return store.write(
        lambda connection: take(connection, key, RATE, START + timedelta(seconds=seconds))
    ).total_seconds()


def test_a_burst_at_once_and_then_one_at_a_time(store: Store) -> None:
    told = [_take(store, second) for second in (0, 0, 0, 0, 4, 10, 10, 15, 20, 60, 60, 60, 60)]
    assert told == [0, 0, 0, 10, 6, 0, 10, 5, 0, 0, 0, 0, 10]


def test_keys_are_counted_apart_and_forgotten(store: Store) -> None:
    for key in (b"a", b"b"):
        assert [_take(store, 0, key) for _ in range(4)] == [0, 0, 0, 10]
    store.write(lambda connection: forget(connection, b"a"))
    assert _take(store, 0, b"a") == 0
    assert _take(store, 0, b"b") == 10
    _take(store, 3600)
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 1


def test_two_that_ask_at_once_do_not_both_have_the_last(store: Store) -> None:
    had: list[float] = []
    threads = [threading.Thread(target=lambda: had.append(_take(store, 0))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(wait == 0 for wait in had) == 3


@given(st.lists(st.floats(0, 30), min_size=1, max_size=30))
def test_no_span_has_more_than_its_share(tmp_path_factory: pytest.TempPathFactory, pauses: list[float]) -> None:
    """In any span there are at most the burst, and one for each `every` that passed in it."""
    store = _kept(tmp_path_factory)
    had: list[datetime] = []
    at = START
    with store.writing() as connection:
        forget(connection, b"law")
        for pause in pauses:
            at += timedelta(seconds=pause)
            if not take(connection, b"law", RATE, at):
                had.append(at)
    for begin in range(len(had)):
        for end in range(begin, len(had)):
            assert end - begin + 1 <= RATE.burst + (had[end] - had[begin]) / RATE.every


_OPEN: list[Store] = []


def _kept(factory: pytest.TempPathFactory) -> Store:
    if not _OPEN:
        folder: Path = factory.mktemp("throttle")
        _OPEN.append(open_store(f"sqlite:///{folder}/x.db"))
    return _OPEN[0]
