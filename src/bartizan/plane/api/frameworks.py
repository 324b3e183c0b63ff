"""Frameworks by control: what rules see of each, and what people attest to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from bartizan.plane import compliance
from bartizan.plane.api import records
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import InPart, chosen
from bartizan.plane.site import missing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.compliance import ControlView, FrameworkRow


class OfFramework(InPart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One framework, over a part of the fleet."""

    framework: Annotated[str, Meta(min_length=1, max_length=253, description="The id of a framework.")]


class Framework(msgspec.Struct, frozen=True):
    """A framework with its numbers, and how many of its controls fail, have no answer, and need or have a word."""

    id: str
    title: str
    source: str
    score: records.Score
    controls: int
    failing: int
    unanswered: int
    manual: int
    attested: int


class Frameworks(msgspec.Struct, frozen=True):
    """All frameworks."""

    items: list[Framework]


class Control(msgspec.Struct, frozen=True):
    """A control. `score` is of what rules see; `attested` of what somebody attested, where that is asked for."""

    id: str
    title: str
    layer: str
    phase: str
    manual: bool
    attest: Annotated[str, Meta(description="What an attestation must say.")]
    days: Annotated[int, Meta(description="For how many days one holds.")]
    rules: tuple[str, ...]
    failing: int
    score: records.Score
    attested: records.Score | None


class WithControls(msgspec.Struct, frozen=True):
    """A framework, control by control."""

    framework: Framework
    controls: list[Control]


def _list(call: Call[InPart, Nothing], connection: Connection) -> Told:
    known = compliance.read(connection, chosen(call, connection, call.given), call.now)
    every = compliance.known(known.rules.facts.values()).values()
    return Told(Frameworks([_told(compliance.row_of(known, one)) for one in every]))


def _one(call: Call[OfFramework, Nothing], connection: Connection) -> Told:
    known = compliance.read(connection, chosen(call, connection, call.given), call.now)
    framework = compliance.known(known.rules.facts.values()).get(call.given.framework)
    if framework is None:
        raise missing(f"framework `{call.given.framework}`")
    controls = [_control(one) for one in compliance.views(known, framework)]
    return Told(WithControls(_told(compliance.row_of(known, framework)), controls))


def _told(row: FrameworkRow) -> Framework:
    named = (row.framework.id, row.framework.title, row.framework.source, records.score(row.score))
    return Framework(*named, row.controls, row.failing, row.unanswered, row.manual, row.attested)


def _control(view: ControlView) -> Control:
    demand = view.demand
    said = (demand.title, demand.layer, demand.phase, demand.manual, demand.attest.strip(), demand.days)
    rules = tuple(rule.name for rule in view.rules)
    attested = records.score(view.attested) if view.attested else None
    return Control(view.name, *said, rules, view.failing, records.score(view.score), attested)


OPERATIONS: Final = (
    Operation(
        name="list_frameworks", method="GET", path="/frameworks", tag="Frameworks", given=InPart, answer=Frameworks,
        summary="All frameworks, with their numbers", handle=_list, refusals=(404,),
    ),
    Operation(
        name="get_framework", method="GET", path="/frameworks/{framework}", tag="Frameworks", given=OfFramework,
        answer=WithControls, summary="One framework, control by control", handle=_one, refusals=(404,),
    ),
)  # fmt: skip  # a line says what, another does how
