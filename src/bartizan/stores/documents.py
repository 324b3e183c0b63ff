"""The texts of policies, kept by whoever compiles them, so that a page can show what a rule says."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from bartizan.stores.bulk import storable, unless_there
from bartizan.stores.schema import document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

LONGEST: Final = 1 << 18
"""Characters of a policy that is kept: Kubernetes takes no object of more than about a million."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy as it is written. `policy` is what rules are named after; `source` says where it was read."""

    policy: str
    content: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A text with the times at which it was first and last compiled."""

    text: PolicyText
    first_seen: datetime
    last_seen: datetime


def keep(connection: Connection, texts: Iterable[PolicyText], at: datetime) -> None:
    """Keep the texts that are in use; one that is too long is passed over."""
    for one in texts:
        content = storable(one.content)
        if len(content) > LONGEST:
            continue
        name, digest = storable(one.policy), blake2b(content.encode(), digest_size=16).hexdigest()
        row = {"policy": name, "digest": digest, "source": storable(one.source), "content": content}
        connection.execute(unless_there(connection, document), {**row, "first_seen": at, "last_seen": at})
        same = (document.c.policy == name) & (document.c.digest == digest)
        connection.execute(update(document).where(same).values(last_seen=at, source=row["source"]))


def texts(connection: Connection, policy: str, limit: int = 20) -> list[Kept]:
    """The texts of a policy, the one in use first."""
    wanted = select(document).where(document.c.policy == storable(policy))
    rows = connection.execute(wanted.order_by(document.c.last_seen.desc(), document.c.id.desc()).limit(limit))
    return [Kept(PolicyText(row.policy, row.content, row.source), row.first_seen, row.last_seen) for row in rows]
