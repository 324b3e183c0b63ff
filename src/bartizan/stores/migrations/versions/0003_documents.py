"""The texts of policies, which rules each cluster was asked by and when, and how far an attested control is met."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"


def upgrade() -> None:
    """Make what is new; of each cluster, the rules it is asked by now are those it was always asked by."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "document",
        sa.Column("id", number, nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("content", sa.Text(), server_default="", nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("policy", "digest", name=op.f("uq_document_policy_digest")),
    )
    op.create_table(
        "adoption",
        sa.Column("cluster", number, autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("rule_set", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster"], ["cluster.id"], name=op.f("fk_adoption_cluster_cluster"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cluster", "day", "rule_set", name=op.f("pk_adoption")),
    )
    op.execute(
        "INSERT INTO adoption (cluster, day, rule_set, at)"
        " SELECT id, joined_at / 86400000000, rule_set, joined_at FROM cluster WHERE rule_set IS NOT NULL"
    )
    op.add_column("attestation", sa.Column("percent", sa.SmallInteger(), server_default="100", nullable=False))
    op.create_index(op.f("ix_entry_rule_day"), "entry", ["rule", "day"], unique=False)
