"""Attestations to what no rule can see: made, listed and withdrawn."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.catalog.loader import load_catalog
from bartizan.catalog.scoring import attested_name
from bartizan.plane.api.filters import After, Limit, Numbered, links, part
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import known
from bartizan.plane.api.records import Next
from bartizan.plane.api.scoring import FrameworkName
from bartizan.plane.site import ForbiddenError, missing
from bartizan.stores import attesting, waivers
from bartizan.stores.scope import admits_all

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.attesting import Attested

_LONGEST: Final = timedelta(days=733)


class AttestationPage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which attestations."""

    framework: FrameworkName = ""
    holding: Annotated[bool, Meta(description="Only those that hold now.")] = False
    limit: Limit = 50
    after: After = ""


class Attesting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word for a control, of one cluster or of the whole fleet, until a time within two years."""

    framework: Annotated[str, Meta(min_length=1, max_length=253)]
    control: Annotated[str, Meta(min_length=1, max_length=253)]
    statement: Annotated[str, Meta(min_length=1, max_length=4000)]
    evidence: Annotated[str, Meta(min_length=1, max_length=4000)]
    ends_at: Annotated[datetime, Meta(tz=True)]
    percent: Annotated[int, Meta(ge=0, le=100)] = 100
    cluster: Annotated[str, Meta(max_length=253)] = ""


class Attestation(msgspec.Struct, frozen=True):
    """Somebody's word for a control. `cluster` is empty where it is for the whole fleet."""

    number: int
    framework: str
    control: str
    cluster: str
    percent: int
    statement: str
    evidence: str
    made_by: str
    made_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None
    holds: bool


class Attestations(msgspec.Struct, frozen=True):
    """A page of attestations, the newest first."""

    items: list[Attestation]
    next: Next


def _list(call: Call[AttestationPage, Nothing], connection: Connection) -> Told:
    given = call.given
    found = attesting.attested(connection, call.scope, given.framework)
    kept = [one for one in found if one.holds(call.now) or not given.holding]
    rows, after = part(kept, lambda one: f"{2**63 - one.number:020}", given.limit, given.after)
    return Told(Attestations([_told(one, call) for one in rows], after), links(call, after))


def _attest(call: Call[Nothing, Attesting], connection: Connection) -> Told:
    body = call.body
    _permit(call, body.cluster)
    number = known(call, connection, body.cluster)
    if body.ends_at > call.now + _LONGEST:
        raise SpecError("an attestation holds for two years at most", hint="Choose an earlier end.")
    values: dict[str, Any] = {
        "framework": body.framework,
        "control": _control(body.framework, body.control),
        "percent": body.percent,
        "statement": body.statement,
        "evidence": body.evidence,
        "made_by": call.person,
        "ends_at": body.ends_at,
        "cluster": number,
    }
    made = waivers.attest(connection, values, call.now)
    told = {"id": made, "cluster": body.cluster, "percent": body.percent, "until": body.ends_at.date().isoformat()}
    call.record(connection, "attestation.made", f"{body.framework}:{values['control']}", told)
    return Told(_told(_one(call, connection, made), call))


def _withdraw(call: Call[Numbered, Nothing], connection: Connection) -> Told:
    found = _one(call, connection, call.given.number)
    _permit(call, found.cluster)
    if found.holds(call.now):
        attesting.withdraw(connection, found.number, call.now)
        call.record(connection, "attestation.withdrawn", f"{found.framework}:{found.control}", {"id": found.number})
    return Told(None)


def _one(call: Call[Any, Any], connection: Connection, number: int) -> Attested:
    found = attesting.one(connection, call.scope, number)
    if found is None:
        raise missing(f"attestation {number}")
    return found


def _permit(call: Call[Any, Any], cluster: str) -> None:
    """A word for a cluster is given by who decides for all of it; one for the fleet by who decides everywhere."""
    viewer = call.asked.viewer
    may = admits_all(viewer.scope("approve"), cluster) if cluster else viewer.may_everywhere("approve")
    if not may:
        where = f"cluster `{cluster}`" if cluster else "the whole fleet"
        raise ForbiddenError(f"`{viewer.name}` may not attest for {where}", hint="Attest where you approve.")


def _control(framework: str, control: str) -> str:
    """What a score calls the attested part of a control."""
    every = load_catalog().frameworks
    if framework not in every:
        raise SpecError(f"there is no framework `{framework}`", hint=did_you_mean(framework, every))
    demand = every[framework].controls.get(control)
    if demand is None:
        raise SpecError(f"there is no control `{control}`", hint=did_you_mean(control, every[framework].controls))
    if not demand.manual:
        raise SpecError(f"control `{control}` is shown by rules alone", hint="Mend what they find.")
    return attested_name(control, demand)


def _told(one: Attested, call: Call[Any, Any]) -> Attestation:
    what = (one.number, one.framework, one.control, one.cluster, one.percent, one.statement, one.evidence)
    return Attestation(*what, one.made_by, one.made_at, one.ends_at, one.withdrawn_at, one.holds(call.now))


OPERATIONS: Final = (
    Operation(
        name="list_attestations", method="GET", path="/attestations", tag="Frameworks", given=AttestationPage,
        answer=Attestations, summary="Attestations, the newest first", handle=_list,
    ),
    Operation(
        name="attest", method="POST", path="/attestations", tag="Frameworks", body=Attesting, answer=Attestation,
        status=201, needs="approve", summary="Attest to a control that no rule can see", handle=_attest,
        refusals=(404,),
    ),
    Operation(
        name="withdraw_attestation", method="DELETE", path="/attestations/{number}", tag="Frameworks", given=Numbered,
        status=204, needs="approve", summary="Take an attestation back", handle=_withdraw, refusals=(404,),
        description="What it said until then stays said.",
    ),
)  # fmt: skip  # a line says what, another does how
