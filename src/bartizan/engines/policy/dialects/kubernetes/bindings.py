"""Bindings: where a policy applies, with which parameters, and what a failure leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.engines.policy.cel.params import Collect, collector
from bartizan.engines.policy.dialects.kubernetes.checks import check_binding
from bartizan.engines.policy.dialects.kubernetes.kinds import MUTATING, VALIDATING
from bartizan.engines.policy.dialects.kubernetes.matching import Matcher, compile_matcher
from bartizan.engines.policy.dialects.kubernetes.spec import BindingSpec, ValidatingBindingSpec
from bartizan.engines.policy.document import decode

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.params import ParamKind


class BindingDocument(NamedTuple):
    """A binding that was read, but not yet joined with its policy."""

    name: str
    policy_kind: str
    spec: BindingSpec


class Binding(NamedTuple):
    """A binding, compiled for its policy. `name` is empty for the one that stands for there being none."""

    name: str
    matcher: Matcher | None
    collect: Collect
    actions: tuple[str, ...]


def read_binding(document: JsonObject, name: str) -> BindingDocument:
    """Read a binding.

    Raises:
        SpecError: it is not what the API server would take.
    """
    kind = VALIDATING if document["kind"] == f"{VALIDATING}Binding" else MUTATING
    record = ValidatingBindingSpec if kind == VALIDATING else BindingSpec
    spec: BindingSpec = decode(document.get("spec") or {}, record, "/spec")
    check_binding(spec, "/spec")
    if spec.match_resources is not None:
        compile_matcher(spec.match_resources, "/spec/matchResources")
    return BindingDocument(name, kind, spec)


def bind(document: BindingDocument, kind: ParamKind | None) -> Binding:
    """Join a binding with what its policy says of parameters."""
    spec = document.spec
    matcher = (
        compile_matcher(spec.match_resources, "/spec/matchResources") if spec.match_resources is not None else None
    )
    actions = spec.validation_actions if isinstance(spec, ValidatingBindingSpec) else ()
    return Binding(document.name, matcher, collector(kind, spec.param_ref), actions or ("Deny",))


UNBOUND: Final = Binding("", None, lambda _request, _lookup: (None,), ("Deny",))
"""What a policy is judged with where no binding was given: everywhere, without parameters."""
