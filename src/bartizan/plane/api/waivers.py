"""Waivers: asked for, decided by another person, and ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from bartizan.base.errors import SpecError
from bartizan.plane.api.filters import Numbered, Paging, links, part
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import known
from bartizan.plane.api.records import Next
from bartizan.plane.problem import RefusedError
from bartizan.plane.site import ForbiddenError, missing
from bartizan.stores import waivers
from bartizan.stores.queries.waivers import Selected, coverage
from bartizan.stores.scope import admits_all

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.viewer import Permission

_CHOOSING: Final = ("policy", "rule", "kind", "namespace", "name", "path", "fingerprint")
WaiverState: TypeAlias = Literal["asked", "approved", "refused", "ended"]
Selector: TypeAlias = Annotated[str, Meta(max_length=520)]
Words: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4000)]


class Selectors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which findings are accepted: all that are given must match, and what is empty matches all.

    `policy` and what follows may have wildcards.
    """

    cluster: Selector = ""
    namespace: Selector = ""
    team: Selector = ""
    policy: Selector = ""
    rule: Selector = ""
    kind: Selector = ""
    name: Selector = ""
    path: Selector = ""
    fingerprint: Selector = ""


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request to accept findings until a time, which the plane's settings bound."""

    selectors: Selectors
    reason: Words
    ends_at: Annotated[datetime, Meta(tz=True)]
    sure: Annotated[bool, Meta(description="That many findings are meant, where there are.")] = False


class Waiver(msgspec.Struct, frozen=True):
    """A waiver. It holds while it is `approved` and until `ends_at`."""

    number: int
    selectors: Selectors
    reason: str
    state: WaiverState
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    comment: str
    ends_at: datetime


class Waivers(msgspec.Struct, frozen=True):
    """A page of waivers, the last asked first."""

    items: list[Waiver]
    next: Next


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was decided, and why."""

    decision: Literal["approved", "refused"]
    comment: Annotated[str, Meta(max_length=4000)] = ""


class WaiverPage(Paging, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which waivers."""

    state: Annotated[
        tuple[WaiverState, ...], Meta(max_length=4, description="What became of it; may be given several times.")
    ] = ("asked", "approved")


def _list(call: Call[WaiverPage, Nothing], connection: Connection) -> Told:
    found = waivers.waivers(connection, call.scope, tuple(dict.fromkeys(call.given.state)))
    rows, after = part(found, lambda row: f"{2**63 - row.id:020}", call.given.limit, call.given.after)
    return Told(Waivers([_told(row) for row in rows], after), links(call, after))


def _one(call: Call[Numbered, Nothing], connection: Connection) -> Told:
    return Told(_current(call, connection))


def _ask(call: Call[Nothing, Asking], connection: Connection) -> Told:
    chosen = msgspec.to_builtins(call.body.selectors)
    name = chosen.pop("cluster")
    if all(chosen[field].strip("*") == "" for field in _CHOOSING):
        raise SpecError("this waiver would accept everything", hint="Choose findings by one field at least.")
    if not admits_all(call.asked.viewer.scope("ask"), name, chosen["namespace"], chosen["team"]):
        hint = "Name the cluster, namespace and team that are yours."
        raise ForbiddenError("this waiver is for more than you may ask for", hint=hint)
    number = known(call, connection, name)
    _bound(call, connection, Selected(number, **chosen))
    asked = waivers.Asked(chosen, number, call.body.reason, call.person, call.body.ends_at)
    made = waivers.ask(connection, asked, call.now)
    details = {"ends_at": call.body.ends_at, "reason": call.body.reason, "cluster": name, **chosen}
    call.record(connection, "waiver.asked", f"waiver {made}", {key: value for key, value in details.items() if value})
    return Told(_read(call, connection, made), {"Location": f"/api/v1/waivers/{made}"})


def _bound(call: Call[Nothing, Asking], connection: Connection, selected: Selected) -> None:
    """Refuse what holds for too long, or covers more than its writer says to mean."""
    settings = call.asked.site.settings.waivers
    if call.body.ends_at > call.now + timedelta(days=settings.longest_days + 1):
        raise SpecError(f"a waiver holds for {settings.longest_days} days at most", hint="Choose an earlier end.")
    covered = coverage(connection, call.scope, selected, sample=0)
    if covered.total > settings.many and not call.body.sure:
        hint = "Choose fewer, or say with `sure` that all of them are meant."
        raise SpecError(f"this waiver would cover {covered.total:,} findings", hint=hint)


def _decide(call: Call[Numbered, Decision], connection: Connection) -> Told:
    number, body = call.given.number, call.body
    before = _allowed(call, connection, "approve")
    if before.state != "asked":
        raise RefusedError(409, f"waiver {number} was decided already", hint="Read it to see how.")
    waivers.decide(connection, number, body.decision, call.person, call.now, body.comment)
    details = {"decision": body.decision, "comment": body.comment}
    call.record(connection, f"waiver.{body.decision}", f"waiver {number}", details)
    return Told(_read(call, connection, number))


def _end(call: Call[Numbered, Nothing], connection: Connection) -> Told:
    """End a waiver: whoever decides may, and who asked may take their own back."""
    number = call.given.number
    before = _current(call, connection)
    if before.asked_by != call.person:
        before = _allowed(call, connection, "approve")
    if before.state in ("asked", "approved"):
        waivers.end(connection, number, call.now)
        call.record(connection, "waiver.ended", f"waiver {number}", {})
    return Told(_read(call, connection, number))


def _allowed(call: Call[Numbered, Any], connection: Connection, permission: Permission) -> Waiver:
    found = _current(call, connection)
    chosen = found.selectors
    if not admits_all(call.asked.viewer.scope(permission), chosen.cluster, chosen.namespace, chosen.team):
        hint = "Ask somebody who may, for all that it is about."
        raise ForbiddenError(f"you may not decide on waiver {found.number}", hint=hint)
    return found


def _current(call: Call[Numbered, Any], connection: Connection) -> Waiver:
    return _read(call, connection, call.given.number)


def _read(call: Call[Any, Any], connection: Connection, number: int) -> Waiver:
    row = waivers.one(connection, call.scope, number)
    if row is None:
        raise missing(f"waiver {number}")
    return _told(row)


def _told(row: Any) -> Waiver:
    words = (getattr(row, name) for name in Selectors.__struct_fields__[1:])
    selectors = Selectors(row.cluster_name or "", *words)
    decided = (row.decided_by, row.decided_at, row.comment, row.ends_at)
    return Waiver(row.id, selectors, row.reason, row.state, row.asked_by, row.asked_at, *decided)


OPERATIONS: Final = (
    Operation(
        name="list_waivers", method="GET", path="/waivers", tag="Waivers", given=WaiverPage, answer=Waivers,
        summary="Waivers, the last asked first", handle=_list,
    ),
    Operation(
        name="get_waiver", method="GET", path="/waivers/{number}", tag="Waivers", given=Numbered, answer=Waiver,
        summary="One waiver", handle=_one, refusals=(404,),
    ),
    Operation(
        name="ask_waiver", method="POST", path="/waivers", tag="Waivers", body=Asking, answer=Waiver, status=201,
        needs="ask", summary="Ask for findings to be accepted", handle=_ask, refusals=(404,),
        description="It holds once another person has approved it.",
    ),
    Operation(
        name="decide_waiver", method="POST", path="/waivers/{number}/decision", tag="Waivers", given=Numbered,
        body=Decision, answer=Waiver, needs="approve", summary="Approve or refuse a waiver", handle=_decide,
        current=_current, refusals=(404, 409), description="Who asked for it cannot decide on it.",
    ),
    Operation(
        name="end_waiver", method="POST", path="/waivers/{number}/end", tag="Waivers", given=Numbered, answer=Waiver,
        needs="ask", summary="End a waiver before its time", handle=_end, current=_current, refusals=(404,),
        description="Who asked for it may, and who may decide on it. One that has ended stays as it is.",
    ),
)  # fmt: skip  # a line says what, another does how
