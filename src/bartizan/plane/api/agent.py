"""The doors of agents: join, go on with a stream, report, be heard of; and those of people who let them in.

An agent's token speaks for its own cluster: no path and no message names
another. It opens no other door, as people's tokens open none of these.
"""

from __future__ import annotations

import re
from datetime import timedelta
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.responses import JSONResponse, Response

from bartizan.app.reporting import joining
from bartizan.app.reporting.hearing import hear, waivers_for
from bartizan.app.reporting.receiving import Receiver
from bartizan.app.reporting.wire import (
    MEDIA,
    PACKED_BYTES,
    Heard,
    Heartbeat,
    Hello,
    JoinAsk,
    NewToken,
    TooLargeError,
    Welcome,
    read,
    read_message,
    read_rules,
    unpacked,
)
from bartizan.base.errors import BartizanError, SpecError
from bartizan.plane.site import Asked, ForbiddenError, Route, missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.app.reporting.joining import Reporter
    from bartizan.plane.site import Site
    from bartizan.stores.reports import Moves

AT_ONCE: Final = 4
"""Reports that one process takes at a time. Others are asked to come again, so that pages keep their threads."""
_RECEIVER: Final = "receiver"
_TURNS: Final = "report turns"
_SOON_S: Final = 1
_STATUS: Final = {"gap": 409, "superseded": 409, "rules": 428}
_SMALL: Final = 1 << 16
_STREAM: Final = re.compile("[0-9a-f]{32}")


class _Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person asks for. `name` is the only name the join token is for; empty where any is."""

    name: str = ""
    hours: float = 24


def receiver(site: Site) -> Receiver:
    """The end of all streams in this process. What messages change is told to the room `moved`, where there is one."""
    found = site.rooms.get(_RECEIVER)
    if found is None:  # two made at once are as good as one: what they remember is in the store

        def moved(cluster: str, moves: Moves) -> None:
            if tell := site.rooms.get("moved"):
                tell(cluster, moves)

        found = site.rooms.setdefault(_RECEIVER, Receiver(site.store, site.ingest, moved))
    return found  # type: ignore[no-any-return]  # rooms hold anything


def _join(asked: Asked) -> Response:
    ask, secret, now = read(asked.body, JoinAsk), _secret(asked), asked.site.now()
    try:
        joined = asked.site.store.write(lambda connection: joining.join(connection, secret, ask, now))
    except joining.RefusedError as error:
        return _problem(error, 401 if error.reason == "invitation" else 403, reason=error.reason)
    return _json(joined, 201)


def _for_agents(work: Callable[[Asked, Reporter], Response]) -> Callable[[Asked], Response]:
    """Open a door to agents only."""

    def handler(asked: Asked) -> Response:
        with asked.site.store.reading() as connection:
            who = joining.reporter(connection, _secret(asked), asked.site.now())
        if who is None:
            error = ForbiddenError(
                "the token is not valid, was revoked or has ended", hint="Let the cluster join again."
            )
            return _problem(error, 401)
        try:
            return work(asked, who)
        except TooLargeError as error:
            return _problem(error, 413)

    return handler


def _hello(asked: Asked, who: Reporter) -> Response:
    hello, site = read(asked.body, Hello), asked.site
    now = site.now()
    is_own = hello.cluster in ("", who.cluster) and site.store.write(
        lambda connection: joining.greet(connection, who, hello.identity, now)
    )
    if not is_own:
        error = ForbiddenError(f"the token is of `{who.cluster}`", hint="Give each cluster a token of its own.")
        return _problem(error, 403)
    sequence = receiver(site).resume(who.cluster, hello.stream, now)
    return _json(Welcome(who.cluster, sequence, site.settings.interval_s, who.ends_at))


def _report(asked: Asked, who: Reporter) -> Response:
    """One message of a stream: told twice, it counts once."""
    refused = _unreadable(asked)
    if refused is not None:
        return refused
    stream, sequence = asked.path["stream"], asked.path["sequence"]
    if not _STREAM.fullmatch(stream):
        raise missing("stream of this name")
    turns: BoundedSemaphore = asked.site.rooms.setdefault(_TURNS, BoundedSemaphore(AT_ONCE))
    if not turns.acquire(blocking=False):
        return _problem(BartizanError("other reports are being kept", hint="Send it again soon."), 429, after=_SOON_S)
    try:
        message = read_message(unpacked(asked.body, asked.request.headers.get("content-encoding", "")))
        answer = receiver(asked.site).keep(who.cluster, stream, sequence, message, asked.site.now())
    finally:
        turns.release()
    return _json(answer, _STATUS.get(answer.status, 200))


def _rules(asked: Asked, who: Reporter) -> Response:
    """A set of rules, by its digest; any agent may bring it, and none can change one that is there."""
    del who
    refused = _unreadable(asked)
    if refused is not None:
        return refused
    raw = unpacked(asked.body, asked.request.headers.get("content-encoding", ""))
    receiver(asked.site).learn(read_rules(raw, asked.path["digest"]), asked.site.now())
    return Response(status_code=204)


def _heartbeat(asked: Asked, who: Reporter) -> Response:
    site = asked.site
    return _json(hear(site.store, who, read(asked.body, Heartbeat), site.settings.interval_s, site.now()))


def _waivers(asked: Asked, who: Reporter) -> Response:
    """What is accepted in this cluster, now."""
    return _json(waivers_for(asked.site.store, who, asked.site.now()))


def _renew(asked: Asked, who: Reporter) -> Response:
    given, now = read(asked.body, NewToken), asked.site.now()
    try:
        ends_at = asked.site.store.write(lambda connection: joining.renew(connection, who, given.token, now))
    except joining.RefusedError as error:
        return _problem(error, 409, reason=error.reason)
    return _json(Heard(asked.site.settings.interval_s, ends_at))


def _invite(asked: Asked) -> Response:
    wanted, viewer = read(asked.body or b"{}", _Invite), asked.viewer
    _must_operate(asked, wanted.name)
    lasts = _span(wanted.hours)
    secret, made = asked.site.store.write(
        lambda connection: joining.invite(connection, viewer.name, asked.site.now(), wanted.name, lasts)
    )
    told = {"token": secret, "id": made.number, "name": made.name, "ends_at": made.ends_at}
    return JSONResponse(msgspec.to_builtins(told), 201)


def _issue(asked: Asked) -> Response:
    """A token for an agent whose secrets a person hands over."""
    name = asked.path["cluster"]
    _must_operate(asked, name)
    now = asked.site.now()
    secret = asked.site.store.write(lambda connection: joining.issue(connection, asked.viewer.name, name, now))
    return JSONResponse(msgspec.to_builtins({"token": secret, "name": name, "ends_at": now + joining.LASTS}), 201)


def _revoke(asked: Asked) -> Response:
    """End all tokens of a cluster's agents."""
    name = asked.path["cluster"]
    _must_operate(asked, name)
    now = asked.site.now()
    ended = asked.site.store.write(lambda connection: joining.revoke(connection, asked.viewer.name, name, now))
    return JSONResponse({"revoked": ended})


def _must_operate(asked: Asked, name: str) -> None:
    """Clusters are let in by who operates all of that cluster; under any name, by who operates the whole fleet."""
    grants = asked.viewer.scope("operate")
    if not any(one.is_whole and (one.clusters is None or (name and name in one.clusters)) for one in grants):
        raise ForbiddenError(
            f"`{asked.viewer.name}` may not let {f'`{name}`' if name else 'any cluster'} join",
            hint="Ask an operator of the fleet.",
        )


def _span(hours: float) -> timedelta:
    try:
        return timedelta(hours=hours)
    except (OverflowError, ValueError) as error:
        raise SpecError("`hours` is no time", hint="Say for how many hours the token is to last.") from error


def _unreadable(asked: Asked) -> Response | None:
    """A message of another version; it is kept by who sends it until it can be read."""
    kind = asked.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MEDIA:
        return None
    error = BartizanError(f"reports of the type `{kind[:80]}` cannot be read", hint=f"Send `{MEDIA}`.")
    return _problem(error, 415)


def _secret(asked: Asked) -> str:
    kind, _, secret = asked.request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _json(told: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status, media_type="application/json")


def _problem(error: BartizanError, status: int, *, reason: str = "", after: int = 0) -> Response:
    """A refusal as a problem document (RFC 9457)."""
    told: dict[str, Any] = {"type": "about:blank", "status": status, "title": error.message, "detail": error.hint}
    if reason:
        told["reason"] = reason
    headers = {"Retry-After": str(after)} if after else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(told, status, headers, media_type="application/problem+json")


ROUTES: Final = (
    Route("POST", "/api/v1/agent/join", _join, needs=None, surface="api", body_bytes=_SMALL),
    Route("POST", "/api/v1/agent/hello", _for_agents(_hello), needs=None, surface="api", body_bytes=_SMALL),
    Route("POST", "/api/v1/agent/heartbeats", _for_agents(_heartbeat), needs=None, surface="api"),
    Route("GET", "/api/v1/agent/waivers", _for_agents(_waivers), needs=None, surface="api"),
    Route("POST", "/api/v1/agent/token", _for_agents(_renew), needs=None, surface="api", body_bytes=_SMALL),
    Route(
        "PUT",
        "/api/v1/agent/rules/{digest}",
        _for_agents(_rules),
        needs=None,
        surface="api",
        body_bytes=PACKED_BYTES,
    ),
    Route(
        "PUT",
        "/api/v1/agent/streams/{stream}/{sequence:int}",
        _for_agents(_report),
        needs=None,
        surface="api",
        body_bytes=PACKED_BYTES,
    ),
    Route("POST", "/api/v1/join-tokens", _invite, needs="operate", surface="api", body_bytes=_SMALL),
    Route("POST", "/api/v1/clusters/{cluster}/agent-tokens", _issue, needs="operate", surface="api", body_bytes=_SMALL),
    Route("DELETE", "/api/v1/clusters/{cluster}/agent-tokens", _revoke, needs="operate", surface="api"),
)
