"""What was said and how it changed: findings, their transitions, counts of now, and the differences between days.

The tables that every report writes to refer to clusters, places and rules
without a foreign key: each would be a lock on a row that all writers share.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from bartizan.stores.schema.columns import METADATA, Day, Document, Id, Moment, counts, number, small, text

_OPEN: Final = sql("closed_at IS NULL")
_ENDED: Final = sql("closed_at IS NOT NULL")

finding: Final = Table(
    "finding",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("cluster", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("resource", ForeignKey("resource.id", ondelete="CASCADE"), nullable=False),
    Column("rule", BigInteger, nullable=False),
    Column("fingerprint", Text, nullable=False),
    text("state"),
    small("verdict"),
    small("severity"),
    text("content"),
    text("message"),
    text("pointer"),
    text("location"),
    text("excerpt"),
    text("evidence"),
    Column("others", Document, nullable=False, server_default="[]"),
    text("waived_by"),
    Column("first_seen", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("closed_at", Moment),
    UniqueConstraint("resource", "fingerprint"),
    Index(None, "cluster", "fingerprint"),
    Index("ix_finding_open", "severity", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    Index("ix_finding_open_cluster", "cluster", "severity", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    Index("ix_finding_open_place", "place", "severity", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    Index("ix_finding_open_rule", "rule", "severity", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    Index("ix_finding_closed", "closed_at", postgresql_where=_ENDED, sqlite_where=_ENDED),
)
"""The fingerprint is made of the resource, so it is one of the cluster's. `others` are further places of the
resource with the same fingerprint: the second container that may escalate. `content` is a hash of what a reader sees,
so that a finding said again is not read to be compared. A finding that is open was last seen when its resource was."""

transition: Final = Table(
    "transition",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("cluster", BigInteger, nullable=False),
    Column("finding", ForeignKey("finding.id", ondelete="CASCADE"), nullable=False),
    Column("at", Moment, nullable=False),
    text("change"),
    text("cause"),
    Index(None, "finding", "at"),
    Index(None, "cluster", "at"),
    Index(None, "at"),
)
"""What happened to findings, as `findings.lifecycle` tells it. Written once."""

tally: Final = Table(
    "tally",
    METADATA,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", BigInteger, primary_key=True, autoincrement=False),
    Column("cluster", BigInteger, nullable=False),
    small("severity"),
    *counts(),
    Index(None, "cluster"),
    Index(None, "rule"),
    postgresql_with={"fillfactor": "80"},
)

"""`severity` is the rule's in this cluster's set of rules: no cluster's report weighs another's."""

total: Final = Table(
    "total",
    METADATA,
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("severity", Integer, primary_key=True, autoincrement=False),
    *counts(),
    postgresql_with={"fillfactor": "80"},
)
"""The tallies of a cluster by severity: an overview of a thousand clusters reads five rows of each."""

entry: Final = Table(
    "entry",
    METADATA,
    Column("cluster", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Day, primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("rule", BigInteger, primary_key=True, autoincrement=False),
    Column("before", Integer, primary_key=True),
    Column("after", Integer, primary_key=True),
    Column("cause", Text, primary_key=True),
    number("count"),
    Index(None, "day"),
    Index(None, "place", "day"),
    Index(None, "rule", "day"),
)

rollup: Final = Table(
    "rollup",
    METADATA,
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("day", Day, primary_key=True),
    Column("severity", Integer, primary_key=True, autoincrement=False),
    *counts(),
    Index("ix_rollup_fleet", "day", "severity"),
)
"""By how much the totals of a cluster moved on a day. A trend goes back from the totals of now, so that a day
without a row is a day without a change, and nobody has to close a day."""
