"""Members of the fleet: who they are, how far each is from compliant, and their coming and going."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from bartizan.fleet import state
from bartizan.model.fleet import Cluster as Member
from bartizan.plane.api import records
from bartizan.plane.api.filters import InCluster, Paging, links, part
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.site import ForbiddenError, missing
from bartizan.stores import clusters
from bartizan.stores.queries import overview
from bartizan.stores.scope import admits_all

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.queries.overview import ClusterView

_LEAST_LEASE_S: Final = 60
"""Even a cluster that is watched is not expected to be heard of more often."""
_NAME: Final = r"^[A-Za-z0-9]([A-Za-z0-9._/@:-]{0,251}[A-Za-z0-9])?$"
Text: TypeAlias = Annotated[str, Meta(max_length=253)]


class Clusters(msgspec.Struct, frozen=True):
    """A page of the fleet, in the order of names."""

    items: list[records.Cluster]
    next: records.Next


class Namespaces(msgspec.Struct, frozen=True):
    """The namespaces of a cluster, in the order of names."""

    items: list[records.Namespace]
    next: records.Next


class ClusterPage(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which members."""

    left: Annotated[bool, Meta(description="With those that have left.")] = False


class NamespacesOf(InCluster, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which namespaces."""

    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most.")] = 50
    after: Annotated[str, Meta(max_length=500, description="The `next` of the page before.")] = ""


class ToJoin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a new member: letters, digits and `.`, `_`, `-`, `/`, `:`, `@` between them."""

    cluster: Annotated[str, Meta(pattern=_NAME, description="The name of a cluster.")]


class Joining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be known of a member. `interval_s` is how often it promises to be heard of."""

    kind: Literal["agent", "context", "folder"] = "agent"
    labels: Annotated[dict[Text, Text], Meta(max_length=64)] = {}
    interval_s: Annotated[int, Meta(ge=10, le=604_800)] = 300


class Leaving(InCluster, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which member leaves, and what stays."""

    forget: Annotated[bool, Meta(description="Take all its history away too. This cannot be undone.")] = False


def _list(call: Call[ClusterPage, Nothing], connection: Connection) -> Told:
    views = [one for one in overview.fleet(connection, call.scope) if call.given.left or one.left_at is None]
    rows, after = part(views, lambda view: view.name, call.given.limit, call.given.after)
    return Told(Clusters([_told(view, call) for view in rows], after), links(call, after))


def _one(call: Call[InCluster, Nothing], connection: Connection) -> Told:
    return Told(_told(_view(call, connection, call.given.cluster), call))


def _namespaces(call: Call[NamespacesOf, Nothing], connection: Connection) -> Told:
    _view(call, connection, call.given.cluster)
    views = overview.namespaces(connection, call.scope, call.given.cluster)
    rows, after = part(views, lambda view: f" {view.namespace}", call.given.limit, call.given.after)
    return Told(Namespaces([records.namespace(view) for view in rows], after), links(call, after))


def _join(call: Call[ToJoin, Joining], connection: Connection) -> Told:
    name, body = call.given.cluster, call.body
    _allow(call, name)
    clusters.joining(connection, Member(name, body.kind, body.labels, call.now), body.interval_s)
    call.record(connection, "cluster.joined", f"cluster {name}", msgspec.to_builtins(body))
    found = overview.fleet(connection, call.scope, name)
    if not found:
        raise ForbiddenError(f"you may not see `{name}`", hint="Ask an administrator for the role.")
    return Told(_told(found[0], call))


def _leave(call: Call[Leaving, Nothing], connection: Connection) -> Told:
    name = call.given.cluster
    view = _view(call, connection, name)
    _allow(call, name)
    if call.given.forget:
        clusters.forgetting(connection, name)
        call.record(connection, "cluster.forgotten", f"cluster {name}", {"objects": view.objects})
    elif view.left_at is None:
        clusters.leaving(connection, name, call.now)
        call.record(connection, "cluster.left", f"cluster {name}", {})
    return Told(None)


def _view(call: Call[Any, Any], connection: Connection, name: str) -> ClusterView:
    found = overview.fleet(connection, call.scope, name)
    if not found:
        raise missing(f"cluster `{name}`")
    return found[0]


def _allow(call: Call[Any, Any], name: str) -> None:
    if not admits_all(call.asked.viewer.scope("operate"), name):
        raise ForbiddenError(f"you may not operate all of `{name}`", hint="Ask an administrator for the role.")


def _told(view: ClusterView, call: Call[Any, Any]) -> records.Cluster:
    return records.cluster(view, state(view.last_seen, max(view.interval_s, _LEAST_LEASE_S), call.now))


OPERATIONS: Final = (
    Operation(
        name="list_clusters", method="GET", path="/clusters", tag="Fleet", given=ClusterPage, answer=Clusters,
        summary="The members of the fleet, with their numbers", handle=_list,
    ),
    Operation(
        name="get_cluster", method="GET", path="/clusters/{cluster}", tag="Fleet", given=InCluster,
        answer=records.Cluster, summary="One member", handle=_one, refusals=(404,),
    ),
    Operation(
        name="list_namespaces", method="GET", path="/clusters/{cluster}/namespaces", tag="Fleet", given=NamespacesOf,
        answer=Namespaces, summary="The namespaces of a cluster, with their numbers", handle=_namespaces,
        refusals=(404,),
    ),
    Operation(
        name="join_cluster", method="PUT", path="/clusters/{cluster}", tag="Fleet", given=ToJoin, body=Joining,
        answer=records.Cluster, needs="operate", summary="Let a cluster join, or say anew what it is", handle=_join,
        description="One that has left joins again, with its history.",
    ),
    Operation(
        name="leave_cluster", method="DELETE", path="/clusters/{cluster}", tag="Fleet", given=Leaving, status=204,
        needs="operate", summary="Let a cluster leave", handle=_leave, refusals=(404,),
        description="What is known of it stays, unless it is to be forgotten.",
    ),
)  # fmt: skip  # a line says what, another does how
