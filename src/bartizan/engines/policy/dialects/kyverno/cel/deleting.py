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
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import PolicyException, exceptions_for, holds, lift
from bartizan.engines.policy.dialects.kyverno.cel.spec import Head, read_head
from bartizan.engines.policy.dialects.kyverno.cel.vocabulary import makers_for, vocabulary_for
from bartizan.engines.policy.dialects.kyverno.cleanup import CleanupPolicy, ResourceSelector
from bartizan.engines.policy.dialects.kyverno.ttl import moment_of
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.lookup import LookupFailedError, ObjectsQuestion
from bartizan.engines.policy.plan import Rule
from bartizan.lang.cel import CelError
from bartizan.model.change import Change
from bartizan.model.outcome import Broken, Failed, Passed
from bartizan.model.resource import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bartizan.base.cron import Cron
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.names import Makers
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.selector import LabelSelector
    from bartizan.lang.cel import Expression
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

_OF_PAYLOADS: Final = ""
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
    conditions: tuple[tuple[str, Expression], ...]
    exceptions: tuple[PolicyException, ...]
    makers: Makers
    ambient: Ambient

    def run(self, request: Request, lookup: Lookup) -> Outcome | None:
        """A pass with the deletion, a failure where the object stays, or nothing where the policy is not about it."""
        resource = request.resource
        if not self._is_meant(request):
            return None
        names = Names(request, lambda: lookup, self.makers)
        names["object"] = resource.body
        try:
            if self._is_lifted(names) or not holds(self.conditions, names):
                return Failed("resource did not match")
        except CelError as error:
            return Broken(str(error))
        return Passed("resource matched", (Change(resource.id, resource.body, None),))

    def _is_lifted(self, names: Names) -> bool:
        """Whether an exception keeps the object; also one that would narrow another kind of policy does."""
        if not self.exceptions:
            return False
        lifted = lift(self.exceptions, names, self.ambient.now)
        if isinstance(lifted.outcome, Broken):
            raise CelError(lifted.outcome.error)
        return lifted.outcome is not None or any(lifted.narrowing.values())

    def clean(self, request: Request, lookup: Lookup) -> Passed | Broken | None:
        """As a clean-up has it: the deletion with its reason, or nothing where the object stays."""
        outcome = self.run(request, lookup)
        if isinstance(outcome, Passed):
            because = "it matches `/spec/matchConstraints`" if self.match else "it is no object of a cluster"
            return Passed(f"{because}, and the conditions hold" if self.conditions else because, outcome.changes)
        return outcome if isinstance(outcome, Broken) else None

    def _is_meant(self, request: Request) -> bool:
        if request.payload:
            return request.payload == "json"  # no object of a cluster, which constraints are about
        if self.head.namespace and request.resource.id.namespace != self.head.namespace:
            return False
        return self.match is not None and self.match.applies(request)


def deleting_rules(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> Iterator[Rule]:
    """Compile a deleting policy to the rule that says whether an object would go, as a test asks it.

    Raises:
        SpecError: something in it is malformed.
    """
    _, _, judge = _read(document, head, ambient, exceptions)
    kinds = None if judge.match is None or judge.match.kinds is None else judge.match.kinds | {_OF_PAYLOADS}
    yield Rule(head.info, judge.run, kinds, does="delete")


def compile_scheduled(
    document: JsonObject, ambient: Ambient, *, exceptions: Sequence[JsonObject] = ()
) -> CleanupPolicy:
    """Compile a deleting policy to what a clean-up runs.

    Raises:
        SpecError: something in it is malformed.
    """
    head = read_head(document)
    spec, schedule, judge = _read(document, head, ambient, exceptions)
    constraints = spec.match_constraints or MatchResources()
    status = document.get("status")
    return CleanupPolicy(
        kind=head.kind,
        name=head.name,
        namespace=head.namespace,
        schedule=schedule,
        propagation=spec.deletion_propagation_policy or "",
        kinds=tuple(dict.fromkeys(_named(constraints))),
        wants_namespaces=_asks_for_labels(constraints.namespace_selector),
        created=moment_of((document.get("metadata") or {}).get("creationTimestamp")),
        last_ran=moment_of(status.get("lastExecutionTime") if isinstance(status, dict) else None),
        judge=judge.clean,
    )


def _read(
    document: JsonObject, head: Head, ambient: Ambient, exceptions: Sequence[JsonObject]
) -> tuple[DeletingSpec, Cron, _Judge]:
    spec = decode(document["spec"], DeletingSpec, "/spec")
    try:
        schedule = parse_cron(spec.schedule)
    except SpecError as error:
        raise SpecError(error.message, hint=error.hint, pointer="/spec/schedule") from error
    environment, variables = compile_variables(spec.variables, vocabulary_for(head.kind), "/spec/variables")
    judge = _Judge(
        head,
        _match(spec.match_constraints),
        compile_conditions(spec.conditions, environment, "/spec/conditions"),
        exceptions_for(exceptions, head, environment),
        makers_of(variables, {**makers_for(ambient, head.namespace), **_MAKERS}),
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
