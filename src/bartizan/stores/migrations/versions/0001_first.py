"""The first schema.

Frozen: it says what that release made, whatever `stores.schema` says today.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None


def upgrade() -> None:
    """Make the tables, then what each engine does in its own way."""
    _account()
    _audit()
    _cluster()
    _entry()
    _outbox()
    _rule()
    _rule_set()
    _tally()
    _attestation()
    _edition()
    _generation()
    _place()
    _resource()
    _role()
    _rollup()
    _session()
    _stream()
    _token()
    _total()
    _waiver()
    _body()
    _finding()
    _rollout()
    _transition()
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def _id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("issuer", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_index("ix_account_subject", "account", ["issuer", "subject"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _id(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("details", sa.Text(), server_default="{}", nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)


def _cluster() -> None:
    op.create_table(
        "cluster",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("labels", sa.Text(), server_default="{}", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("identity", sa.Text(), server_default="", nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seen", sa.BigInteger(), nullable=True),
        sa.Column("interval_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_s", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("objects", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rule_set", sa.BigInteger(), nullable=True),
        sa.Column("problems", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster")),
        sa.UniqueConstraint("name", name=op.f("uq_cluster_name")),
    )


def _entry() -> None:
    op.create_table(
        "entry",
        sa.Column("cluster", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("cluster", "day", "place", "rule", "before", "after", "cause", name=op.f("pk_entry")),
    )
    op.create_index(op.f("ix_entry_day"), "entry", ["day"], unique=False)
    op.create_index(op.f("ix_entry_place_day"), "entry", ["place", "day"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _id(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    op.create_index(op.f("ix_outbox_state_due_at"), "outbox", ["state", "due_at"], unique=False)


def _rule() -> None:
    op.create_table(
        "rule",
        sa.Column("id", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("severity", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("frameworks", sa.Text(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_rule_name")),
    )


def _rule_set() -> None:
    op.create_table(
        "rule_set",
        sa.Column("id", _id(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("editions", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set")),
        sa.UniqueConstraint("digest", name=op.f("uq_rule_set_digest")),
    )


def _tally() -> None:
    op.create_table(
        "tally",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cluster", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("passed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("warned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("errors", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waived", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stale", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("place", "rule", name=op.f("pk_tally")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(op.f("ix_tally_cluster"), "tally", ["cluster"], unique=False)
    op.create_index(op.f("ix_tally_rule"), "tally", ["rule"], unique=False)


def _attestation() -> None:
    op.create_table(
        "attestation",
        sa.Column("id", _id(), nullable=False),
        sa.Column("cluster", _id(), nullable=True),
        sa.Column("framework", sa.Text(), server_default="", nullable=False),
        sa.Column("control", sa.Text(), server_default="", nullable=False),
        sa.Column("statement", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_attestation_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestation")),
    )
    op.create_index(op.f("ix_attestation_framework_control"), "attestation", ["framework", "control"], unique=False)


def _edition() -> None:
    op.create_table(
        "edition",
        sa.Column("id", _id(), nullable=False),
        sa.Column("rule", _id(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("severity", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("frameworks", sa.Text(), server_default="[]", nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["rule"], ["rule.id"], name=op.f("fk_edition_rule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint(
            "rule", "digest", "severity", "frameworks", name=op.f("uq_edition_rule_digest_severity_frameworks")
        ),
    )


def _generation() -> None:
    op.create_table(
        "generation",
        sa.Column("cluster", _id(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("policy_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("evaluator", sa.Text(), server_default="", nullable=False),
        sa.Column("objects", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problems", sa.Text(), server_default="[]", nullable=False),
        sa.Column("unlisted", sa.Text(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_generation_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster", "number", name=op.f("pk_generation")),
    )


def _place() -> None:
    op.create_table(
        "place",
        sa.Column("id", _id(), nullable=False),
        sa.Column("cluster", _id(), nullable=False),
        sa.Column("namespace", sa.Text(), server_default="", nullable=False),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_place_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint("cluster", "namespace", "team", name=op.f("uq_place_cluster_namespace_team")),
    )
    op.create_index(op.f("ix_place_namespace_team"), "place", ["namespace", "team"], unique=False)
    op.create_index(op.f("ix_place_team"), "place", ["team"], unique=False)


def _resource() -> None:
    op.create_table(
        "resource",
        sa.Column("id", _id(), nullable=False),
        sa.Column("cluster", _id(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("group", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("uid", sa.Text(), server_default="", nullable=False),
        sa.Column("labels", sa.Text(), server_default="{}", nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("rule_set", sa.BigInteger(), nullable=True),
        sa.Column("verdicts", sa.LargeBinary(), nullable=False),
        sa.Column("findings_digest", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_resource_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("cluster", "key", name=op.f("uq_resource_cluster_key")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "ix_resource_gone",
        "resource",
        ["gone_at"],
        unique=False,
        postgresql_where=sa.text("gone_at IS NOT NULL"),
        sqlite_where=sa.text("gone_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_resource_place_kind_name"), "resource", ["place", "kind", "name"], unique=False)


def _role() -> None:
    op.create_table(
        "role",
        sa.Column("id", _id(), nullable=False),
        sa.Column("account", _id(), nullable=True),
        sa.Column("group", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("grant", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_role_account"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("account", "group", "role", "grant", name=op.f("uq_role_account_group_role_grant")),
    )
    op.create_index(op.f("ix_role_group"), "role", ["group"], unique=False)


def _rollup() -> None:
    op.create_table(
        "rollup",
        sa.Column("cluster", _id(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("passed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("warned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("errors", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waived", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stale", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_rollup_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster", "day", "severity", name=op.f("pk_rollup")),
    )
    op.create_index("ix_rollup_fleet", "rollup", ["day", "severity"], unique=False)


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account", _id(), nullable=False),
        sa.Column("groups", sa.Text(), server_default="[]", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_session_account"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_account"), "session", ["account"], unique=False)
    op.create_index(op.f("ix_session_ends_at"), "session", ["ends_at"], unique=False)


def _stream() -> None:
    op.create_table(
        "stream",
        sa.Column("cluster", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_stream_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster", "name", name=op.f("pk_stream")),
    )


def _token() -> None:
    op.create_table(
        "token",
        sa.Column("id", _id(), nullable=False),
        sa.Column("account", _id(), nullable=True),
        sa.Column("cluster", _id(), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), server_default="[]", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("fk_token_account"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_token_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )


def _total() -> None:
    op.create_table(
        "total",
        sa.Column("cluster", _id(), autoincrement=False, nullable=False),
        sa.Column("severity", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("passed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("warned", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("errors", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("waived", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stale", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_total_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster", "severity", name=op.f("pk_total")),
        postgresql_with={"fillfactor": "80"},
    )


def _waiver() -> None:
    op.create_table(
        "waiver",
        sa.Column("id", _id(), nullable=False),
        sa.Column("cluster", _id(), nullable=True),
        sa.Column("namespace", sa.Text(), server_default="", nullable=False),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.Column("policy", sa.Text(), server_default="", nullable=False),
        sa.Column("rule", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("path", sa.Text(), server_default="", nullable=False),
        sa.Column("fingerprint", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cluster"], ["cluster.id"], name=op.f("fk_waiver_cluster"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
    )
    op.create_index(op.f("ix_waiver_cluster"), "waiver", ["cluster"], unique=False)
    op.create_index(op.f("ix_waiver_state_ends_at"), "waiver", ["state", "ends_at"], unique=False)


def _body() -> None:
    op.create_table(
        "body",
        sa.Column("resource", _id(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["resource"], ["resource.id"], name=op.f("fk_body_resource"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("resource", name=op.f("pk_body")),
        postgresql_with={"fillfactor": "80"},
    )


def _finding() -> None:
    op.create_table(
        "finding",
        sa.Column("id", _id(), nullable=False),
        sa.Column("cluster", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("resource", _id(), nullable=False),
        sa.Column("rule", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("verdict", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("severity", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("content", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("pointer", sa.Text(), server_default="", nullable=False),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.Column("excerpt", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.Column("others", sa.Text(), server_default="[]", nullable=False),
        sa.Column("waived_by", sa.Text(), server_default="", nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["resource"], ["resource.id"], name=op.f("fk_finding_resource"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("resource", "fingerprint", name=op.f("uq_finding_resource_fingerprint")),
    )
    op.create_index(op.f("ix_finding_closed_at"), "finding", ["closed_at"], unique=False)
    op.create_index(op.f("ix_finding_cluster_fingerprint"), "finding", ["cluster", "fingerprint"], unique=False)
    op.create_index(
        "ix_finding_open",
        "finding",
        ["severity", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_finding_open_cluster",
        "finding",
        ["cluster", "severity", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_finding_open_place",
        "finding",
        ["place", "severity", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_finding_open_rule",
        "finding",
        ["rule", "severity", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )


def _rollout() -> None:
    op.create_table(
        "rollout",
        sa.Column("id", _id(), nullable=False),
        sa.Column("place", _id(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("what", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.Text(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["place"], ["place.id"], name=op.f("fk_rollout_place"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout")),
        sa.UniqueConstraint("key", name=op.f("uq_rollout_key")),
    )
    op.create_index(op.f("ix_rollout_at"), "rollout", ["at"], unique=False)
    op.create_index(op.f("ix_rollout_place_at"), "rollout", ["place", "at"], unique=False)


def _transition() -> None:
    op.create_table(
        "transition",
        sa.Column("id", _id(), nullable=False),
        sa.Column("cluster", sa.BigInteger(), nullable=False),
        sa.Column("finding", _id(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["finding"], ["finding.id"], name=op.f("fk_transition_finding"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transition")),
    )
    op.create_index(op.f("ix_transition_at"), "transition", ["at"], unique=False)
    op.create_index(op.f("ix_transition_cluster_at"), "transition", ["cluster", "at"], unique=False)
    op.create_index(op.f("ix_transition_finding_at"), "transition", ["finding", "at"], unique=False)


_SQLITE: Final = (
    "CREATE VIRTUAL TABLE resource_search USING fts5(name, content='resource', content_rowid='id', tokenize='trigram')",
    """CREATE TRIGGER resource_search_insert AFTER INSERT ON resource BEGIN
         INSERT INTO resource_search(rowid, name) VALUES (new.id, new.name);
       END""",
    """CREATE TRIGGER resource_search_delete AFTER DELETE ON resource BEGIN
         INSERT INTO resource_search(resource_search, rowid, name) VALUES ('delete', old.id, old.name);
       END""",
    """CREATE TRIGGER resource_search_update AFTER UPDATE OF name ON resource WHEN old.name <> new.name BEGIN
         INSERT INTO resource_search(resource_search, rowid, name) VALUES ('delete', old.id, old.name);
         INSERT INTO resource_search(rowid, name) VALUES (new.id, new.name);
       END""",
    """CREATE VIRTUAL TABLE finding_search
       USING fts5(message, content='finding', content_rowid='id', tokenize='trigram')""",
    """CREATE TRIGGER finding_search_insert AFTER INSERT ON finding BEGIN
         INSERT INTO finding_search(rowid, message) VALUES (new.id, new.message);
       END""",
    """CREATE TRIGGER finding_search_delete AFTER DELETE ON finding BEGIN
         INSERT INTO finding_search(finding_search, rowid, message) VALUES ('delete', old.id, old.message);
       END""",
    """CREATE TRIGGER finding_search_update AFTER UPDATE OF message ON finding WHEN old.message <> new.message BEGIN
         INSERT INTO finding_search(finding_search, rowid, message) VALUES ('delete', old.id, old.message);
         INSERT INTO finding_search(rowid, message) VALUES (new.id, new.message);
       END""",
    """CREATE TRIGGER audit_is_written_once_update BEFORE UPDATE ON audit BEGIN
         SELECT RAISE(ABORT, 'audit is written once');
       END""",
    """CREATE TRIGGER audit_is_written_once_delete BEFORE DELETE ON audit BEGIN
         SELECT RAISE(ABORT, 'audit is written once');
       END""",
    """CREATE TRIGGER transition_is_written_once_update BEFORE UPDATE ON transition BEGIN
         SELECT RAISE(ABORT, 'transition is written once');
       END""",
)

_POSTGRESQL: Final = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_resource_search ON resource USING gin (name gin_trgm_ops)",
    "CREATE INDEX ix_finding_search ON finding USING gin (message gin_trgm_ops) WHERE closed_at IS NULL",
    """CREATE FUNCTION is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION '% is written once', TG_TABLE_NAME; END $$""",
    """CREATE TRIGGER audit_is_written_once BEFORE UPDATE OR DELETE ON audit
       FOR EACH ROW EXECUTE FUNCTION is_written_once()""",
    """CREATE TRIGGER transition_is_written_once BEFORE UPDATE ON transition
       FOR EACH ROW EXECUTE FUNCTION is_written_once()""",
)
