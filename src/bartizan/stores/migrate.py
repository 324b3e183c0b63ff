"""The schema, brought to this release: forward only, and by one process at a time.

A database of a newer release is refused. Going back would have to throw away
what the older schema has no place for, silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, text

from bartizan.base.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.open import Store

HEAD: Final = "0006"
"""The revision of this release; a test compares it with the newest file in `migrations/versions`."""

_LOCK: Final = 0x62617274  # "bart": PostgreSQL's advisory locks have numbers for names


def revision(connection: Connection) -> str:
    """The revision a database is at; empty for one that has none of our tables."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def migrate(store: Store) -> None:
    """Bring a database to `HEAD`; one that is there already pays one query.

    Raises:
        StoreError: the database is of a newer release.
    """
    with store.reading() as connection:
        if revision(connection) == HEAD:
            return
    with store.writing() as connection:
        if store.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        at = revision(connection)  # again: another process may have been quicker
        if at != HEAD:
            _upgrade(connection, at)


def configuration(connection: Connection) -> Any:
    """Alembic's configuration for an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "bartizan.stores:migrations")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, at: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    config = configuration(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if at and at not in known:
        raise StoreError(
            f"the database is of a newer release: its schema is `{at}`, and ours ends at `{HEAD}`",
            hint="Start the newer release, or restore a back-up that this one wrote.",
        )
    command.upgrade(config, "head")
