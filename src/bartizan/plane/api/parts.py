"""The part of the fleet that numbers are asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from bartizan.plane.api.filters import ClusterName, OneNamespace, OneTeam
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
    namespace: OneNamespace | UnsetType = UNSET
    team: OneTeam | UnsetType = UNSET


def chosen(call: Call[Any, Any], connection: Connection, given: InPart) -> Chosen:
    """What was chosen, and the scope that is left of the viewer's.

    Raises:
        NotThereError: there is no such cluster, or nothing of it that the viewer may see.
    """
    if given.cluster and not overview.fleet(connection, call.scope, given.cluster):
        raise missing(f"cluster `{given.cluster}`")
    namespace = None if given.namespace is UNSET else given.namespace
    team = None if given.team is UNSET else given.team
    scope = narrowed(call.scope, cluster=given.cluster, namespace=namespace, team=team)
    return Chosen(given.cluster, namespace or "", team or "", scope, [], [])
