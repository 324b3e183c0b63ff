"""What the names of an expression stand for, for one request; those that few ask for are made when they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bartizan.engines.policy.cel.kinds import plural
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.lang.cel import CelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.lang.cel import Expression
    from bartizan.model.request import Request


class Names(dict[str, Any]):
    """The names of one request and their values. `makers` say how the others are made, when one is asked for."""

    __slots__ = ("_makers", "lookup", "request")

    def __init__(
        self, known: Mapping[str, Any], request: Request, lookup: Callable[[], Lookup], makers: Makers
    ) -> None:
        super().__init__(known)
        self._makers = makers
        self.request = request
        self.lookup = lookup

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._makers[name](self)
        return value


Makers: TypeAlias = "Mapping[str, Callable[[Names], Any]]"


class _Variables(dict[str, Any]):
    """The policy's own variables, each worked out once."""

    __slots__ = ("_expressions", "_names")

    def __init__(self, expressions: Mapping[str, Expression], names: Names) -> None:
        super().__init__()
        self._expressions = expressions
        self._names = names

    def __missing__(self, name: str) -> Any:
        try:
            value = self[name] = self._expressions[name](self._names)
        except CelError as error:
            raise CelError(f'composited variable "{name}" fails to evaluate: {error}') from error
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._expressions


def makers_of(variables: Mapping[str, Expression], more: Makers | None = None) -> Makers:
    """How the names are made that few ask for; `more` are those that a kind of policy has beside these."""
    return {**_COMMON, "variables": lambda names: _Variables(variables, names), **(more or {})}


def names_of(request: Request, lookup: Callable[[], Lookup], makers: Makers, params: Json = None) -> Names:
    """What the names stand for, for one request and one set of parameters."""
    deleted = request.operation == "DELETE"
    old = request.resource if deleted else request.old
    known = {
        "object": None if deleted else request.resource.body,
        "oldObject": None if old is None else old.body,
        "params": params,
    }
    return Names(known, request, lookup, makers)


def admission_request(request: Request) -> JsonObject:
    """The request as the review that the API server makes has it; what is empty is not there."""
    rid = request.resource.id
    kind = {"group": rid.group, "version": rid.version, "kind": rid.kind}
    resource = {"group": rid.group, "version": rid.version, "resource": plural(rid.kind)}
    review: JsonObject = {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "operation": request.operation,
        "userInfo": {},
        "dryRun": request.dry_run,
    }
    given = {"name": rid.name, "namespace": rid.namespace}
    given |= {"subResource": request.subresource, "requestSubResource": request.subresource}
    review |= {key: value for key, value in given.items() if value}
    user = request.user
    if user is not None:
        about = {"username": user.username, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
        review["userInfo"] = {key: value for key, value in about.items() if value}
    return review


def namespace_object(request: Request, lookup: Lookup) -> JsonObject | None:
    """The namespace of what is judged: the object if there is one, or what is known of it."""
    rid = request.resource.id
    if not rid.namespace or (rid.kind == "Namespace" and not rid.group):
        return None
    if request.namespace is not None:
        return request.namespace
    try:
        found = lookup.answer(ObjectsQuestion("v1/Namespace", name=rid.namespace))
    except LookupFailedError:
        found = []
    if isinstance(found, list) and found:
        body: JsonObject = found[0]
        return body
    labels = {"labels": request.namespace_labels} if request.namespace_labels else {}
    return {"metadata": {"name": rid.namespace, **labels}}


def _remembered(key: str, make: Callable[[Names], Any]) -> Callable[[Names], Any]:
    """What is the same for every policy that is asked about a request is made once."""

    def made(names: Names) -> Any:
        memo = names.request.memo
        if key not in memo:
            memo[key] = make(names)
        return memo[key]

    return made


_COMMON: Final[Makers] = {
    "request": _remembered("cel.request", lambda names: admission_request(names.request)),
    "namespaceObject": _remembered(
        "cel.namespaceObject", lambda names: namespace_object(names.request, names.lookup())
    ),
}
