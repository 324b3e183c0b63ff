"""Objects: lists of them, and one as it was last seen with what each rule says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.plane.api import records
from bartizan.plane.api.filters import Numbered, ResourcePage, links, page_of
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import known
from bartizan.plane.site import missing
from bartizan.stores.queries import resources

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Resources(msgspec.Struct, frozen=True):
    """A page of objects, the newest first."""

    items: list[records.Resource]
    next: records.Next


class Whole(msgspec.Struct, frozen=True):
    """An object with its body, in which hashes stand for secrets; null where it is not kept any more."""

    resource: records.Resource
    body: dict[str, Any] | None
    verdicts: dict[str, records.VerdictWord]


def _list(call: Call[ResourcePage, Nothing], connection: Connection) -> Told:
    known(call, connection, call.given.cluster)
    found = resources.resources(connection, call.scope, call.given.wanted(), page_of(call.given))
    return Told(Resources([records.resource(view) for view in found.rows], found.next), links(call, found.next))


def _one(call: Call[Numbered, Nothing], connection: Connection) -> Told:
    number = call.given.number
    view = resources.one(connection, call.scope, number)
    if view is None:
        raise missing(f"object {number}")
    said = resources.verdicts(connection, call.scope, number)
    words = {name: records.verdict(verdict) for name, verdict in sorted(said.items())}
    return Told(Whole(records.resource(view), resources.body_of(connection, call.scope, number), words))


OPERATIONS: Final = (
    Operation(
        name="list_resources", method="GET", path="/resources", tag="Objects", given=ResourcePage, answer=Resources,
        summary="Objects, the newest first", handle=_list, refusals=(404,),
    ),
    Operation(
        name="get_resource", method="GET", path="/resources/{number}", tag="Objects", given=Numbered, answer=Whole,
        summary="One object, with its body and all verdicts", handle=_one, refusals=(404,),
    ),
)  # fmt: skip  # a line says what, another does how
