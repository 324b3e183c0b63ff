"""Alembic's way in: it runs on the connection, and in the transaction, of `stores.migrate`."""

from __future__ import annotations

from alembic import context

from bartizan.stores.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
