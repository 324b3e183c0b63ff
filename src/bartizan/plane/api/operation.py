"""An operation of the interface: what it takes, gives and does, and how a request of it is answered.

All that is not the operation's own is done here: parameters and bodies are
read by their records, changes are made in one transaction with the answer
that is kept of them, and what is read can be asked for again by its tag.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec
from starlette.responses import Response

from bartizan.plane.api import tags
from bartizan.plane.api.asking import body_of, parameters_of
from bartizan.plane.api.replay import key_of
from bartizan.plane.problem import RefusedError, problem
from bartizan.plane.recording import recorded
from bartizan.plane.site import Asked, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.plane.viewer import Permission
    from bartizan.stores.scope import Scope

PREFIX: Final = "/api/v1"
BODY_BYTES: Final = 1 << 16
"""The longest body of a change: a waiver with all its words has some thousand."""
Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters, or no body."""


P = TypeVar("P", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Call(Generic[P, B]):
    """A request that was read: its parameters, those of the path among them, and its body."""

    asked: Asked
    given: P
    body: B

    @property
    def now(self) -> datetime:
        """The time of the request."""
        return self.asked.site.now()

    @property
    def scope(self) -> Scope:
        """What the viewer may see."""
        return self.asked.viewer.scope()

    @property
    def person(self) -> str:
        """Who asks, by name: a token is a hand of the person it was made by, not another person."""
        return self.asked.viewer.name

    def record(self, connection: Connection, action: str, subject: str, details: Mapping[str, Any]) -> None:
        """Write down what is being done, in the transaction that does it."""
        recorded(self.asked, connection, action, subject, details)


class Told(NamedTuple):
    """What an operation says: a record, or a finished response where that is no JSON."""

    body: msgspec.Struct | Response | None
    headers: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[P, B]):
    """One operation. `handle` works in a transaction: of one moment for reading, all or nothing for a change.

    `current` is for changes to what can be asked for by itself: what the
    tag in `If-Match` must be of. `media` are the types of what is no JSON.
    """

    name: str
    method: Method
    path: str
    tag: str
    summary: str
    handle: Callable[[Call[P, B], Connection], Told]
    description: str = ""
    needs: Permission = "see"
    given: type[P] = field(default=Nothing)  # type: ignore[assignment]  # the default is of both kinds
    body: type[B] = field(default=Nothing)  # type: ignore[assignment]  # as above
    answer: type[msgspec.Struct] | None = None
    status: int = 200
    media: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()
    current: Callable[[Call[P, B], Connection], msgspec.Struct] | None = None

    @property
    def changes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def in_path(self) -> tuple[str, ...]:
        """The parameters that are parts of the path."""
        return tuple(part[1:-1].partition(":")[0] for part in self.path.split("/") if part.startswith("{"))

    def route(self) -> Route:
        """The door it is behind."""
        return Route(
            self.method, f"{PREFIX}{self.path}", lambda asked: _answered(self, asked), self.needs, "api", BODY_BYTES
        )


def _answered(operation: Operation[Any, Any], asked: Asked) -> Response:
    try:
        given = parameters_of(asked, operation.given, operation.in_path)
        call = Call(asked, given, body_of(asked, operation.body))
        return _changed(operation, call) if operation.changes else _read(operation, call)
    except RefusedError as error:
        return problem(error, error.status)


def _read(operation: Operation[Any, Any], call: Call[Any, Any]) -> Response:
    with call.asked.site.store.reading() as connection:
        told = operation.handle(call, connection)
    answer = _response(operation, told)
    wanted = call.asked.request.headers.get("if-none-match", "")
    tag = tags.of(answer, call.asked.request)
    if tag:
        answer.headers["ETag"] = tag
        answer.headers["Cache-Control"] = "private, no-cache"
        if tags.is_among(tag, wanted, weakly=True):
            kept = {name: answer.headers[name] for name in ("etag", "cache-control", "link") if name in answer.headers}
            return Response(status_code=304, headers=kept)
    return answer


def _changed(operation: Operation[Any, Any], call: Call[Any, Any]) -> Response:
    replay = key_of(call.asked, operation.method)

    def work(connection: Connection) -> Response:
        before = replay.before(connection) if replay else None
        if before is not None:
            return before
        _match(operation, call, connection)
        answer = _response(operation, operation.handle(call, connection))
        tag = tags.of(answer, call.asked.request)
        if tag and operation.current is not None:
            answer.headers["ETag"] = tag
        if replay:
            replay.keep(connection, answer)
        return answer

    answer = call.asked.site.store.write(work)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _match(operation: Operation[Any, Any], call: Call[Any, Any], connection: Connection) -> None:
    """Refuse a change to what is not any more what its sender saw."""
    wanted = call.asked.request.headers.get("if-match", "")
    if not wanted or operation.current is None:
        return
    now = tags.of_bytes(msgspec.json.encode(operation.current(call, connection)))
    if not tags.is_among(now, wanted, weakly=False):
        raise RefusedError(412, "it has changed since you read it", hint="Read it again, and decide anew.")


def _response(operation: Operation[Any, Any], told: Told) -> Response:
    if isinstance(told.body, Response):
        told.body.headers.update(told.headers)
        return told.body
    if told.body is None:
        return Response(status_code=204, headers=dict(told.headers))
    body = msgspec.json.encode(told.body)
    return Response(body, operation.status, dict(told.headers), media_type="application/json")
