"""Search over everything: the same page as you type and without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.plane.render import answered, page, text
from bartizan.plane.site import Asked, Route
from bartizan.stores.queries.search import LONGEST, search

if TYPE_CHECKING:
    from starlette.responses import Response

_EACH: Final = 20
_KINDS: Final = (
    ("cluster", "Clusters"),
    ("namespace", "Namespaces"),
    ("rule", "Rules"),
    ("resource", "Objects"),
    ("finding", "Findings"),
)


def _search(asked: Asked) -> Response:
    question = asked.query.get("q", "")[:LONGEST].strip()
    with asked.site.store.reading() as connection:
        hits = search(connection, asked.viewer.scope(), question, _EACH)
    groups = [(name, title, [hit for hit in hits if hit.kind == name]) for name, title in _KINDS]
    live = (
        asked.request.headers.get("hx-request") == "true" and "hx-history-restore-request" not in asked.request.headers
    )
    given: dict[str, Any] = {
        "question": question,
        "groups": [group for group in groups if group[2]],
        "each": _EACH,
        "found": f"{len(hits)} found" if question else "",
        "live": live,
    }
    if live:
        return answered(asked, text(asked, "hits.html", **given))
    return page(asked, "search.html", **given)


ROUTES = (Route("GET", "/search", _search),)
