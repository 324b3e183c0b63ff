"""The rules that the fleet is asked: what they say, how bad that is, where, and for which framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.catalog.loader import load_catalog
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.plane import compliance, part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route
from bartizan.stores.queries import standings

if TYPE_CHECKING:
    from starlette.responses import Response

    from bartizan.stores.queries.standings import AskedRule

_ROWS: Final = 100
_ORDERS: Final = ("worst", "name")


class Row(NamedTuple):
    """A rule with its title, where it is one of the catalogue, and its frameworks."""

    rule: AskedRule
    title: str
    frameworks: tuple[str, ...]

    @property
    def failing(self) -> int:
        """How many pairs fail."""
        return self.rule.counts[Verdict.FAIL]


class _Wanted(NamedTuple):
    q: str
    severity: str
    framework: str
    only: str
    order: str

    def admits(self, row: Row) -> bool:
        if self.q and self.q.lower() not in f"{row.rule.name} {row.title}".lower():
            return False
        if self.severity and row.rule.severity < Severity[self.severity.upper()]:
            return False
        if self.framework and self.framework not in row.frameworks:
            return False
        return row.failing > 0 or self.only != "failing"


def _policies(asked: Asked) -> Response:
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        rules = standings.asked(connection, chosen.scope)
    wanted, number = _wanted(asked), _page_number(asked.query.get("page", ""))
    every = [_row(one) for one in rules]
    rows = [row for row in every if wanted.admits(row)]
    if wanted.order == "worst":
        rows.sort(key=lambda row: (-row.rule.severity if row.failing else 1, -row.failing, row.rule.name))
    begin = (number - 1) * _ROWS
    pages = max(-(-len(rows) // _ROWS), 1)
    kept = {name: value for name, value in wanted._asdict().items() if value}
    return page(
        asked,
        "policies.html",
        chosen=chosen,
        wanted=wanted,
        rows=rows[begin : begin + _ROWS],
        found=len(rows),
        every=len(every),
        severities=[one.label for one in sorted(Severity, reverse=True)],
        frameworks=sorted({name for row in every for name in row.frameworks}),
        before=chosen.query(**kept, page=number - 1) if number > 1 else "",
        after=chosen.query(**kept, page=number + 1) if number < pages else "",
    )


def _row(rule: AskedRule) -> Row:
    check = load_catalog().checks.get(rule.name)
    places = compliance.controls_of(rule.name, rule.frameworks)
    return Row(rule, check.title if check else "", tuple(dict.fromkeys(one.partition(":")[0] for one in places)))


def _wanted(asked: Asked) -> _Wanted:
    query = asked.query
    wanted = _Wanted(
        query.get("q", "").strip()[:200],
        query.get("severity", ""),
        query.get("framework", "")[:200],
        query.get("only", ""),
        query.get("order", "") or _ORDERS[0],
    )
    if wanted.severity and wanted.severity not in {one.label for one in Severity}:
        raise SpecError(f"`{wanted.severity[:40]}` is no severity", hint="Say critical, high, medium, low or info.")
    if wanted.order not in _ORDERS:
        raise SpecError(f"`{wanted.order[:40]}` is no order", hint=f"Orders are {', '.join(_ORDERS)}.")
    return wanted


def _page_number(given: str) -> int:
    if not given:
        return 1
    if not (given.isascii() and given.isdecimal() and 0 < int(given[:6]) <= 100_000):
        raise SpecError(f"`{given[:20]}` is no page", hint="Pages are numbered from 1.")
    return int(given[:6])


ROUTES = (Route("GET", "/policies", _policies),)
