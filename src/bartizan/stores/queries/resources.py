"""Objects: lists of them, and one with its body and all that is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from bartizan.model.ledger import Verdict
from bartizan.model.resource import ResourceId
from bartizan.stores.known import facts_of
from bartizan.stores.prepare import content_of
from bartizan.stores.queries.pages import Page, Part, paged
from bartizan.stores.schema import body, cluster, place, resource, rule_set
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from bartizan.stores.scope import Scope


@dataclass(frozen=True, slots=True)
class ResourceView:
    """An object by `number`, and where and when it was seen."""

    number: int
    cluster: str
    id: ResourceId
    team: str
    uid: str
    labels: dict[str, str]
    first_seen: datetime
    last_seen: datetime
    judged_at: datetime
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objects; what is empty does not choose. What is gone is left out unless asked for."""

    cluster: str = ""
    namespace: str | None = None
    team: str | None = None
    kind: str = ""
    name: str = ""
    gone: bool = False


def resources(connection: Connection, scope: Scope, wanted: Wanted, page: Page) -> Part[ResourceView]:
    """Objects, the newest first; picked and then read, as findings are."""
    query = select(resource.c.id).where(within(scope, resource.c.place))
    if wanted.cluster:
        numbers = select(cluster.c.id).where(cluster.c.name == wanted.cluster)
        query = query.where(resource.c.cluster == numbers.scalar_subquery())
    for given, column in ((wanted.kind, resource.c.kind), (wanted.name, resource.c.name)):
        if given:
            query = query.where(column == given)
    for chosen, column in ((wanted.namespace, place.c.namespace), (wanted.team, place.c.team)):
        if chosen is not None:
            query = query.where(resource.c.place.in_(select(place.c.id).where(column == chosen)))
    if not wanted.gone:
        query = query.where(resource.c.gone_at.is_(None))
    picked = paged(connection, query, [resource.c.id], page, lambda row: int(row.id))
    rows = {row.id: row for row in connection.execute(_query(scope).where(resource.c.id.in_(picked.rows)))}
    return Part([_read(rows[number]) for number in picked.rows], picked.next)


def kinds(connection: Connection, scope: Scope, name: str, namespace: str | None = None) -> list[tuple[str, int]]:
    """How many objects of each kind a cluster or a namespace of it has, the most first."""
    mine = select(place.c.id).join(cluster, cluster.c.id == place.c.cluster)
    mine = mine.where(cluster.c.name == name, within(scope, place.c.id))
    if namespace is not None:
        mine = mine.where(place.c.namespace == namespace)
    live = select(resource.c.kind, func.count()).where(resource.c.place.in_(mine), resource.c.gone_at.is_(None))
    counted = live.group_by(resource.c.kind).order_by(func.count().desc(), resource.c.kind)
    return [(kind, int(number)) for kind, number in connection.execute(counted)]


def one(connection: Connection, scope: Scope, number: int) -> ResourceView | None:
    """An object by its number; nothing where there is none that the viewer may see."""
    row = connection.execute(_query(scope).where(resource.c.id == number)).one_or_none()
    return None if row is None else _read(row)


def body_of(connection: Connection, scope: Scope, number: int) -> Any | None:
    """The object itself, without its secrets; nothing where it is not kept any more, or not the viewer's to see."""
    wanted = select(body.c.content).join(resource, resource.c.id == body.c.resource)
    kept = connection.execute(wanted.where(resource.c.id == number, within(scope, resource.c.place))).scalar()
    return None if kept is None else content_of(kept)


def verdicts(connection: Connection, scope: Scope, number: int) -> dict[str, Verdict]:
    """What each rule that was asked says of an object."""
    wanted = select(resource.c.verdicts, rule_set.c.editions).join(rule_set, rule_set.c.id == resource.c.rule_set)
    row = connection.execute(wanted.where(resource.c.id == number, within(scope, resource.c.place))).one_or_none()
    if row is None:
        return {}
    asked = facts_of(connection, row.editions)
    return {facts.id: Verdict(byte) for facts, byte in zip(asked, row.verdicts, strict=True) if byte}


def _query(scope: Scope) -> Select[Any]:
    return (
        select(resource, cluster.c.name.label("cluster_name"), place.c.namespace, place.c.team)
        .join(place, place.c.id == resource.c.place)
        .join(cluster, cluster.c.id == resource.c.cluster)
        .where(within(scope, resource.c.place))
    )


def _read(row: Any) -> ResourceView:
    name = ResourceId(row.group, row.version, row.kind, row.namespace, row.name)
    times = (row.first_seen, row.last_seen, row.judged_at, row.gone_at)
    return ResourceView(row.id, row.cluster_name, name, row.team, row.uid, row.labels, *times)
