"""Scores: three numbers of whatever has them, and why they moved."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bartizan.base.errors import SpecError
from bartizan.catalog.scoring import scored
from bartizan.findings.score import FORMULA, Standing, control_scores, movements, sums
from bartizan.findings.score import attested_on as holding_on
from bartizan.plane import compliance
from bartizan.plane.api import records
from bartizan.plane.api.filters import After, Limit, links, part
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import InPart, chosen
from bartizan.plane.api.trends import days_of
from bartizan.plane.site import missing
from bartizan.stores import attesting
from bartizan.stores.queries import scores

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from bartizan.catalog.loader import Framework
    from bartizan.findings.score import Movement as Moved
    from bartizan.findings.score import Score
    from bartizan.model.ledger import RuleFacts
    from bartizan.plane.part import Chosen

Of: TypeAlias = Literal["fleet", "cluster", "namespace", "team", "framework", "control"]
FrameworkName: TypeAlias = Annotated[str, Meta(max_length=253, description="The id of a framework.")]


class ScorePage(InPart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what, and in which part of the fleet."""

    of: Annotated[Of, Meta(description="What has the scores; namespaces are told of one cluster.")] = "fleet"
    framework: FrameworkName = ""
    limit: Limit = 50
    after: After = ""


class ScoreOf(msgspec.Struct, frozen=True):
    """The three numbers of something. A control's name is `framework:control`."""

    of: Of
    name: str
    score: records.Score


class Scores(msgspec.Struct, frozen=True):
    """A page of scores, in the order of names, and the formula they are worked out by."""

    formula: dict[str, str]
    items: list[ScoreOf]
    next: records.Next


class MovementSpan(InPart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Between the ends of which two days, of what, and in which part of the fleet."""

    framework: FrameworkName = ""
    since: Annotated[date, Meta(description="The day before; 30 days before the other.")] | UnsetType = UNSET
    until: Annotated[date, Meta(description="The day after; today.")] | UnsetType = UNSET


class Parts(msgspec.Struct, frozen=True):
    """How far each cause moved a number, as exact fractions: they sum to the whole."""

    findings: str
    rules: str
    scope: str
    exceptions: str
    freshness: str


class Movement(msgspec.Struct, frozen=True):
    """One number between two days; without parts where there was none on one of them."""

    before: records.Number | None
    after: records.Number | None
    delta: str | None
    parts: Parts | None


class Movements(msgspec.Struct, frozen=True):
    """How the three numbers moved, and why."""

    since: date
    until: date
    pass_rate: Movement
    coverage: Movement
    exception_share: Movement


def _scores(call: Call[ScorePage, Nothing], connection: Connection) -> Told:
    given = call.given
    if given.of == "namespace" and not given.cluster:
        raise SpecError("namespaces have scores within a cluster", hint="Name the `cluster`.")
    if given.framework and given.of not in ("framework", "control"):
        raise SpecError(f"a {given.of} is in no framework", hint="Leave `framework` out, or ask `of=control`.")
    where = chosen(call, connection, given)
    found = sorted(_found(call, connection, where), key=lambda one: one[0])
    rows, after = part(found, lambda row: f" {row[0]}", given.limit, given.after)
    items = [ScoreOf(given.of, name, records.score(numbers)) for name, numbers in rows]
    return Told(Scores(dict(FORMULA), items, after), links(call, after))


def _found(call: Call[ScorePage, Nothing], connection: Connection, where: Chosen) -> Iterator[tuple[str, Score]]:
    match call.given.of:
        case "fleet":
            rules = scores.rules(connection, where.scope)
            yield "fleet", sums(rules.counts, rules.facts).score()
        case "framework" | "control":
            yield from _by_framework(call, connection, where)
        case "cluster" | "namespace" | "team" as of:
            for name, rules in scores.rules_by(connection, where.scope, of).items():
                if name:
                    yield name, sums(rules.counts, rules.facts).score()


def _by_framework(call: Call[ScorePage, Nothing], connection: Connection, where: Chosen) -> Iterator[tuple[str, Score]]:
    known = compliance.read(connection, where, call.now)
    holding = holding_on(call.now.date(), known.attestations)
    for framework in _frameworks(call.given.framework, known.rules.facts):
        if call.given.of == "framework":
            yield framework.id, known.of(framework)
        else:
            by_control = control_scores(known.rules.counts, known.rules.facts, scored(framework), holding)
            yield from ((f"{framework.id}:{name}", one) for name, one in by_control.items())


def _frameworks(name: str, facts: Mapping[str, RuleFacts]) -> list[Framework]:
    known = compliance.known(facts.values())
    if not name:
        return list(known.values())
    if name not in known:
        raise missing(f"framework `{name}`")
    return [known[name]]


def _moved(call: Call[MovementSpan, Nothing], connection: Connection) -> Told:
    given = call.given
    since, until = days_of(given.since, given.until, call.now.date())
    where = chosen(call, connection, given)
    told = scores.between(connection, where.scope, since, until)
    sides = compliance.with_controls(told.facts_before), compliance.with_controls(told.facts_after)
    framework = scored(_frameworks(given.framework, {**sides[0], **sides[1]})[0]) if given.framework else None
    words = attesting.for_scores(attesting.attested(connection, where.scope), where.cluster)
    before = Standing(since, told.before, sides[0], framework, words)
    after = Standing(until, told.after, sides[1], framework, words)
    three = movements(before, after, told.entries)
    return Told(Movements(since, until, *map(_movement, three)))


def _movement(one: Moved) -> Movement:
    parts = Parts(**{cause: str(part) for cause, part in one.parts.items()}) if one.parts else None
    delta = None if one.delta is None else str(one.delta)
    return Movement(records.number(one.before), records.number(one.after), delta, parts)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Operation(
        name="list_scores", method="GET", path="/scores", tag="Scores", given=ScorePage, answer=Scores,
        summary="The three numbers of the fleet, clusters, namespaces, teams, frameworks or controls", handle=_scores,
        refusals=(404,),
    ),
    Operation(
        name="get_movement", method="GET", path="/movements", tag="Scores", given=MovementSpan, answer=Movements,
        summary="Why the numbers moved between the ends of two days", handle=_moved, refusals=(404,),
        description="Split by cause, in parts that sum exactly to the whole.",
    ),
)  # fmt: skip  # a line says what, another does how
