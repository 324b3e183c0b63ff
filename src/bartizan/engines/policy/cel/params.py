"""The parameters of a rule in CEL: objects of another kind, by name or by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bartizan.engines.policy.document import Record
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.selector import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Callable

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
