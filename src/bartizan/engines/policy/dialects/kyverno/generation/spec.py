"""What `generate` of a rule may say, and what is refused before it runs.

The records are for reading and checking. What is filled in with variables is
the document itself, for a variable may stand for any part of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.variables import has_variables
from bartizan.engines.policy.document import decode
from bartizan.engines.policy.objects import parse_kind
from bartizan.engines.policy.selector import LabelSelector, compile_selector
from bartizan.model.scoping import is_cluster_scoped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json, JsonObject

_ANCHOR: Final = re.compile(r"(\+|\^|=|<|X)?\(.+\)")
_BUILT_IN: Final = re.compile(r"|apps|batch|autoscaling|policy|([a-z.-]+\.)?k8s\.io")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Fields in camel case, as YAML has them; an unknown one is an error."""


class CloneSpec(Record, frozen=True):
    """The object that is copied; its kind is the target's."""

    namespace: str = ""
    name: str = ""


class CloneListSpec(Record, frozen=True):
    """Every object of these kinds in one namespace is copied."""

    namespace: str = ""
    kinds: list[str] | None = None
    selector: LabelSelector | None = None


class TargetSpec(Record, frozen=True):
    """What is made, and from what: `data`, a `clone` or a `cloneList`."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""
    data: Any = None
    clone: CloneSpec | None = None
    clone_list: CloneListSpec | None = None


class LoopSpec(TargetSpec, frozen=True):
    """One `foreach`: a target for each element of a list. Loops do not nest here."""

    list: str = ""
    context: Any = None
    preconditions: Any = None


class GenerateSpec(TargetSpec, frozen=True):
    """`generate` of a rule."""

    generate_existing: bool | None = None
    synchronize: bool = False
    orphan_downstream_on_policy_delete: bool = False
    foreach: list[LoopSpec] | None = None


TARGET_FIELDS: Final = ("apiVersion", "kind", "name", "namespace", "data", "clone", "cloneList")


def read_generate(document: JsonObject, policy_namespace: str, at: str) -> GenerateSpec:
    """Read and check `generate`, of a policy that lives in `policy_namespace` if it is not for the whole cluster.

    Raises:
        SpecError: a field is unknown or malformed, or what is asked for can never be made.
    """
    spec = decode(document, GenerateSpec, at)
    ways = [name for name in ("data", "clone", "cloneList", "foreach") if document.get(name) is not None]
    if len(ways) > 1:
        said = " and ".join(f"`{way}`" for way in ways)
        raise SpecError(f"only one of {said} can be used", pointer=f"{at}/{ways[1]}", hint="Write a rule for each.")
    for place in _anchors(spec.data, f"{at}/data"):
        raise SpecError("anchors have no meaning in generated data", pointer=place, hint="Write the key alone.")
    for target, place in targets_of(spec, at):
        _check_target(target, policy_namespace, place)
    return spec


def targets_of(spec: GenerateSpec, at: str) -> list[tuple[TargetSpec, str]]:
    """What a rule makes, with the place of each; of a rule with loops only what they make."""
    if spec.foreach is not None:
        return [(loop, f"{at}/foreach/{index}") for index, loop in enumerate(spec.foreach)]
    return [(spec, at)]


def _anchors(value: Json, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if _ANCHOR.fullmatch(str(key)):
                yield f"{at}/{key}"
            yield from _anchors(item, f"{at}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _anchors(item, f"{at}/{index}")


def _check_target(target: TargetSpec, policy_namespace: str, at: str) -> None:
    if target.clone_list is not None and target.clone_list.kinds:
        _check_clone_list(target.clone_list, f"{at}/cloneList")
    else:
        for field, value in (("apiVersion", target.api_version), ("kind", target.kind), ("name", target.name)):
            if not value:
                raise SpecError(f"a target needs `{field}`", pointer=at, hint=f"Write `{field}:` beside its kind.")
        _check_scope(target, at)
    if policy_namespace:
        _check_within(target, policy_namespace, at)


def _check_scope(target: TargetSpec, at: str) -> None:
    """Whether a namespace is there for what needs one; a kind that nobody knows here may be either."""
    if has_variables(target.api_version + target.kind):
        return
    group = target.api_version.rpartition("/")[0]
    if is_cluster_scoped(group, target.kind):
        if target.namespace:
            raise SpecError(
                f"a {target.kind} has no namespace", pointer=f"{at}/namespace", hint="Leave `namespace` out."
            )
    elif not target.namespace and is_built_in(group):
        hint = "Write `namespace`, for instance as `{{ request.object.metadata.namespace }}`."
        raise SpecError(f"a {target.kind} needs a namespace", pointer=at, hint=hint)


def is_built_in(group: str) -> bool:
    """Whether an API group is Kubernetes' own, so that the scope of its kinds is known."""
    return _BUILT_IN.fullmatch(group) is not None


def _check_clone_list(spec: CloneListSpec, at: str) -> None:
    kinds = [parse_kind(kind) for kind in spec.kinds or () if not has_variables(kind)]
    scopes = {is_cluster_scoped(kind.group, kind.kind) for kind in kinds}
    if len(scopes) > 1:
        hint = "Write one rule for the kinds of the cluster and one for those of namespaces."
        raise SpecError("kinds of both scopes in one `cloneList`", pointer=f"{at}/kinds", hint=hint)
    if scopes == {True} and spec.namespace:
        raise SpecError("these kinds have no namespace", pointer=f"{at}/namespace", hint="Leave `namespace` out.")
    if (
        not spec.namespace
        and any(is_built_in(kind.group) and kind.group != "*" for kind in kinds)
        and True not in scopes
    ):
        raise SpecError("`cloneList` needs the namespace of its sources", pointer=at, hint="Write `namespace`.")
    if spec.selector is not None:
        if any("*" in str(part) or "?" in str(part) for part in _selector_parts(spec.selector)):
            raise SpecError("wildcards cannot select sources", pointer=f"{at}/selector", hint="Name the label in full.")
        compile_selector(spec.selector, f"{at}/selector")


def _selector_parts(selector: LabelSelector) -> Iterator[object]:
    for key, value in (selector.match_labels or {}).items():
        yield from (key, value)
    for requirement in selector.match_expressions or ():
        yield requirement.key
        yield from requirement.values or ()


def _check_within(target: TargetSpec, namespace: str, at: str) -> None:
    """A policy of one namespace neither reads nor makes anything outside of it."""
    hint = f"Write `namespace: {namespace}`, or make it a ClusterPolicy."
    kinds = target.clone_list.kinds if target.clone_list and target.clone_list.kinds else ()
    names = [parse_kind(kind) for kind in kinds] or [parse_kind(f"{target.api_version}/{target.kind}")]
    if any(is_cluster_scoped(name.group, name.kind) for name in names):
        raise SpecError("a Policy cannot make what belongs to the cluster", pointer=at, hint="Make it a ClusterPolicy.")
    if target.namespace != namespace:
        raise SpecError("a Policy makes objects in its own namespace only", pointer=f"{at}/namespace", hint=hint)
    if target.clone is not None and target.clone.name and target.clone.namespace != namespace:
        raise SpecError("a Policy clones from its own namespace only", pointer=f"{at}/clone/namespace", hint=hint)
    if kinds and target.clone_list is not None and target.clone_list.namespace != namespace:
        raise SpecError("a Policy clones from its own namespace only", pointer=f"{at}/cloneList/namespace", hint=hint)
