"""All duties of a plane, from its settings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bartizan.app.duties import telling, upkeep, watching
from bartizan.app.duties.duty import Post
from bartizan.app.duties.watching import Watching
from bartizan.app.settings import place, read_settings, secret_key
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from bartizan.app.duties.duty import Duty
    from bartizan.app.settings import Place, Settings

_CONNECTIONS = 10
"""Of a worker; duties hold one only while they read or write."""


def duties_of(settings: Settings, where: Place, watch: Watching) -> list[Duty]:
    """What is to be done, whoever does it.

    Raises:
        SpecError: the settings name members that cannot be.
    """
    members = watching.duties(settings, where.folder / "checkouts", watch)
    return [*upkeep.DUTIES, *telling.duties(settings), *members]


@contextmanager
def opened(
    config: Path | None, folder: Path | None, database: str | None, now: Callable[[], datetime]
) -> Iterator[tuple[list[Duty], Post]]:
    """Open what a worker needs.

    Raises:
        SpecError: the settings cannot be used.
        StoreError: the database is away.
    """
    settings, where = read_settings(config), place(folder, database)
    key = secret_key(where)
    store = open_store(where.database, connections=_CONNECTIONS)
    watch = Watching()
    try:
        yield duties_of(settings, where, watch), Post(store, Ingest(store, key), settings, key, now)
    finally:
        watch.stop()
        store.close()
