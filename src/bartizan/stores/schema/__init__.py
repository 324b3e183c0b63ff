"""The tables, once for both engines; what only one of them can do (search) stands in the migrations.

Rows that a viewer's scope decides on name their `place`; see `stores.scope`.
"""

from __future__ import annotations

from bartizan.stores.schema.answers import answer
from bartizan.stores.schema.columns import COUNTS, METADATA
from bartizan.stores.schema.decisions import attestation, audit, document, waiver
from bartizan.stores.schema.history import entry, finding, rollup, tally, total, transition
from bartizan.stores.schema.inventory import (
    adoption,
    body,
    cluster,
    edition,
    generation,
    place,
    resource,
    rollout,
    rule,
    rule_set,
    stream,
)
from bartizan.stores.schema.people import account, outbox, role, session, throttle, token

__all__ = [
    "COUNTS",
    "METADATA",
    "account",
    "adoption",
    "answer",
    "attestation",
    "audit",
    "body",
    "cluster",
    "document",
    "edition",
    "entry",
    "finding",
    "generation",
    "outbox",
    "place",
    "resource",
    "role",
    "rollout",
    "rollup",
    "rule",
    "rule_set",
    "session",
    "stream",
    "tally",
    "throttle",
    "token",
    "total",
    "transition",
    "waiver",
]
