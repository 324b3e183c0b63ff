"""What was answered to a change that may be sent twice."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Index, LargeBinary, SmallInteger, Table

from bartizan.stores.schema.columns import METADATA, Document, Moment

answer: Final = Table(
    "answer",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False, server_default="0"),
    Column("headers", Document, nullable=False, server_default="{}"),
    Column("body", LargeBinary),
    Column("at", Moment, nullable=False),
    Index(None, "at"),
)
"""`key` and `request` are digests: of who asked and the key they gave, and of what they asked. `body` is sealed, for
the answer to a new token has the token in it."""
