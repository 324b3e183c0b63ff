"""`mutate` of a rule, compiled: strategic merge, JSON patch, loops over either, and targets that exist already.

The answer to a request is a pass with the changes, or a skip where nothing
would change. Loops see the resource as the loops before them left it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.kyverno.context import compile_context
from bartizan.engines.policy.dialects.kyverno.foreach import element_names, list_reader
from bartizan.engines.policy.dialects.kyverno.mutation.anchors import compile_anchors
from bartizan.engines.policy.dialects.kyverno.preconditions import compile_conditions
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, as_text, compile_template
from bartizan.engines.policy.dialects.kyverno.watch import watched_patch
from bartizan.engines.policy.document import decode
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.mutation import PatchError, apply_patch, merge, read_patch
from bartizan.engines.policy.mutation.same import same
from bartizan.lang.jmespath import JmesPathError
from bartizan.model.change import Change
from bartizan.model.outcome import Broken, Outcome, Passed, Skipped
from bartizan.model.resource import identify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.preconditions import Verdict
    from bartizan.engines.policy.dialects.kyverno.scope import Loader, Scope
    from bartizan.engines.policy.dialects.kyverno.validate import Judge, ScopeOf
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler
    from bartizan.engines.policy.mutation import Operation
    from bartizan.model.request import Request

    Conditions = Callable[[Scope], Verdict]
    Patch = Callable[[JsonObject, Scope], JsonObject]

_MAX_DEPTH: Final = 8  # loops inside loops; a policy has one or two
_NO_PATCHES: Final = Skipped("no patches applied")


class MutationLoop(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One entry of `mutate.foreach`."""

    elements: str = msgspec.field(default="", name="list")
    order: Literal["Ascending", "Descending"] | None = None
    context: list[dict[str, Any]] | None = None
    preconditions: Any = None
    patch_strategic_merge: Any = None
    patches_json6902: Any = None
    foreach: list[dict[str, Any]] | None = None


class MutationTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One entry of `mutate.targets`: objects that exist, and when they are changed."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    selector: dict[str, Any] | None = None
    context: list[dict[str, Any]] | None = None
    preconditions: Any = None


class MutateSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`mutate` of a rule; one of the ways to patch is set."""

    patch_strategic_merge: Any = None
    patches_json6902: Any = None
    foreach: list[dict[str, Any]] | None = None
    targets: list[dict[str, Any]] | None = None
    mutate_existing_on_policy_update: bool | None = None


class _Loop(NamedTuple):
    """A loop, compiled: its list, whether it runs backwards, and what it does to a body for one element."""

    elements: Callable[[Scope], list[Json]]
    backwards: bool
    loaders: dict[str, Loader]
    conditions: Conditions | None
    patch: Callable[[JsonObject, Scope, int], JsonObject]


class _Target(NamedTuple):
    """A description of objects, compiled."""

    question: Callable[[Scope], ObjectsQuestion]
    loaders: dict[str, Loader]
    conditions: Conditions | None


def mutate_judge(document: JsonObject, namespace: str, compiler: Compiler, at: str) -> Judge:
    """Compile `mutate`, which stands at `at`; `namespace` is the policy's own, which its targets then are in.

    Raises:
        SpecError: something in it is malformed.
    """
    spec = decode(document, MutateSpec, at)
    patch = _patch_of(spec, compiler, at)
    if spec.targets:
        targets = [
            _compile_target(item, namespace, compiler, f"{at}/targets/{index}")
            for index, item in enumerate(spec.targets)
        ]
        return lambda request, scope: _change_targets(targets, patch, request, scope)

    def judge(request: Request, scope: ScopeOf) -> Outcome | None:
        body = request.resource.body
        try:
            after = patch(body, scope)
        except PatchError as error:
            return Broken(f"failed to patch: {error}")
        if after is body:
            return _NO_PATCHES
        return Passed(_said(request.resource.id), (Change(request.resource.id, body, after),))

    return judge


def _said(rid: object) -> str:
    return f"mutated {rid}"


def _patch_of(spec: MutateSpec, compiler: Compiler, at: str) -> Callable[[JsonObject, ScopeOf], JsonObject]:
    """What the rule does to a body."""
    if spec.foreach:
        loops = _compile_loops(spec.foreach, compiler, f"{at}/foreach", 0)
        return lambda body, scope: _run_loops(loops, body, scope(), 0)
    patch = _compile_patch(spec.patch_strategic_merge, spec.patches_json6902, compiler, at)
    if isinstance(patch, _Static):
        static = patch.apply
        return lambda body, _scope: static(body)
    return lambda body, scope: patch(body, scope())


@dataclass(frozen=True, slots=True)
class _Static:
    """A patch without variables."""

    apply: Callable[[JsonObject], JsonObject]

    def __call__(self, body: JsonObject, _scope: Scope) -> JsonObject:
        """The body after the patch."""
        return self.apply(body)


def _compile_patch(strategic: Json, json_patch: Json, compiler: Compiler, at: str) -> Patch:
    """Compile one patch, of either kind; a strategic merge wins where both are there."""
    if strategic is not None:
        where = f"{at}/patchStrategicMerge"
        template = watched_patch(compiler, where, compile_template(strategic, compiler, at=where))
        if template.render is None:
            return _Static(_merger(template.value, where))
        return lambda body, scope: _late_merger(to_text(template(scope)), where)(body)
    if not json_patch:
        hint = "Write patchStrategicMerge, patchesJson6902 or foreach."
        raise SpecError("nothing to mutate by", pointer=at, hint=hint)
    where = f"{at}/patchesJson6902"
    template = watched_patch(compiler, where, compile_template(json_patch, compiler, at=where))
    read = _patch_reader(compiler, where)
    if template.render is None:
        try:
            operations = read(template.value)
        except UnresolvedError as error:
            raise SpecError(str(error), pointer=where, hint="Write a list of operations in YAML.") from error
        return _Static(lambda body: _patched(body, operations))

    def patch(body: JsonObject, scope: Scope) -> JsonObject:
        try:
            return _patched(body, read(template(scope)))
        except SpecError as error:
            raise UnresolvedError(f"malformed patch: {error.message}") from error

    return patch


def _merger(patch: Json, at: str) -> Callable[[JsonObject], JsonObject]:
    resolve = compile_anchors(patch, at)

    def apply(body: JsonObject) -> JsonObject:
        plain = resolve(body)
        return merge(body, plain) if plain else body

    return apply


@lru_cache(maxsize=1024)
def _late_merger(text: str, at: str) -> Callable[[JsonObject], JsonObject]:
    """A patch whose variables are filled in; many requests fill in the same."""
    try:
        return _merger(msgspec.json.decode(text), at)
    except SpecError as error:
        raise UnresolvedError(f"malformed patch: {error.message}") from error


def _patch_reader(compiler: Compiler, at: str) -> Callable[[Json], Sequence[Operation]]:
    """Reads JSON patches, which policies write as YAML in a text."""
    parse = compiler("parse_yaml(@)")

    @lru_cache(maxsize=256)
    def read_text(text: str) -> Sequence[Operation]:
        try:
            return read_patch(parse(text), at)
        except JmesPathError as error:
            raise UnresolvedError(f"malformed patch: {error}") from error

    return lambda value: read_text(value) if isinstance(value, str) else read_patch(value, at)


def _patched(body: JsonObject, operations: Sequence[Operation]) -> JsonObject:
    after = apply_patch(body, operations)
    if not isinstance(after, dict):
        raise PatchError("the patch leaves no object")
    return body if same(body, after) else after


def _compile_loops(loops: Sequence[JsonObject], compiler: Compiler, at: str, depth: int) -> list[_Loop]:
    return [_compile_loop(loop, compiler, f"{at}/{index}", depth) for index, loop in enumerate(loops)]


def _compile_loop(document: JsonObject, compiler: Compiler, at: str, depth: int) -> _Loop:
    if depth > _MAX_DEPTH:
        raise SpecError(f"loops nest deeper than {_MAX_DEPTH}", pointer=at, hint="Flatten them with JMESPath.")
    loop = decode(document, MutationLoop, at)
    conditions = compile_conditions(loop.preconditions, compiler, f"{at}/preconditions") if loop.preconditions else None
    if loop.foreach:
        inner = _compile_loops(loop.foreach, compiler, f"{at}/foreach", depth + 1)

        def patch(body: JsonObject, scope: Scope, level: int) -> JsonObject:
            return _run_loops(inner, body, scope, level + 1)
    else:
        one = _compile_patch(loop.patch_strategic_merge, loop.patches_json6902, compiler, at)

        def patch(body: JsonObject, scope: Scope, level: int) -> JsonObject:  # noqa: ARG001 (the shape of both)
            return one(body, scope)

    backwards = loop.patch_strategic_merge is not None if loop.order is None else loop.order == "Descending"
    loaders = compile_context(loop.context, compiler, f"{at}/context")
    return _Loop(list_reader(loop.elements, compiler, f"{at}/list", strict=True), backwards, loaders, conditions, patch)


def _run_loops(loops: Sequence[_Loop], body: JsonObject, scope: Scope, level: int) -> JsonObject:
    """Every loop in order; each sees in `request.object` what those before it have made."""
    for loop in loops:
        elements = list(enumerate(loop.elements(scope)))
        for index, element in reversed(elements) if loop.backwards else elements:
            if element is None:
                continue
            inner = scope.nested(element_names(element, index, level, scope.request), loop.loaders)
            if loop.conditions is None or loop.conditions(inner).holds:
                body = loop.patch(body, inner, level)
        if body is not scope["request"].get("object"):
            scope = scope.nested({"request": {**scope["request"], "object": body}}, {})
    return body


def _compile_target(document: JsonObject, namespace: str, compiler: Compiler, at: str) -> _Target:
    target = decode(document, MutationTarget, at)
    fields = compile_template(
        {
            "kind": f"{target.api_version}/{target.kind}",
            "namespace": namespace or target.namespace,
            "name": target.name,
            "selector": target.selector,
        },
        compiler,
        at=at,
    )

    def question(scope: Scope) -> ObjectsQuestion:
        asked = fields(scope)
        selector = to_text(asked["selector"]) if asked["selector"] else ""
        kind, own_namespace, name = (as_text(asked[field]) for field in ("kind", "namespace", "name"))
        return ObjectsQuestion(kind, own_namespace, name, selector)

    conditions = (
        compile_conditions(target.preconditions, compiler, f"{at}/preconditions") if target.preconditions else None
    )
    return _Target(question, compile_context(target.context, compiler, f"{at}/context"), conditions)


def _change_targets(
    targets: Sequence[_Target],
    patch: Callable[[JsonObject, ScopeOf], JsonObject],
    request: Request,
    scope_of: ScopeOf,
) -> Outcome:
    """Change objects that exist; one that cannot be changed is an error of the rule, and none is then."""
    scope = scope_of()
    changes: list[Change] = []
    because = "no target"
    for target in targets:
        try:
            found = scope.lookup.answer(target.question(scope))
        except LookupFailedError as error:
            return Broken(str(error))
        for body in found:
            inner = scope.nested({"target": body}, target.loaders)
            if target.conditions is not None and not target.conditions(inner).holds:
                because = "preconditions not met"
                continue
            try:
                after = patch(body, lambda inner=inner: inner)  # type: ignore[misc]  # bound in this turn of the loop
            except PatchError as error:
                return Broken(f"failed to patch {identify(body)}: {error}")
            because = "no patches applied"
            if after is not body:
                changes.append(Change(identify(body), body, after))
    if not changes:
        return Skipped(because)
    names = ", ".join(str(change.resource) for change in changes)
    return Passed(f"mutated {names} for {request.resource.id}", tuple(changes))
