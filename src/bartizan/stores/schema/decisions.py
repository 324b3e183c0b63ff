"""What people decided: what is accepted, what they attest to, and the log of all they changed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, SmallInteger, Table, Text, UniqueConstraint

from bartizan.stores.schema.columns import METADATA, Document, Id, Moment, text

waiver: Final = Table(
    "waiver",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE")),
    text("namespace"),
    text("team"),
    text("policy"),
    text("rule"),
    text("kind"),
    text("name"),
    text("path"),
    text("fingerprint"),
    text("reason"),
    text("state"),
    text("asked_by"),
    Column("asked_at", Moment, nullable=False),
    text("decided_by"),
    Column("decided_at", Moment),
    text("comment"),
    Column("ends_at", Moment, nullable=False),
    Index(None, "state", "ends_at"),
    Index(None, "cluster"),
)
"""A waiver of no cluster is one for the whole fleet. `policy` and what follows select as wildcards."""

attestation: Final = Table(
    "attestation",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE")),
    text("framework"),
    text("control"),
    text("statement"),
    text("evidence"),
    text("made_by"),
    Column("made_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Column("percent", SmallInteger, nullable=False, server_default="100"),
    Index(None, "framework", "control"),
)
"""An attestation of no cluster is one for the whole fleet. `percent` is how far the control is met."""

document: Final = Table(
    "document",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("policy", Text, nullable=False),
    Column("digest", Text, nullable=False),
    text("source"),
    text("content"),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    UniqueConstraint("policy", "digest"),
)
"""The texts of policies, each as it was: whoever compiles a policy keeps it here, so that a page can show it."""

audit: Final = Table(
    "audit",
    METADATA,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    text("actor"),
    text("action"),
    text("subject"),
    Column("details", Document, nullable=False, server_default="{}"),
    Column("digest", LargeBinary, nullable=False),
    Index(None, "at"),
)
"""Written once; `digest` is of the row and of the digest before it, so that a row changed or taken out shows."""
