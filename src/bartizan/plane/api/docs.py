"""The description of the interface: for programs as OpenAPI 3.1, and for people as a page."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson
from starlette.responses import Response

from bartizan.plane.api import tags
from bartizan.plane.api.document import document
from bartizan.plane.api.operation import PREFIX
from bartizan.plane.render import page
from bartizan.plane.site import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bartizan.plane.api.operation import Operation
    from bartizan.plane.site import Asked

_KEPT: Final = "public, max-age=300"


def routes(operations: Sequence[Operation[Any, Any]]) -> tuple[Route, ...]:
    """The two doors to the description of these operations."""

    @lru_cache(maxsize=1)
    def whole() -> dict[str, Any]:
        return document(operations)

    @lru_cache(maxsize=1)
    def written() -> bytes:
        return orjson.dumps(whole())

    def told(asked: Asked) -> Response:
        answer = Response(written(), media_type="application/json", headers={"Cache-Control": _KEPT})
        answer.headers["ETag"] = tag = tags.of(answer, asked.request)
        if tags.is_among(tag, asked.request.headers.get("if-none-match", ""), weakly=True):
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": _KEPT})
        return answer

    def shown(asked: Asked) -> Response:
        return page(asked, "api.html", groups=_groups(whole()), schemas=whole()["components"]["schemas"])

    return (
        Route("GET", f"{PREFIX}/openapi.json", told, needs=None, surface="api"),
        Route("GET", f"{PREFIX}/docs", shown),
    )


def _groups(whole: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by tag, each with its method and path."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in whole["paths"].items():
        for method, one in methods.items():
            found.setdefault(one["tags"][0], []).append({"method": method.upper(), "path": path, **one})
    return found
