"""Waivers asked for, decided by another person, and ended; and attestations to what no rule can see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, insert, or_, select, update

from bartizan.base.errors import SpecError
from bartizan.stores.bulk import storable
from bartizan.stores.schema import attestation, cluster, waiver
from bartizan.stores.scope import within_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from bartizan.stores.scope import Scope

_SELECTORS: Final = ("namespace", "team", "policy", "rule", "kind", "name", "path", "fingerprint")
_DECISIONS: Final = frozenset({"approved", "refused"})
_PREFIX: Final = "W-"


class Asked(NamedTuple):
    """What is to be accepted: where, in which cluster (nothing for the whole fleet), why, and until when."""

    selectors: Mapping[str, str]
    cluster: int | None
    reason: str
    by: str
    ends_at: datetime


def ask(connection: Connection, asked: Asked, at: datetime) -> int:
    """Ask for a waiver. Returns its number.

    Raises:
        SpecError: it gives no reason, has ended before it began, or selects by what there is not.
    """
    if not asked.reason.strip():
        raise SpecError("a waiver needs a reason")
    if asked.ends_at <= at:
        raise SpecError("a waiver must end in the future")
    if not asked.selectors.keys() <= set(_SELECTORS):
        raise SpecError(f"a waiver cannot choose by `{min(asked.selectors.keys() - set(_SELECTORS))}`")
    words = {name: storable(value) for name, value in asked.selectors.items()}
    values = {"reason": storable(asked.reason), "asked_by": storable(asked.by), "asked_at": at, "state": "asked"}
    made = insert(waiver).values(cluster=asked.cluster, ends_at=asked.ends_at, **values, **words)
    return int(connection.execute(made.returning(waiver.c.id)).scalar_one())


def decide(connection: Connection, number: int, decision: str, by: str, at: datetime, comment: str = "") -> None:
    """Approve or refuse a waiver that was asked for.

    Raises:
        SpecError: it was decided already, asked for by the same person, or would have ended by now.
    """
    if decision not in _DECISIONS:
        raise SpecError(f"`{decision}` is no decision", hint="Say `approved` or `refused`.")
    found = connection.execute(select(waiver).where(waiver.c.id == number).with_for_update()).one_or_none()
    if found is None or found.state != "asked":
        raise SpecError("no waiver waits for this decision")
    if found.asked_by == storable(by):
        raise SpecError("who asks for a waiver cannot decide on it", hint="Let another person decide.")
    if decision == "approved" and found.ends_at <= at:
        raise SpecError("the time that this waiver was asked for is over", hint="Ask for it again.")
    values = {"state": decision, "decided_by": storable(by), "decided_at": at, "comment": storable(comment)}
    connection.execute(update(waiver).where(waiver.c.id == number).values(values))


def end(connection: Connection, number: int, at: datetime) -> None:
    """End a waiver before its time."""
    mine = and_(waiver.c.id == number, waiver.c.state.in_(("asked", "approved")))
    connection.execute(update(waiver).where(mine).values(state="ended", ends_at=at))


def one(connection: Connection, scope: Scope, number: int) -> Row[*tuple[Any, ...]] | None:
    """A waiver by its number, with `cluster_name`; nothing where there is none that the viewer may see."""
    mine = within_names(scope, waiver.c.cluster, waiver.c.namespace, waiver.c.team)
    named = select(waiver, cluster.c.name.label("cluster_name")).outerjoin(cluster, cluster.c.id == waiver.c.cluster)
    return connection.execute(named.where(mine, waiver.c.id == number)).one_or_none()


def name_of(number: int) -> str:
    """What findings call the waiver of that number."""
    return f"{_PREFIX}{number}"


def number_of(name: str) -> int | None:
    """The number of the waiver that a finding names; nothing where that was kept in a file."""
    number = name.removeprefix(_PREFIX)
    return int(number) if number != name and number.isascii() and number.isdecimal() and len(number) < 19 else None


def in_force(connection: Connection, at: datetime, number: int | None = None) -> list[Row[*tuple[Any, ...]]]:
    """The waivers that hold at a time, of the whole fleet and of one cluster: for the engine, and so for no viewer."""
    holds = and_(waiver.c.state == "approved", waiver.c.decided_at <= at, waiver.c.ends_at > at)
    where = (
        waiver.c.cluster.is_(None) if number is None else or_(waiver.c.cluster.is_(None), waiver.c.cluster == number)
    )
    return list(connection.execute(select(waiver).where(holds, where).order_by(waiver.c.id)))


def waivers(
    connection: Connection, scope: Scope, states: tuple[str, ...] = ("asked", "approved")
) -> list[Row[*tuple[Any, ...]]]:
    """Waivers that a viewer may see, the last asked first; one for all of a cluster shows to who sees all of it."""
    mine = within_names(scope, waiver.c.cluster, waiver.c.namespace, waiver.c.team)
    named = select(waiver, cluster.c.name.label("cluster_name")).outerjoin(cluster, cluster.c.id == waiver.c.cluster)
    return list(connection.execute(named.where(mine, waiver.c.state.in_(states)).order_by(waiver.c.id.desc())))


def attest(connection: Connection, values: Mapping[str, Any], at: datetime) -> int:
    """Attest to a control that no rule can check.

    `values` are `framework`, `control`, `statement`, `evidence`, `made_by`, `ends_at` and, for one alone, `cluster`;
    `percent` where it is not met in full.
    """
    if values["ends_at"] <= at:
        raise SpecError("an attestation must end in the future")
    kept = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
    made = insert(attestation).values(made_at=at, **kept).returning(attestation.c.id)
    return int(connection.execute(made).scalar_one())


def attestations(connection: Connection, at: datetime) -> list[Row[*tuple[Any, ...]]]:
    """Attestations that hold at a time."""
    holds = and_(attestation.c.made_at <= at, attestation.c.ends_at > at, attestation.c.withdrawn_at.is_(None))
    return list(connection.execute(select(attestation).where(holds).order_by(attestation.c.id)))
