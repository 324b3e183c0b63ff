"""Rules that are asked: what they say, and how far each is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from bartizan.catalog.loader import load_catalog
from bartizan.model.severity import Severity
from bartizan.plane import compliance
from bartizan.plane.api import records
from bartizan.plane.api.filters import After, AtLeast, Limit, OneRule, links, part
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import InPart, chosen
from bartizan.plane.site import missing
from bartizan.stores.queries import standings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.queries.standings import AskedRule

_PLACES: Final = 200


class RulePage(InPart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rules, asked in which part of the fleet."""

    severity: AtLeast = "info"
    q: Annotated[str, Meta(max_length=200, description="A part of its name or title.")] = ""
    limit: Limit = 50
    after: After = ""


class OfRule(InPart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule, in a part of the fleet."""

    rule: OneRule


class Rule(msgspec.Struct, frozen=True):
    """A rule with its pairs. What is in no catalogue has no title, reason and fix here."""

    name: str
    title: str
    severity: records.SeverityWord
    frameworks: Annotated[tuple[str, ...], Meta(description="The controls it serves, as `framework:control`.")]
    why: str
    fix: str
    clusters: Annotated[int, Meta(description="In how many clusters it is asked.")]
    failing_in: Annotated[int, Meta(description="In how many of them it fails.")]
    counts: records.Counts


class Rules(msgspec.Struct, frozen=True):
    """A page of rules, in the order of names."""

    items: list[Rule]
    next: records.Next


class Where(msgspec.Struct, frozen=True):
    """A cluster in which a rule is asked."""

    cluster: str
    counts: records.Counts


class RuleWhere(msgspec.Struct, frozen=True):
    """A rule, and where it is asked: clusters, where most fail first."""

    rule: Rule
    clusters: list[Where]


def _list(call: Call[RulePage, Nothing], connection: Connection) -> Told:
    given = call.given
    least, words = Severity.parse(given.severity, Severity.INFO), given.q.lower()
    found = [
        _told(one)
        for one in standings.asked(connection, chosen(call, connection, given).scope)
        if one.severity >= least
    ]
    rules = [one for one in found if words in f"{one.name} {one.title}".lower()]
    rows, after = part(sorted(rules, key=lambda one: one.name), lambda row: row.name, given.limit, given.after)
    return Told(Rules(rows, after), links(call, after))


def _one(call: Call[OfRule, Nothing], connection: Connection) -> Told:
    scope = chosen(call, connection, call.given).scope
    found = standings.asked(connection, scope, call.given.rule)
    if not found:
        raise missing(f"rule `{call.given.rule}`")
    places = standings.where_asked(connection, scope, found[0].number, "cluster", _PLACES)
    return Told(RuleWhere(_told(found[0]), [Where(one.name, records.Counts(*one.counts[1:])) for one in places]))


def _told(rule: AskedRule) -> Rule:
    check = load_catalog().checks.get(rule.name)
    words = (check.why.strip(), check.fix.strip()) if check else ("", "")
    controls = compliance.controls_of(rule.name, rule.frameworks)
    counts = records.Counts(*rule.counts[1:])
    name = (rule.name, check.title if check else "", records.severity(rule.severity))
    return Rule(*name, controls, *words, rule.clusters, rule.failing_in, counts)


OPERATIONS: Final = (
    Operation(
        name="list_rules", method="GET", path="/rules", tag="Rules", given=RulePage, answer=Rules,
        summary="The rules that are asked", handle=_list, refusals=(404,),
    ),
    Operation(
        name="get_rule", method="GET", path="/rules/{rule:path}", tag="Rules", given=OfRule, answer=RuleWhere,
        summary="One rule, and where it is asked", handle=_one, refusals=(404,),
    ),
)  # fmt: skip  # a line says what, another does how
