"""Everything that a viewer may see, object by object, in pieces that fit into memory: for judgements over all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, func, or_, select

from bartizan.stores.known import facts_of
from bartizan.stores.schema import body, cluster, place, resource, rule_set
from bartizan.stores.scope import within

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Select

    from bartizan.stores.scope import Scope


class Kept(NamedTuple):
    """One object. `content` is its body, compressed; `verdicts` are what the rules of `rule_set` say of it now."""

    number: int
    cluster: int
    cluster_name: str
    namespace: str
    kind: str
    name: str
    rule_set: int | None
    verdicts: bytes
    content: bytes


def count(connection: Connection, scope: Scope, kinds: Collection[str] | None) -> int:
    """How many objects there are of some kinds, or of all."""
    return int(connection.execute(_there(select(func.count()), scope, kinds)).scalar_one())


def sizes(
    connection: Connection, scope: Scope, kinds: Collection[str] | None, after: int, limit: int
) -> list[tuple[int, int]]:
    """The next objects by number, each with the bytes that its body is kept in."""
    query = _there(select(resource.c.id, func.length(body.c.content)), scope, kinds)
    rows = connection.execute(query.where(resource.c.id > after).order_by(resource.c.id).limit(limit))
    return [(row[0], row[1]) for row in rows]


def objects(connection: Connection, scope: Scope, numbers: Sequence[int]) -> list[Kept]:
    """Objects by number, with their bodies; those that went meanwhile are left out."""
    columns = (
        resource.c.id, resource.c.cluster, cluster.c.name.label("cluster_name"), place.c.namespace, resource.c.kind,
        resource.c.name, resource.c.rule_set, resource.c.verdicts, body.c.content,
    )  # fmt: skip  # as the record stands
    query = (
        select(*columns)
        .join(body, body.c.resource == resource.c.id)
        .join(place, place.c.id == resource.c.place)
        .join(cluster, cluster.c.id == resource.c.cluster)
        .where(resource.c.id.in_(numbers), within(scope, resource.c.place), resource.c.gone_at.is_(None))
        .order_by(resource.c.id)
    )
    return [Kept(*row[:7], bytes(row.verdicts), bytes(row.content)) for row in connection.execute(query)]


def labels_of_namespaces(
    connection: Connection, wanted: Collection[tuple[int, str]]
) -> dict[tuple[int, str], dict[str, str]]:
    """The labels of namespaces, by cluster and name: for rules that choose by them, and not to be shown.

    The caller has seen an object in each: a namespace of others is not asked for.
    """
    if not wanted:
        return {}
    by_cluster: dict[int, set[str]] = {}
    for number, namespace in wanted:
        by_cluster.setdefault(number, set()).add(namespace)
    which = [and_(resource.c.cluster == number, resource.c.name.in_(names)) for number, names in by_cluster.items()]
    own = select(place.c.id).where(place.c.cluster.in_(by_cluster), place.c.namespace == "")
    query = select(resource.c.cluster, resource.c.name, resource.c.labels).where(
        or_(*which), resource.c.place.in_(own), resource.c.kind == "Namespace", resource.c.gone_at.is_(None)
    )
    return {(row.cluster, row.name): _texts(row.labels) for row in connection.execute(query)}


def columns_of(connection: Connection, number: int) -> dict[str, int]:
    """Which byte of an object's verdicts is of which rule, for the objects of a set of rules."""
    editions = connection.execute(select(rule_set.c.editions).where(rule_set.c.id == number)).scalar()
    return {facts.id: column for column, facts in enumerate(facts_of(connection, editions or []))}


def _there(query: Select[Any], scope: Scope, kinds: Collection[str] | None) -> Select[Any]:
    query = query.select_from(resource).join(body, body.c.resource == resource.c.id)
    here = select(cluster.c.id).where(cluster.c.left_at.is_(None))
    query = query.where(within(scope, resource.c.place), resource.c.gone_at.is_(None), resource.c.cluster.in_(here))
    return query if kinds is None else query.where(resource.c.kind.in_(list(kinds)))


def _texts(labels: Any) -> dict[str, str]:
    if not isinstance(labels, dict):
        return {}
    return {name: value for name, value in labels.items() if isinstance(value, str)}
