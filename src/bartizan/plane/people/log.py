"""The audit log: its pages, whether each row still follows from the one before, and all of it as CSV."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import orjson
from starlette.responses import StreamingResponse

from bartizan.plane.limits import Limit
from bartizan.plane.people.grants import everywhere
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route
from bartizan.stores.audit import broken_at
from bartizan.stores.queries.acts import Wanted, acts, latest
from bartizan.stores.queries.pages import LARGEST, Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response

    from bartizan.stores.queries.acts import ActView

_HEAD: Final = ("number", "at", "actor", "action", "subject", "details", "digest")
_FORMULAS: Final = tuple("=+-@\t\r")
"""What a cell that a spreadsheet would run begins with."""
_COSTLY: Final = Limit("audit", burst=6, every_s=10)


def _log(asked: Asked) -> Response:
    everywhere(asked)
    return _page(asked)


def _page(asked: Asked, **checked: Any) -> Response:
    wanted = _wanted(asked)
    with asked.site.store.reading() as connection:
        part = acts(connection, wanted, Page(100, asked.query.get("after", "")))
    chosen = {name: value for name, value in wanted._asdict().items() if value}
    return page(
        asked,
        "people_audit.html",
        rows=[(row, _details(row)) for row in part.rows],
        wanted=wanted,
        older=urlencode({**chosen, "after": part.next}) if part.next else "",
        chosen=urlencode(chosen),
        checked=checked,
    )


def _check(asked: Asked) -> Response:
    everywhere(asked)
    with asked.site.store.reading() as connection:
        broken, last = broken_at(connection), latest(connection)
    return _page(asked, broken=broken, last=last)


def _export(asked: Asked) -> Response:
    everywhere(asked)
    names = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(asked, _wanted(asked)), media_type="text/csv; charset=utf-8", headers=names)


def _lines(asked: Asked, wanted: Wanted) -> Iterator[str]:
    """Rows of RFC 4180, a page of the log at a time, so that none is held for long."""
    yield _line(_HEAD)
    after = ""
    while True:
        with asked.site.store.reading() as connection:
            part = acts(connection, wanted, Page(LARGEST, after))
        for row in part.rows:
            yield _line((row.number, row.at.isoformat(), *row[2:5], _details(row), row.digest))
        after = part.next
        if not after:
            return


def _line(cells: tuple[Any, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([_harmless(str(cell)) for cell in cells])
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def _details(row: ActView) -> str:
    return orjson.dumps(row.details).decode() if row.details else ""


def _wanted(asked: Asked) -> Wanted:
    return Wanted(*(asked.query.get(name, "").strip()[:300] for name in Wanted._fields))


ROUTES = (
    Route("GET", "/audit", _log, needs="administer"),
    Route("GET", "/audit/check", _check, needs="administer", limit=_COSTLY),
    Route("GET", "/audit.csv", _export, needs="administer", limit=_COSTLY),
)
