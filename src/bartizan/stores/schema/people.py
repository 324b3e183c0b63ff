"""Who may do what, and what is to be sent. Of passwords, tokens and sessions there are only hashes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from bartizan.stores.schema.columns import METADATA, Document, Id, Moment, number, text

account: Final = Table(
    "account",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    text("email"),
    text("issuer"),
    text("subject"),
    text("password_hash"),
    Column("disabled", Boolean, nullable=False, server_default=sql("false")),
    Column("created_at", Moment, nullable=False),
    Column("groups", Document, nullable=False, server_default="[]"),
    Column("signed_in_at", Moment),
    Index(
        "ix_account_subject",
        "issuer",
        "subject",
        unique=True,
        postgresql_where=sql("subject <> ''"),
        sqlite_where=sql("subject <> ''"),
    ),
)
"""`groups` are those that the provider named when the person last signed in, at `signed_in_at`."""

role: Final = Table(
    "role",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("account", ForeignKey("account.id", ondelete="CASCADE")),
    text("group"),
    text("role"),
    Column("grant", Document, nullable=False),
    UniqueConstraint("account", "group", "role", "grant"),
    Index(None, "group"),
)
"""A role of an account, or of a group that the sign-in names, within what `grant` says; see `stores.scope`."""

token: Final = Table(
    "token",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("account", ForeignKey("account.id", ondelete="CASCADE")),
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE")),
    text("name"),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", Document, nullable=False, server_default="[]"),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment),
    Column("revoked_at", Moment),
    Column("used_at", Moment),
)
"""Of a person or, where it names a cluster, of the agent in it."""

session: Final = Table(
    "session",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("account", ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("groups", Document, nullable=False, server_default="[]"),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("seen_at", Moment),
    text("sid"),
    Column("hint", LargeBinary),
    Index(None, "account"),
    Index(None, "ends_at"),
)
"""`sid` is the provider's name for it, and `hint` the provider's own token for a sign-out, which only the
session's secret opens."""

throttle: Final = Table(
    "throttle",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Index(None, "until"),
)
"""How much of a limited thing was had, in one number; see `stores.throttle`. A key is a digest."""

outbox: Final = Table(
    "outbox",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    text("target"),
    Column("message", Document, nullable=False),
    text("state"),
    Column("due_at", Moment, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
    number("attempts"),
    text("last_error"),
    Index(None, "state", "due_at"),
)
"""`state` is waiting, sent or dead; or told, of an event that was looked at and needs no message. What is being
sent is waiting with a later `due_at`, so that a sender that dies loses nothing; `key` makes the same message twice
one row."""
