"""Stores on both engines, as the store's own tests have them, and a garrison that is stopped when its test ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.app.watch.fleet import FAST, KEY
from tests.stores.conftest import server, sqlite_url, store, template, url

from bartizan.app.watch.garrison import Garrison, plane_of
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.app.watch.rules import RuleSettings

__all__ = ["server", "sqlite_url", "store", "template", "url"]


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Store]:
    """A store on SQLite, for what does not depend on the engine."""
    opened = open_store(sqlite_url)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def garrison() -> Iterator[Callable[..., Garrison]]:
    """Makes garrisons that are quick to notice, and stops them."""
    made: list[Garrison] = []

    def make(store: Store, settings: RuleSettings, **more: Any) -> Garrison:
        one = Garrison(plane_of(store, Ingest(store, KEY)), settings, **{"timing": FAST, **more})
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
