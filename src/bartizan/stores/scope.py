"""What a viewer may see: the one place where it becomes part of a query.

Whatever is somewhere names its `place`, a row of cluster, namespace and team.
So every query asks for permission with the same condition, and no query can
ask in its own words. Counts are kept by place too: nobody learns from a sum
what they may not read row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from sqlalchemy import and_, or_, select, true

from bartizan.stores.bulk import storable
from bartizan.stores.schema import cluster, place

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Permission to see what is in these clusters, namespaces and teams, by name; nothing where all are meant.

    A cluster's own objects are in the namespace ``, which a list has to name.
    """

    clusters: tuple[str, ...] | None = None
    namespaces: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is for all that is in its clusters."""
        return self.namespaces is None and self.teams is None


Scope: TypeAlias = tuple[Grant, ...]
"""All grants of a viewer: what one of them admits is seen. No grant sees nothing."""

EVERYTHING: Final[Scope] = (Grant(),)


def admits(scope: Scope, where: tuple[str, str, str]) -> bool:
    """Whether a viewer may see what is in a cluster, namespace and team."""
    return any(
        all(
            names is None or name in names
            for name, names in zip(where, (one.clusters, one.namespaces, one.teams), strict=True)
        )
        for one in scope
    )


def admits_all(scope: Scope, cluster_name: str, namespace: str = "", team: str = "") -> bool:
    """Whether one grant is for all that a waiver is for: of its cluster, namespace and team, empty for all of them."""
    return any(
        all(
            names is None or (bool(name) and name in names)
            for name, names in zip(
                (cluster_name, namespace, team), (one.clusters, one.namespaces, one.teams), strict=True
            )
        )
        for one in scope
    )


def narrowed(scope: Scope, *, cluster: str = "", namespace: str | None = None, team: str | None = None) -> Scope:
    """What of a scope is in one cluster, namespace or team: a part of the fleet is asked for as if seeing no more."""
    found = []
    for one in scope:
        clusters = _only(one.clusters, cluster or None)
        namespaces, teams = _only(one.namespaces, namespace), _only(one.teams, team)
        if () not in (clusters, namespaces, teams):
            found.append(Grant(clusters, namespaces, teams))
    return tuple(dict.fromkeys(found))


def _only(names: tuple[str, ...] | None, name: str | None) -> tuple[str, ...] | None:
    if name is None:
        return names
    return (name,) if names is None or name in names else ()


def is_whole(scope: Scope) -> bool:
    """Whether a viewer sees all or nothing of each cluster, so that its sums are theirs too."""
    return all(one.is_whole for one in scope)


def within(scope: Scope, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a row's place is one the viewer may see."""
    if Grant() in scope:
        return true()
    return column.in_(_places(scope, place.c.id))


def members(scope: Scope, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that a cluster is one in which the viewer may see something."""
    if Grant() in scope:
        return true()
    whole = [one for one in scope if one.is_whole]
    parts = tuple(one for one in scope if not one.is_whole)
    named = [_clusters(one, column) for one in whole]
    return or_(*named, column.in_(_places(parts, place.c.cluster))) if parts else or_(column.is_(None), *named)


def wholes(scope: Scope, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that the viewer may see all of a cluster: its problems, and decisions for all that is in it."""
    return members(tuple(one for one in scope if one.is_whole), column)


def within_names(
    scope: Scope, number: ColumnElement[Any], namespace: ColumnElement[Any], team: ColumnElement[Any]
) -> ColumnElement[bool]:
    """The condition for a row of no place: what is for all namespaces, teams or clusters is seen by who sees all."""
    if Grant() in scope:
        return true()
    return or_(number.is_(None) & number.is_not(None), *(_named(one, number, namespace, team) for one in scope))


def _named(
    grant: Grant, number: ColumnElement[Any], namespace: ColumnElement[Any], team: ColumnElement[Any]
) -> ColumnElement[bool]:
    conditions = [_clusters(grant, number)]
    for names, column in ((grant.namespaces, namespace), (grant.teams, team)):
        if names is not None:
            conditions.append(column.in_([storable(one) for one in names if one]))
    return and_(true(), *conditions)


def _places(scope: Scope, column: ColumnElement[Any]) -> Select[Any]:
    return select(column).where(or_(place.c.id.is_(None), *map(_admitted, scope)))


def _admitted(grant: Grant) -> ColumnElement[bool]:
    conditions = [_clusters(grant, place.c.cluster)]
    for names, name in ((grant.namespaces, place.c.namespace), (grant.teams, place.c.team)):
        if names is not None:
            conditions.append(name.in_([storable(one) for one in names]))
    return and_(true(), *conditions)


def _clusters(grant: Grant, column: ColumnElement[Any]) -> ColumnElement[bool]:
    if grant.clusters is None:
        return true()
    return column.in_(select(cluster.c.id).where(cluster.c.name.in_([storable(one) for one in grant.clusters])))
