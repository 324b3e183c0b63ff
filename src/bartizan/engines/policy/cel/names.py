"""What the names of an expression stand for, for one request; those that few ask for are made when they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from bartizan.engines.policy.cel.kinds import plural
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.model.resource import metadata_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.lang.cel import Expression
    from bartizan.lang.cel.allowance import Account
    from bartizan.model.request import Request


class Names(dict[str, Any]):
    """The names of one request and their values. `makers` say how the others are made, when one is asked for.

    `account` is who pays for the expressions that use them, where that matters.
    """

    __slots__ = ("_makers", "account", "lookup", "request")

    def __init__(self, request: Request, lookup: Callable[[], Lookup], makers: Makers) -> None:
        self._makers = makers
        self.request = request
        self.lookup = lookup
        self.account: Account | None = None

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._makers[name](self)
        return value

    def value_of(self, expression: Expression) -> Any:
        """The value of an expression that uses them.

        Raises:
            CelError: it has none.
            CelBudgetError: it takes too long.
        """
        return expression(self) if self.account is None else self.account.run(expression, self)


Makers: TypeAlias = "Mapping[str, Callable[[Names], Any]]"


_MAX_CHAIN: Final = 30
"""Variables that are worked out for one another; longer chains would end where Python's stack does."""


class _Variables(dict[str, Any]):
    """The policy's own variables, each worked out once."""

    __slots__ = ("_chain", "_expressions", "_failures", "_names")

    def __init__(self, expressions: Mapping[str, Expression], names: Names) -> None:
        super().__init__()
        self._expressions = expressions
        self._failures: dict[str, str] = {}
        self._names = names
        self._chain = 0

    def __missing__(self, name: str) -> Any:
        """Work a variable out. One that takes too long is an error like others; none is worked out again."""
        if self._chain >= _MAX_CHAIN:
            raise CelBudgetError(f"variables need one another more than {_MAX_CHAIN} deep")
        if name not in self._failures:
            self._chain += 1
            expression, names = self._expressions[name], self._names
            account = names.account
            try:
                value = self[name] = expression(names) if account is None else account.part(expression, names)
            except (CelError, CelBudgetError) as error:
                self._failures[name] = f'composited variable "{name}" fails to evaluate: {error}'
            else:
                return value
            finally:
                self._chain -= 1
        raise CelError(self._failures[name])

    def __contains__(self, name: object) -> bool:
        return name in self._expressions


def makers_of(variables: Mapping[str, Expression], more: Makers | None = None) -> Makers:
    """How the names are made that few ask for; `more` are those that a kind of policy has beside these."""
    return {**_COMMON, "variables": lambda names: _Variables(variables, names), **(more or {})}


def names_of(request: Request, lookup: Callable[[], Lookup], makers: Makers, params: Json = None) -> Names:
    """What the names stand for, for one request and one set of parameters."""
    deleted = request.operation == "DELETE"
    old = request.resource if deleted else request.old
    names = Names(request, lookup, makers)
    names["object"] = None if deleted else request.resource.body
    names["oldObject"] = None if old is None else old.body
    names["params"] = params
    return names


class Coordinates(NamedTuple):
    """Where in the API a request is made; a Namespace is taken to be in itself, as the API server has it."""

    group: str
    version: str
    resource: str
    namespace: str


def coordinates(request: Request) -> Coordinates:
    """The resource that a request is about; for a part, that of what it is a part of."""
    found: Coordinates | None = request.memo.get("cel.coordinates")
    if found is None:
        found = request.memo["cel.coordinates"] = _coordinates(request)
    return found


def _coordinates(request: Request) -> Coordinates:
    rid = request.resource.id
    if request.parent_kind:
        version = request.parent_version or rid.version
        return Coordinates(request.parent_group, version, plural(request.parent_kind), rid.namespace)
    namespace = name_of(request) if rid.kind == "Namespace" and not rid.group else rid.namespace
    return Coordinates(rid.group, rid.version, plural(rid.kind), namespace)


def name_of(request: Request) -> str:
    """The name of what is asked about; empty where the server is still to make one."""
    metadata = metadata_of(request.resource.body)
    return "" if metadata.get("generateName") and not metadata.get("name") else request.resource.id.name


def admission_request(request: Request) -> JsonObject:
    """The request as the review that the API server makes has it; what is empty is not there."""
    rid, at = request.resource.id, coordinates(request)
    kind = {"group": rid.group, "version": rid.version, "kind": rid.kind}
    resource = {"group": at.group, "version": at.version, "resource": at.resource}
    review: JsonObject = {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "operation": request.operation,
        "userInfo": {},
        "dryRun": request.dry_run,
        "options": _options(request),
    }
    given = {"name": name_of(request), "namespace": at.namespace}
    given |= {"subResource": request.subresource, "requestSubResource": request.subresource}
    review |= {key: value for key, value in given.items() if value}
    user = request.user
    if user is not None:
        about = {"username": user.username, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
        review["userInfo"] = {key: value for key, value in about.items() if value}
    return review


def _options(request: Request) -> JsonObject | None:
    """The options of the call; those of a call that says nothing special, where they are not known."""
    if request.options is not None or request.operation == "CONNECT":
        return request.options
    kind = f"{request.operation.capitalize()}Options"
    return {"kind": kind, "apiVersion": "meta.k8s.io/v1", **({"dryRun": ["All"]} if request.dry_run else {})}


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
    # the API server puts this label on every namespace
    labels = {"kubernetes.io/metadata.name": rid.namespace, **request.namespace_labels}
    return {"metadata": {"name": rid.namespace, "labels": labels}}


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
