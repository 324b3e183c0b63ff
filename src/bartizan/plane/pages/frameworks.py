"""All frameworks with their three numbers, over a part of the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.findings.score import FORMULA, WEIGHTS
from bartizan.plane import compliance, part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route

if TYPE_CHECKING:
    from starlette.responses import Response


def _frameworks(asked: Asked) -> Response:
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        known = compliance.read(connection, chosen, asked.site.now())
    rows = [compliance.row_of(known, one) for one in compliance.known(known.rules.facts.values()).values()]
    weights = [(severity.label, weight) for severity, weight in WEIGHTS.items()]
    return page(
        asked,
        "frameworks.html",
        chosen=chosen,
        rows=rows,
        score=known.score(),
        formula=FORMULA,
        weights=weights,
    )


ROUTES = (Route("GET", "/frameworks", _frameworks),)
