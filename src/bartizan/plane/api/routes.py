"""The doors of the interface, in the order of its description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.plane.api import (
    attestations,
    beginning,
    clusters,
    docs,
    exporting,
    findings,
    frameworks,
    resources,
    rules,
    scoring,
    searching,
    tokens,
    trends,
    waivers,
)

if TYPE_CHECKING:
    from bartizan.plane.api.operation import Operation

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    *beginning.OPERATIONS,
    *clusters.OPERATIONS,
    *findings.OPERATIONS,
    *resources.OPERATIONS,
    *rules.OPERATIONS,
    *frameworks.OPERATIONS,
    *attestations.OPERATIONS,
    *scoring.OPERATIONS,
    *trends.OPERATIONS,
    *waivers.OPERATIONS,
    *searching.OPERATIONS,
    *tokens.OPERATIONS,
    *exporting.OPERATIONS,
)

ROUTES: Final = (*docs.routes(OPERATIONS), *(one.route() for one in OPERATIONS))
