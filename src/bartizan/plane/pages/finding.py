"""One finding: why it matters, what shows it, its life so far, where else it is, and how it is mended."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bartizan.plane.pages.mending import NO_PATCH, check_of, patch
from bartizan.plane.pages.source import Source, source_of
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing, numbered
from bartizan.stores.queries import findings, resources
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

_ELSEWHERE: Final = 8
CHANGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "opened": "Opened",
        "changed": "Changed what it says",
        "waived": "Accepted by a waiver",
        "unwaived": "Not accepted any more",
        "fixed": "Fixed",
        "gone": "Gone",
        "reopened": "Opened again",
    }
)
CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "findings": "the object changed",
        "rules": "the rules changed",
        "scope": "the object came or went",
        "exceptions": "a waiver was granted or ended",
        "freshness": "it was not judged for long, or was again",
    }
)


def _finding(asked: Asked) -> Response:
    number, scope = numbered(asked, "finding"), asked.viewer.scope()
    with asked.site.store.reading() as connection:
        found = findings.one(connection, scope, number)
        if found is None:
            raise missing("finding")
        steps = findings.history(connection, scope, number)
        body = resources.body_of(connection, scope, found.resource_number)
        same = findings.findings(connection, scope, findings.Wanted(rule=found.rule), Page(_ELSEWHERE + 1)).rows
    is_open = found.closed_at is None
    shown = source_of(body, [found], only=number) if isinstance(body, dict) and is_open else Source((), 0)
    mends = patch(body, [found.rule], risky=True) if isinstance(body, dict) and is_open else NO_PATCH
    return page(
        asked,
        "finding.html",
        found=found,
        check=check_of(found.rule),
        steps=[(step.at, CHANGES.get(step.change, step.change), CAUSES.get(step.cause, step.cause)) for step in steps],
        source=shown,
        patch=mends,
        elsewhere=[one for one in same if one.number != number][:_ELSEWHERE],
        may_ask=asked.viewer.may("ask", (found.cluster, found.resource.namespace, found.team)),
    )


ROUTES = (Route("GET", "/findings/{number:int}", _finding),)
