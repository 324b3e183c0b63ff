"""Search over clusters, namespaces, rules, objects and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.stores.queries.search import LONGEST, search

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to look for."""

    q: Annotated[str, Meta(min_length=1, max_length=LONGEST, description="Words, all of which must be found.")]
    limit: Annotated[int, Meta(ge=1, le=100, description="How many of each kind at most.")] = 20


class Hit(msgspec.Struct, frozen=True):
    """Something found. `number` is of the cluster, rule, resource or finding."""

    kind: Literal["cluster", "namespace", "rule", "resource", "finding"]
    number: int
    cluster: str
    namespace: str
    title: str
    detail: str


class Hits(msgspec.Struct, frozen=True):
    """What was found, kind by kind."""

    items: list[Hit]


def _search(call: Call[Asked, Nothing], connection: Connection) -> Told:
    found = search(connection, call.scope, call.given.q, call.given.limit)
    return Told(Hits([Hit(*one) for one in found]))


OPERATIONS: Final = (
    Operation(
        name="search", method="GET", path="/search", tag="Search", given=Asked, answer=Hits,
        summary="Look for words everywhere", handle=_search,
    ),
)  # fmt: skip  # a line says what, another does how
