"""The plane as an ASGI application: routes bound, who asks found out, and every refusal told in the reader's words.

Handlers block, so each is called in a thread; there are as many at a time as
the store has connections, and the rest wait their turn in order.
"""

from __future__ import annotations

import logging
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import anyio
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match
from starlette.routing import Route as Bound

from bartizan.base.errors import BartizanError, SpecError, StoreError
from bartizan.plane import measures
from bartizan.plane.api import agent
from bartizan.plane.api import routes as api
from bartizan.plane.headers import SafeHeaders
from bartizan.plane.limits import Limiter, TooManyError
from bartizan.plane.pages import routes as pages
from bartizan.plane.people import routes as people
from bartizan.plane.people.identity import (
    FORM_FIELD,
    FORM_HEADER,
    identify,
    is_from_elsewhere,
    is_own_form,
    note_use,
)
from bartizan.plane.problem import problem
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, NotThereError, Route, Site
from bartizan.plane.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

THREADS: Final = 8
"""Handlers at a time, in one process; the store has a connection for each, and some for what runs beside them."""
DOORS: Final[tuple[Route, ...]] = (*measures.ROUTES, *pages.ROUTES, *api.ROUTES, *people.ROUTES, *agent.ROUTES)
"""All that every process has; tests walk along them."""
_NOBODY: Final = Viewer("", ())
_LOG: Final = logging.getLogger("bartizan.plane")
_FORM: Final = "application/x-www-form-urlencoded"
_SAFE: Final = frozenset({"GET", "HEAD"})
_STATUS: Final[tuple[tuple[type[BartizanError], int], ...]] = (
    (NotThereError, 404),
    (ForbiddenError, 403),
    (TooManyError, 429),
    (SpecError, 400),
    (StoreError, 503),
    (BartizanError, 502),
)
"""What each kind of error is in HTTP; the first that fits."""


def application(site: Site, rooms: Sequence[Route] = ()) -> Starlette:
    """Bind all doors. `rooms` are those that only some processes have."""
    threads, limits = anyio.CapacityLimiter(THREADS), Limiter()

    routes = [_bound(site, threads, limits, route) for route in (*DOORS, *rooms)]
    routes.append(Bound("/assets/{name}", site.assets.answer, methods=["GET"]))
    return Starlette(
        routes=routes,
        middleware=[Middleware(SafeHeaders), Middleware(GZipMiddleware, minimum_size=500, compresslevel=5)],
        exception_handlers={HTTPException: partial(_unrouted, site)},
    )


def _bound(site: Site, threads: anyio.CapacityLimiter, limits: Limiter, route: Route) -> Bound:
    async def endpoint(request: Request) -> Response:
        began = perf_counter()
        try:
            body = await _body(request, route.body_bytes)
        except SpecError as error:
            answer = _told(Asked(site, _NOBODY, request), route, error, 413)
        else:
            answer = await run_sync(partial(_answered, site, limits, route, request, body), limiter=threads)
        site.measures.requests.labels(route.method, route.path, answer.status_code).observe(perf_counter() - began)
        return answer

    return Bound(route.path, endpoint, methods=[route.method])


async def _body(request: Request, most: int) -> bytes:
    """What was sent, and not a byte more than may be."""
    if request.method in _SAFE:
        return b""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise SpecError(f"the request has more than {most:,} bytes", hint="Send less at a time.")
        parts.append(part)
    return b"".join(parts)


def _answered(site: Site, limits: Limiter, route: Route, request: Request, body: bytes) -> Response:
    asked = Asked(site, _NOBODY, request, body)
    try:
        asked = Asked(site, _known(site, route, request), request, body)
        refused = _refusal(asked, route)
        if refused is not None:
            return refused
        if route.limit is not None:
            limits.admit(site, route.limit, request, asked.viewer)
        return _with_use(asked, route.handler(asked))
    except BartizanError as error:
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        if status == 503:
            _LOG.warning("store.away", extra={"path": request.url.path, "reason": error.message})
        return _told(asked, route, error, status)
    except Exception:  # noqa: BLE001  (the outermost frame of a request: a bug is logged; its reader is told no more)
        _LOG.exception("request.failed", extra={"path": request.url.path})
        return _told(asked, route, BartizanError("something is wrong in this plane", hint="Its log says what."), 500)


def _known(site: Site, route: Route, request: Request) -> Viewer:
    try:
        return identify(site, request) or _NOBODY
    except StoreError:
        if route.needs is not None:
            raise
        return _NOBODY  # a door that is open to everybody is open without the database, too


def _refusal(asked: Asked, route: Route) -> Response | None:
    """What keeps a request out before its handler is asked."""
    viewer = asked.viewer
    if route.needs is not None:
        if viewer is _NOBODY:
            return _unknown(asked, route)
        if not viewer.may(route.needs):
            hint = "Ask an administrator for the role."
            raise ForbiddenError(f"`{viewer.name}` may not {route.needs} here", hint=hint)
    if route.method == "GET" or viewer.token is not None:
        return None
    if is_from_elsewhere(asked.site, asked.request):
        raise ForbiddenError("the form is of another site", hint="Open this plane itself, and send it from there.")
    if not is_own_form(asked.site, viewer, _given_token(asked)):
        raise ForbiddenError("the form is not of this session", hint="Load the page again, and send it once more.")
    return None


def _unknown(asked: Asked, route: Route) -> Response:
    """Lead somebody who is not signed in to where they can, and back afterwards; a program is told instead."""
    if route.surface != "page" or route.method != "GET":
        return _told(asked, route, ForbiddenError("nobody is signed in", hint="Send a token of this plane."), 401)
    url = asked.request.url
    wished = f"{url.path}?{url.query}" if url.query else url.path
    place = "/sign-in" if wished == "/" else f"/sign-in?back={quote(wished, safe='')}"
    if "hx-request" in asked.request.headers:  # else the page would appear in a part of another
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(place, 303)


def _with_use(asked: Asked, answer: Response) -> Response:
    """Write down, once the reader has their answer, that a session or a token is in use."""
    used = getattr(asked.request.state, "used", None)
    if used is not None:
        before = [] if answer.background is None else [answer.background]
        answer.background = BackgroundTasks([*before, BackgroundTask(_noted_use, asked.site, used)])
    return answer


def _noted_use(site: Site, used: str | int) -> None:
    try:
        note_use(site, used)
    except StoreError as error:  # the next request says it again
        _LOG.warning("use.not_noted", extra={"reason": error.message})


def _given_token(asked: Asked) -> str:
    given = asked.request.headers.get(FORM_HEADER, "")
    is_form = asked.request.headers.get("content-type", "").startswith(_FORM)
    return asked.form().get(FORM_FIELD, "") if not given and is_form else given


def _told(asked: Asked, route: Route, error: BartizanError, status: int) -> Response:
    """An error as its reader can use it: a problem document (RFC 9457) for programs, a page for people."""
    headers = {"Retry-After": "5"} if status == 503 else {}
    if isinstance(error, TooManyError):
        headers = {"Retry-After": str(error.wait_s)}
    if status == 401:
        headers = {"WWW-Authenticate": 'Bearer realm="bartizan"'}
    if route.surface == "api":
        return problem(error, status, headers)
    answer = page(asked, "error.html", status, error=error, status_code=status)
    answer.headers.update(headers)
    return answer


async def _unrouted(site: Site, request: Request, error: Exception) -> Response:
    """What no route answers."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    is_api = request.url.path.startswith("/api/")
    route = Route("GET", "/", _nothing, surface="api" if is_api else "page")
    said = NotThereError("there is nothing here", hint="Begin at the fleet.")
    allowed = _allowed(request) if status == 405 else ""
    if allowed:
        said = NotThereError(f"this cannot be done by {request.method}", hint=f"Use {allowed}.")
    answer = _told(Asked(site, _NOBODY, request), route, said, status)
    if allowed:
        answer.headers["Allow"] = allowed
    return answer


def _allowed(request: Request) -> str:
    """The methods of all doors at a place."""
    here = [route for route in request.app.routes if route.matches(request.scope)[0] != Match.NONE]
    return ", ".join(sorted({method for route in here for method in getattr(route, "methods", None) or ()}))


def _nothing(_asked: Asked) -> Response:
    return Response(status_code=404)
