"""What there is: clusters, the rules asked of them, and the objects with what the rules said."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from bartizan.stores.schema.columns import METADATA, Day, Document, Id, Moment, number, small, text

cluster: Final = Table(
    "cluster",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    text("kind"),
    Column("labels", Document, nullable=False, server_default="{}"),
    text("version"),
    text("identity"),
    Column("joined_at", Moment, nullable=False),
    Column("left_at", Moment),
    Column("last_seen", Moment),
    number("interval_s"),
    number("lease_s"),
    number("generation"),
    number("objects"),
    Column("rule_set", BigInteger),
    Column("problems", Document, nullable=False, server_default="[]"),
)
"""`identity` tells it from every other, whatever it is called; see `fleet.enrolment`. It is checked as a whole every
`interval_s`, and promises to be heard of every `lease_s`, where it says so."""

stream: Final = Table(
    "stream",
    METADATA,
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
)

generation: Final = Table(
    "generation",
    METADATA,
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("complete", Boolean, nullable=False, server_default=sql("false")),
    text("policy_digest"),
    text("evaluator"),
    number("objects"),
    Column("problems", Document, nullable=False, server_default="[]"),
    Column("unlisted", Document, nullable=False, server_default="[]"),
)

rule: Final = Table(
    "rule",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    text("digest"),
    small("severity"),
    Column("frameworks", Document, nullable=False, server_default="[]"),
)

edition: Final = Table(
    "edition",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("rule", ForeignKey("rule.id"), nullable=False),
    text("digest"),
    small("severity"),
    Column("frameworks", Document, nullable=False, server_default="[]"),
    Column("first_seen", Moment, nullable=False),
    UniqueConstraint("rule", "digest", "severity", "frameworks"),
)
"""What a rule was at each time: its verdicts rest on it, and a rule's row says only what it is now."""

rule_set: Final = Table(
    "rule_set",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("editions", Document, nullable=False),
    Column("first_seen", Moment, nullable=False),
)
"""Whose byte is which, in the verdicts of a resource: `editions` are ids, in order."""

adoption: Final = Table(
    "adoption",
    METADATA,
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("day", Day, primary_key=True),
    Column("rule_set", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
)
"""When a cluster was asked by another set of rules than before: a score of the past weighs each rule as it was then.
Of a set that is taken up again and again on one day, the last time is kept."""

place: Final = Table(
    "place",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE"), nullable=False),
    text("namespace"),
    text("team"),
    UniqueConstraint("cluster", "namespace", "team"),
    Index(None, "namespace", "team"),
    Index(None, "team"),
)
"""Where something is, as far as permission goes. Objects of no namespace are in the namespace ``."""

resource: Final = Table(
    "resource",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("cluster", ForeignKey("cluster.id", ondelete="CASCADE"), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    text("group"),
    text("version"),
    text("kind"),
    text("name"),
    text("uid"),
    Column("labels", Document, nullable=False, server_default="{}"),
    Column("body_digest", LargeBinary, nullable=False),
    Column("rule_set", BigInteger),
    Column("verdicts", LargeBinary, nullable=False),
    Column("findings_digest", LargeBinary, nullable=False),
    number("generation"),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("judged_at", Moment, nullable=False),
    Column("gone_at", Moment),
    UniqueConstraint("cluster", "key"),
    Index(None, "place", "kind", "name"),
    Index(
        "ix_resource_gone",
        "gone_at",
        postgresql_where=sql("gone_at IS NOT NULL"),
        sqlite_where=sql("gone_at IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": "80"},
)
"""`key` is a hash of the identity within the cluster. A judgement writes no indexed column, so that PostgreSQL
updates the row where it stands; the fill factor leaves it the room."""

body: Final = Table(
    "body",
    METADATA,
    Column("resource", ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
    postgresql_with={"fillfactor": "80"},
)
"""The object without its secrets, as compressed JSON."""

rollout: Final = Table(
    "rollout",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("place", ForeignKey("place.id", ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False, unique=True),
    text("kind"),
    text("name"),
    text("what"),
    text("revision"),
    Column("at", Moment, nullable=False),
    Column("details", Document, nullable=False, server_default="{}"),
    Index(None, "place", "at"),
    Index(None, "at"),
)
"""What happened to workloads, for the metrics of delivery. `key` makes a report twice one row."""
