"""Two clusters side by side, or one at two times: rules and findings that are on one side only."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.findings.score import score
from bartizan.fleet.comparison import Side, compare
from bartizan.plane import part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.stores.queries import comparing, eras, findings, scores, standings
from bartizan.stores.scope import narrowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.findings.score import Score
    from bartizan.fleet.comparison import Comparison
    from bartizan.stores.queries.comparing import Open
    from bartizan.stores.queries.findings import FindingView
    from bartizan.stores.scope import Scope

_SHOWN: Final = 50
"""Findings of a list that are shown; how many there are stands beside it."""
_BACK: Final = 7


class _Half(NamedTuple):
    """One side with its numbers. `open` are its findings, by fingerprint."""

    cluster: str
    day: date
    side: Side
    score: Score
    open: Mapping[str, Open]


class Listed(NamedTuple):
    """Findings of one kind of difference: how many, and the first of them."""

    title: str
    meaning: str
    number: int
    rows: list[FindingView]


def _compare(asked: Asked) -> Response:
    today = asked.site.now().date()
    here, there = (asked.query.get(name, "")[:253] for name in ("here", "there"))
    at = part.day_of(asked, "at", today)
    then = part.day_of(asked, "then", today if there and there != here else at - timedelta(days=_BACK))
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        given: dict[str, Any] = {"chosen": chosen, "here_name": here, "there_name": there, "at": at, "then": then}
        if not here:
            return page(asked, "compare.html", **given, comparison=None)
        left = _half(connection, chosen.scope, here, at, today)
        right = _half(connection, chosen.scope, there or here, then, today)
        comparison = compare(left.side, right.side)
        lists = _lists(connection, chosen.scope, (left, right), comparison)
    rules = (
        (f"Asked only of {_name(left)}", comparison.rules_only_here),
        (f"Asked only of {_name(right)}", comparison.rules_only_there),
        ("Asked of both, and not the same", comparison.rules_other),
    )
    same = left.cluster == right.cluster
    return page(
        asked, "compare.html", **given, comparison=comparison, left=left, right=right, lists=lists, rules=rules,
        why=part.link(cluster=here, **{"from": min(at, then), "to": max(at, then)}) if same and at != then else "",
    )  # fmt: skip  # what both cases share is given first


def _half(connection: Connection, scope: Scope, cluster: str, day: date, today: date) -> _Half:
    mine = narrowed(scope, cluster=cluster)
    if not standings.names(connection, mine, 1)[0]:
        raise missing(f"cluster `{cluster}`")
    rules = eras.facts_at(connection, mine, cluster, day)
    found = comparing.open_at(connection, mine, None if day == today else day)
    between = scores.between(connection, mine, day, today)
    side = Side({name: facts.digest for name, facts in rules.items()}, {one.fingerprint: one.rule for one in found})
    return _Half(
        cluster, day, side, score(between.before, between.facts_before), {one.fingerprint: one for one in found}
    )


def _name(half: _Half) -> str:
    return f"{half.cluster} on {half.day}"


def _lists(connection: Connection, scope: Scope, halves: tuple[_Half, _Half], comparison: Comparison) -> list[Listed]:
    left, right = halves
    asked_both = "Both were asked; the other has it not."
    kinds = (
        (f"Only {_name(left)}", asked_both, comparison.only_here, left),
        (f"Only {_name(right)}", asked_both, comparison.only_there, right),
        (f"{_name(left)}; nobody asked {_name(right)}", "Not to have been asked is not to be well.",
         comparison.unasked_there, left),
        (f"{_name(right)}; nobody asked {_name(left)}", "Not to have been asked is not to be well.",
         comparison.unasked_here, right),
        ("Both", "On both sides, by the same fingerprint.", comparison.both, left),
    )  # fmt: skip  # a kind a line
    found = []
    for title, meaning, prints, half in kinds:
        worst = sorted((half.open[one] for one in prints), key=lambda one: (-one.severity, one.number))
        numbers = [one.number for one in worst]
        views = findings.several(connection, scope, numbers[:_SHOWN]) if numbers else {}
        found.append(Listed(title, meaning, len(numbers), [views[one] for one in numbers[:_SHOWN] if one in views]))
    return found


ROUTES = (Route("GET", "/compare", _compare),)
