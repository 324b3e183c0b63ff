"""The part of the fleet that numbers are asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bartizan.plane.api.filters import ClusterName, OneNamespace, OneTeam, named
from bartizan.plane.part import Chosen
from bartizan.plane.site import missing
from bartizan.stores.queries import overview
from bartizan.stores.scope import narrowed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.api.operation import Call


class InPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cluster, a namespace, a team, what is in all that are given, or all that you may see."""

    cluster: ClusterName = ""
    namespace: OneNamespace = ""
    team: OneTeam = ""


def known(call: Call[Any, Any], connection: Connection, name: str) -> int | None:
    """The number of a cluster that is named; nothing where none is.

    Raises:
        NotThereError: there is no such cluster, or nothing of it that the viewer may see.
    """
    if not name:
        return None
    number = overview.number_of(connection, call.scope, name)
    if number is None:
        raise missing(f"cluster `{name}`")
    return number


def chosen(call: Call[Any, Any], connection: Connection, given: InPart) -> Chosen:
    """What was chosen, and the scope that is left of the viewer's.

    Raises:
        NotThereError: there is no such cluster, or nothing of it that the viewer may see.
    """
    known(call, connection, given.cluster)
    scope = narrowed(call.scope, cluster=given.cluster, namespace=named(given.namespace), team=named(given.team))
    return Chosen(given.cluster, given.namespace, given.team, scope, [], [])
