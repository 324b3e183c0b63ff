"""People who sign in by a provider, sessions that end when they are idle, and doors that count who knocks."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

_NAMED: Final = sa.text("subject <> ''")


def upgrade() -> None:
    """Add what is new; nothing that is there changes."""
    op.add_column("account", sa.Column("groups", sa.Text(), server_default="[]", nullable=False))
    op.add_column("account", sa.Column("signed_in_at", sa.BigInteger(), nullable=True))
    op.drop_index("ix_account_subject", "account")
    op.create_index(
        "ix_account_subject",
        "account",
        ["issuer", "subject"],
        unique=True,
        postgresql_where=_NAMED,
        sqlite_where=_NAMED,
    )
    op.add_column("session", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("session", sa.Column("sid", sa.Text(), server_default="", nullable=False))
    op.add_column("session", sa.Column("hint", sa.LargeBinary(), nullable=True))
    op.create_table(
        "throttle",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_index(op.f("ix_throttle_until"), "throttle", ["until"], unique=False)
