"""Findings: lists of them, the worst first, and the life of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.plane.api import records
from bartizan.plane.api.filters import FindingPage, Numbered, links, page_of
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import known
from bartizan.plane.site import missing
from bartizan.stores.queries import findings

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Findings(msgspec.Struct, frozen=True):
    """A page of findings, the worst first, and of these the newest."""

    items: list[records.Finding]
    next: records.Next


class Life(msgspec.Struct, frozen=True):
    """A finding, and what happened to it from its first sight on."""

    finding: records.Finding
    history: list[records.Step]


def _list(call: Call[FindingPage, Nothing], connection: Connection) -> Told:
    known(call, connection, call.given.cluster)
    found = findings.findings(connection, call.scope, call.given.wanted(), page_of(call.given))
    return Told(Findings([records.finding(view) for view in found.rows], found.next), links(call, found.next))


def _one(call: Call[Numbered, Nothing], connection: Connection) -> Told:
    number = call.given.number
    view = findings.one(connection, call.scope, number)
    if view is None:
        raise missing(f"finding {number}")
    steps = findings.history(connection, call.scope, number)
    return Told(Life(records.finding(view), [records.step(one) for one in steps]))


OPERATIONS: Final = (
    Operation(
        name="list_findings", method="GET", path="/findings", tag="Findings", given=FindingPage, answer=Findings,
        summary="Findings, the worst first", handle=_list, refusals=(404,),
        description="Those that are open, unless `state` says otherwise. An export takes the same parameters.",
    ),
    Operation(
        name="get_finding", method="GET", path="/findings/{number}", tag="Findings", given=Numbered, answer=Life,
        summary="One finding, with its history", handle=_one, refusals=(404,),
    ),
)  # fmt: skip  # a line says what, another does how
