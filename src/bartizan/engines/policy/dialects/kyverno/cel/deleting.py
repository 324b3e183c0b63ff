"""DeletingPolicy and NamespacedDeletingPolicy, compiled: which objects one would delete, and when it runs.

Source: the peer's deleting controller and its engine. Nobody asks for such
a deletion, so operations in the constraints do not count, and there is no
`request` and no `oldObject` for an expression to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from bartizan.base.cron import parse_cron
from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.expressions import (
    ConditionSpec,
    VariableSpec,
    compile_conditions,
    compile_variables,
)
from bartizan.engines.policy.cel.match import Match, MatchResources, compile_match
from bartizan.engines.policy.cel.names import Names, makers_of
from bartizan.engines.policy.dialects.kyverno.cel.gates import hold
from bartizan.engines.policy.dialects.kyverno.cel.head import NAMESPACED, Head, is_one_of, read_head
from bartizan.engines.policy.dialects.kyverno.cel.vocabulary import vocabulary_of, world_makers
from bartizan.engines.policy.dialects.kyverno.cel.waiving import waive, waivers_for
from bartizan.engines.policy.dialects.kyverno.cleanup import CleanupPolicy, ResourceSelector
from bartizan.engines.policy.dialects.kyverno.policy import Policy
from bartizan.engines.policy.dialects.kyverno.ttl import moment_of
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.plan import Rule
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.model.change import Change
from bartizan.model.outcome import Broken, Failed, Passed
from bartizan.model.resource import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.base.cron import Cron
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.names import Makers
    from bartizan.engines.policy.dialects.kyverno.cel.waiving import Waiver
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.selector import LabelSelector
    from bartizan.lang.cel import Expression
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

KINDS: Final = frozenset({"DeletingPolicy", f"{NAMESPACED}DeletingPolicy"})
_NAME_LABEL: Final = "kubernetes.io/metadata.name"


class DeletingSpec(Record, frozen=True):
    """`spec` of a deleting policy."""

    schedule: str
    match_constraints: MatchResources | None = None
    conditions: tuple[ConditionSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    deletion_propagation_policy: Literal["Foreground", "Background", "Orphan"] | None = None


class _Judge(NamedTuple):
    """The parts of a policy that say whether an object is to go."""

    head: Head
    match: Match | None
    gates: tuple[Expression, ...]
    waivers: tuple[Waiver, ...]
    makers: Makers
    ambient: Ambient

    def run(self, request: Request, lookup: Lookup) -> Outcome | None:
        """A pass with the deletion, a failure where the object stays, or nothing where the policy is not about it."""
        resource = request.resource
        if not self._is_meant(request):
            return None
        names = Names({"object": resource.body}, request, lambda: lookup, self.makers)
        try:
            if self.waivers and waive(self.waivers, names, self.ambient.now).by:
                return Failed("resource did not match")
            if not hold(self.gates, names):
                return Failed("resource did not match")
        except (CelError, CelBudgetError) as error:
            return Broken(str(error))
        return Passed("resource matched", (Change(resource.id, resource.body, None),))

    def clean(self, request: Request, lookup: Lookup) -> Passed | Broken | None:
        """As a clean-up has it: the deletion with its reason, or nothing where the object stays."""
        outcome = self.run(request, lookup)
        if isinstance(outcome, Passed):
            because = "it matches `/spec/matchConstraints`" if self.match else "it is no object of a cluster"
            return Passed(f"{because}, and the conditions hold" if self.gates else because, outcome.changes)
        return outcome if isinstance(outcome, Broken) else None

    def _is_meant(self, request: Request) -> bool:
        rid = request.resource.id
        if not rid.kind or not rid.version:
            return True  # no object of a cluster, which constraints are about, but a document that is judged as it is
        if self.head.namespace and rid.namespace != self.head.namespace:
            return False
        return self.match is not None and self.match.applies(request)


def is_deleting(document: Json) -> bool:
    """Whether a document is of a kind compiled here."""
    return is_one_of(document, KINDS)


def compile_deleting(document: JsonObject, ambient: Ambient, *, exceptions: Sequence[JsonObject] = ()) -> Policy:
    """Compile a deleting policy to the rule that says whether an object would go, as a test asks it.

    Raises:
        SpecError: something in it is malformed.
    """
    spec, _, judge = _read(document, ambient, exceptions)
    head, match = judge.head, judge.match
    kinds = None if spec.match_constraints is None or match is None or match.kinds is None else match.kinds | {""}
    rule = Rule(head.info, judge.run, kinds, does="delete")
    return Policy(head.name, head.namespace, (rule,), ())


def compile_scheduled(
    document: JsonObject, ambient: Ambient, *, exceptions: Sequence[JsonObject] = ()
) -> CleanupPolicy:
    """Compile a deleting policy to what a clean-up runs.

    Raises:
        SpecError: something in it is malformed.
    """
    spec, schedule, judge = _read(document, ambient, exceptions)
    constraints = spec.match_constraints or MatchResources()
    status = document.get("status")
    return CleanupPolicy(
        kind=judge.head.kind,
        name=judge.head.name,
        namespace=judge.head.namespace,
        schedule=schedule,
        propagation=spec.deletion_propagation_policy or "",
        kinds=tuple(dict.fromkeys(_named(constraints))),
        wants_namespaces=_asks_for_labels(constraints.namespace_selector),
        created=moment_of((document.get("metadata") or {}).get("creationTimestamp")),
        last_ran=moment_of(status.get("lastExecutionTime") if isinstance(status, dict) else None),
        judge=judge.clean,
    )


def _read(
    document: JsonObject, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> tuple[DeletingSpec, Cron, _Judge]:
    head = read_head(document)
    spec = decode(document.get("spec") or {}, DeletingSpec, "/spec")
    try:
        schedule = parse_cron(spec.schedule)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer="/spec/schedule") from error
    environment, variables = compile_variables(spec.variables, vocabulary_of(head.kind), "/spec/variables")
    gates = compile_conditions(spec.conditions, environment, "/spec/conditions")
    judge = _Judge(
        head,
        _match(spec.match_constraints),
        tuple(gate for _, gate in gates),
        waivers_for(exceptions, head, environment),
        makers_of(variables, {**world_makers(head.kind, ambient, head.namespace), **_MAKERS}),
        ambient,
    )
    return spec, schedule, judge


def _match(constraints: MatchResources | None) -> Match | None:
    """The constraints, whatever operations they name; without any no object is meant."""
    if constraints is None:
        return None
    rules = tuple(msgspec.structs.replace(rule, operations=("*",)) for rule in constraints.resource_rules or ())
    return compile_match(msgspec.structs.replace(constraints, resource_rules=rules), "/spec/matchConstraints")


def _named(constraints: MatchResources) -> Iterator[ResourceSelector]:
    for rule in constraints.resource_rules or ():
        for group in rule.api_groups:
            for version in rule.api_versions:
                yield from (ResourceSelector(group, version, resource) for resource in rule.resources)


def _asks_for_labels(selector: LabelSelector | None) -> bool:
    """Whether a selector reads labels that are not on every namespace."""
    if selector is None:
        return False
    keys = {*(selector.match_labels or ()), *(item.key for item in selector.match_expressions or ())}
    return bool(keys - {_NAME_LABEL})


def _namespace_object(names: Names) -> JsonObject | None:
    """The namespace of the object, and of a Namespace itself; null where nobody knows anything of it."""
    resource, labels = names.request.resource, names.request.namespace_labels
    is_namespace = resource.id.kind == "Namespace" and not resource.id.group
    name = resource.id.name if is_namespace else resource.id.namespace
    if not name:
        return None
    try:
        found: Any = names.lookup().answer(ObjectsQuestion("v1/Namespace", name=name))
    except LookupFailedError:
        found = []
    if found:
        body: JsonObject = found[0]
        return body
    if is_namespace:
        return {"metadata": {"name": name, "labels": labels_of(resource.body)}}
    return {"metadata": {"name": name, "labels": labels}} if labels else None


def _absent(name: str) -> Any:
    def fail(_names: Names) -> Any:
        raise CelError(f"no such attribute(s): {name}")

    return fail


_MAKERS: Final[Makers] = {
    "namespaceObject": _namespace_object,
    **{name: _absent(name) for name in ("request", "oldObject", "exceptions")},
}
