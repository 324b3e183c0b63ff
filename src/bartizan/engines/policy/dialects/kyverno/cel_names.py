"""The names that CEL expressions of a rule see: those of Kubernetes' admission policies.

`request`, `namespaceObject` and `variables` are made when an expression asks
for them, because few do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.lang.cel import CelError, Environment, Overload
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.types import BOOL, DYN, INT, STRING, TIMESTAMP, Type, list_of, map_of
from bartizan.lang.cel.values import Optional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.validate import ScopeOf
    from bartizan.lang.cel import Expression
    from bartizan.model.request import Request

_KIND: Final = Type("kubernetes.GroupVersionKind")
_RESOURCE: Final = Type("kubernetes.GroupVersionResource")
_USER: Final = Type("kubernetes.UserInfo")
_REQUEST: Final = Type("kubernetes.AdmissionRequest")
_NAMESPACE: Final = Type("kubernetes.Namespace")
_METADATA: Final = Type("kubernetes.NamespaceMetadata")
_VARIABLES: Final = Type("kubernetes.variables")
_TEXTS: Final = list_of(STRING)

_OBJECTS: Final[Mapping[str, Mapping[str, Type]]] = {
    _KIND.name: {"group": STRING, "version": STRING, "kind": STRING},
    _RESOURCE.name: {"group": STRING, "version": STRING, "resource": STRING},
    _USER.name: {"username": STRING, "uid": STRING, "groups": _TEXTS, "extra": map_of(STRING, _TEXTS)},
    _REQUEST.name: {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": STRING,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": _USER,
        "dryRun": BOOL,
        "options": DYN,
    },
    _NAMESPACE.name: {"metadata": _METADATA, "spec": DYN, "status": DYN},
    _METADATA.name: {
        **dict.fromkeys(("name", "generateName", "namespace", "UID", "resourceVersion"), STRING),
        "labels": map_of(STRING, STRING),
        "annotations": map_of(STRING, STRING),
        "creationTimestamp": TIMESTAMP,
        "deletionTimestamp": TIMESTAMP,
        "deletionGracePeriodSeconds": INT,
        "generation": INT,
        "finalizers": _TEXTS,
    },
}
"""What the API server declares; other fields of a namespace are not there for a policy."""


def _or_value(value: Any, default: Any) -> Any:
    """`orValue` of what is no optional is that value, which Kyverno keeps from older releases of the language."""
    if value.__class__ is not Optional:
        return value
    return value.value if value.present else default


_FUNCTIONS: Final = {**KUBERNETES, "orValue": (Overload((DYN, DYN), DYN, _or_value, member=True),)}
_PLAIN: Final[dict[bool, Environment]] = {}


def environment_for(variables: Mapping[str, Type], *, has_params: bool) -> Environment:
    """What the expressions of a rule may use; `variables` are the types of those that it names itself."""
    if not variables and has_params in _PLAIN:
        return _PLAIN[has_params]
    names = {"object": DYN, "oldObject": DYN, "request": _REQUEST, "namespaceObject": _NAMESPACE}
    environment = Environment(
        {**names, "variables": _VARIABLES, **({"params": DYN} if has_params else {})},
        _FUNCTIONS,
        {**_OBJECTS, _VARIABLES.name: variables},
        homogeneous=True,
    )
    if not variables:
        # the same one for every rule, so that an expression that recurs is compiled once
        _PLAIN[has_params] = environment
    return environment


class Names(dict[str, Any]):
    """The names of one request and their values; those that few ask for are made when they do."""

    __slots__ = ("_request", "_scope", "_variables")

    def __init__(
        self, known: Mapping[str, Any], request: Request, scope: ScopeOf, variables: Mapping[str, Expression]
    ) -> None:
        super().__init__(known)
        self._request = request
        self._scope = scope
        self._variables = variables

    def __missing__(self, name: str) -> Any:
        if name == "variables":
            value: Any = _Variables(self._variables, self)
        elif name == "request":
            value = _admission(self._request)
        else:
            value = _namespace(self._request, self._scope)
        self[name] = value
        return value


class _Variables(dict[str, Any]):
    """The rule's own variables, each worked out once."""

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


def names_of(request: Request, scope: ScopeOf, variables: Mapping[str, Expression], params: Json = None) -> Names:
    """What the names stand for, for one request and one set of parameters."""
    deleted = request.operation == "DELETE"
    old = request.resource if deleted else request.old
    known = {
        "object": None if deleted else request.resource.body,
        "oldObject": None if old is None else old.body,
        "params": params,
    }
    return Names(known, request, scope, variables)


def _admission(request: Request) -> JsonObject:
    rid = request.resource.id
    kind = {"group": rid.group, "version": rid.version, "kind": rid.kind}
    resource = {"group": rid.group, "version": rid.version, "resource": _plural(rid.kind)}
    review: JsonObject = {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "operation": request.operation,
        "userInfo": {},
        "dryRun": request.dry_run,
    }
    # what is empty is not there, as in the review that the API server makes
    given = {"name": rid.name, "namespace": rid.namespace}
    given |= {"subResource": request.subresource, "requestSubResource": request.subresource}
    review |= {key: value for key, value in given.items() if value}
    user = request.user
    if user is not None:
        about = {"username": user.username, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
        review["userInfo"] = {key: value for key, value in about.items() if value}
    return review


def _plural(kind: str) -> str:
    """The resource of a kind, by the rule that Kubernetes names its own by."""
    word = kind.lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es" if not word.endswith("endpoints") else word
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def _namespace(request: Request, scope: ScopeOf) -> JsonObject | None:
    """The namespace of what is judged: the object if there is one, or what is known of it."""
    rid = request.resource.id
    if not rid.namespace or (rid.kind == "Namespace" and not rid.group):
        return None
    try:
        found = scope().lookup.answer(ObjectsQuestion("v1/Namespace", name=rid.namespace))
    except LookupFailedError:
        found = []
    if isinstance(found, list) and found:
        body: JsonObject = found[0]
        return body
    labels = {"labels": request.namespace_labels} if request.namespace_labels else {}
    return {"metadata": {"name": rid.namespace, **labels}}
