"""The parameters of a rule in CEL: objects of another kind, by name or by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from bartizan.engines.policy.cel.names import coordinates
from bartizan.engines.policy.document import Record
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.selector import LabelSelector
from bartizan.model.scoping import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request


class ParamKind(Record, frozen=True):
    """The kind of the parameters."""

    api_version: str
    kind: str


class ParamRef(Record, frozen=True):
    """Which objects of that kind; one by name, or all with some labels."""

    name: str = ""
    namespace: str = ""
    selector: LabelSelector | None = None
    parameter_not_found_action: str | None = None


def params_loader(kind: ParamKind, ref: ParamRef) -> Callable[[Request, Lookup], list[JsonObject]]:
    """Look the parameters up for a request.

    An object of a kind with namespaces is looked for in the namespace that
    the reference names, or that of what is judged; whether the kind has
    them is seen from what is found.

    Raises (when called):
        LookupFailedError: they could not be had, or are not there and must be.
    """
    selector = "" if ref.selector is None else msgspec.json.encode(ref.selector).decode()

    def load(request: Request, lookup: Lookup) -> list[JsonObject]:
        if not ref.name and ref.selector is None:
            found: list[JsonObject] = []
        else:
            question = ObjectsQuestion(
                f"{kind.api_version}/{kind.kind}", namespace=ref.namespace, name=ref.name, selector=selector
            )
            found = _in_reach(lookup.answer(question), ref.namespace or request.resource.id.namespace)
        if ref.name and not found:
            raise LookupFailedError(f"there is no {kind.kind} `{ref.name}`")
        if not found and ref.parameter_not_found_action == "Deny":
            raise LookupFailedError(f"there is no {kind.kind} that the policy could take its parameters from")
        return found

    return load


def _in_reach(objects: list[JsonObject], namespace: str) -> list[JsonObject]:
    """Those without a namespace, and those in the right one."""
    return [item for item in objects if (item.get("metadata") or {}).get("namespace", namespace) == namespace]


class ParamsError(Exception):
    """A binding's parameters could not be had; the message is the API server's."""


Collect: TypeAlias = "Callable[[Request, Lookup], Sequence[JsonObject | None]]"


def collector(kind: ParamKind | None, ref: ParamRef | None) -> Collect:
    """Collect the parameters of a binding as the API server does: one evaluation is made with each.

    Where the policy has no kind of parameters, or the binding names none,
    there is one evaluation without; where none are found, there is none.

    Raises (when called):
        ParamsError: they cannot be had, or must be there and are not.
    """
    if kind is None or ref is None:
        return lambda _request, _lookup: (None,)
    group = kind.api_version.rpartition("/")[0]
    of_cluster = is_cluster_scoped(group, kind.kind)
    selector = "" if ref.selector is None else msgspec.json.encode(ref.selector).decode()
    question = ObjectsQuestion(
        f"{kind.api_version}/{kind.kind}", namespace=ref.namespace, name=ref.name, selector=selector
    )

    def collect(request: Request, lookup: Lookup) -> Sequence[JsonObject | None]:
        if of_cluster and ref.namespace:
            raise ParamsError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        namespace = "" if of_cluster else ref.namespace or coordinates(request).namespace
        try:
            answer: list[JsonObject] = lookup.answer(question)
        except LookupFailedError as error:
            raise ParamsError(str(error)) from error
        found = [item for item in answer if _is_in(item, namespace)] if namespace or of_cluster else answer
        if not namespace and any((item.get("metadata") or {}).get("namespace") for item in found):
            raise ParamsError("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
        if not found and ref.parameter_not_found_action == "Deny":
            raise ParamsError("no params found for policy binding with `Deny` parameterNotFoundAction")
        return found

    return collect


def _is_in(item: JsonObject, namespace: str) -> bool:
    """Whether an object is in a namespace; one without is in every one, for its manifest may leave it out."""
    return not namespace or (item.get("metadata") or {}).get("namespace", namespace) == namespace
