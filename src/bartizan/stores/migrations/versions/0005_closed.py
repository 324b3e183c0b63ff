"""The index of findings that ended has only those: one of all made SQLite pass over the index of open ones."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0003"


def upgrade() -> None:
    """Make it anew, smaller."""
    ended = sa.text("closed_at IS NOT NULL")
    op.drop_index("ix_finding_closed_at", table_name="finding")
    op.create_index(
        "ix_finding_closed", "finding", ["closed_at"], unique=False, postgresql_where=ended, sqlite_where=ended
    )
