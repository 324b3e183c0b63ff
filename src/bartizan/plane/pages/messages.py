"""Messages to people: what waits, what is dead and why; sent again, and a target tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse

from bartizan.app.duties.telling import told_by
from bartizan.app.notices import open_ways, send_test
from bartizan.plane.limits import Limit
from bartizan.plane.recording import recorded
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, Route, missing
from bartizan.stores import outbox
from bartizan.stores.queries.messages import STATES, MessageState, message_counts, messages
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

_ROWS: Final = 50
_LONGEST: Final = 200
_TESTS: Final = Limit("target test", 5, 10)


def _list(asked: Asked) -> Response:
    return _page(asked)


def _page(asked: Asked, tested: str = "", error: str = "") -> Response:
    _everywhere(asked)
    state: MessageState | None = next((one for one in STATES if one == asked.query.get("state")), None)
    target = asked.query.get("target", "")[:_LONGEST]
    states: tuple[MessageState, ...] = (state,) if state else ("waiting", "dead")
    with asked.site.store.reading() as connection:
        counts = message_counts(connection)
        part = messages(connection, Page(_ROWS, asked.query.get("after", "")), states, target)
    targets = told_by(asked.site.settings).by_name
    return page(
        asked,
        "messages.html",
        rows=part.rows,
        next=part.next,
        state=state or "",
        target=target,
        counts=[(name, targets.get(name), counts.get(name, {})) for name in sorted({*counts, *targets})],
        tested=tested,
        error=error,
    )


def _again(asked: Asked) -> Response:
    _everywhere(asked)
    number, now = asked.path["number"], asked.site.now()

    def work(connection: Connection) -> None:
        if not outbox.again(connection, number, now):
            raise missing("dead message of that number")
        recorded(asked, connection, "message.retried", f"message {number}")

    asked.site.store.write(work)
    return RedirectResponse("/messages", 303)


def _test(asked: Asked) -> Response:
    _everywhere(asked)
    site = asked.site
    name = asked.form().get("target", "")
    target = told_by(site.settings).by_name.get(name)
    if target is None:
        raise missing("target of that name")
    site.store.write(lambda connection: recorded(asked, connection, "target.tested", f"target {name}"))
    with open_ways() as ways:
        outcome = send_test(target, ways, site.now(), site.settings.public_url)
    return _page(asked, name, outcome.error)


def _everywhere(asked: Asked) -> None:
    """Messages name what is anywhere in the fleet.

    Raises:
        ForbiddenError: the viewer operates a part of it.
    """
    if not asked.viewer.may_everywhere("operate"):
        raise ForbiddenError("only who operates the whole fleet sees its messages", hint="Ask one of them.")


ROUTES = (
    Route("GET", "/messages", _list, "operate"),
    Route("POST", "/messages/{number:int}/again", _again, "operate", body_bytes=4096),
    Route("POST", "/messages/test", _test, "operate", body_bytes=4096, limit=_TESTS),
)
