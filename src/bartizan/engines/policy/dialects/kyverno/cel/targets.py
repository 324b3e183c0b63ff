"""Which existing resources a MutatingPolicy changes: `targetMatchConstraints`, by rules or by an expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.expressions import compile_at
from bartizan.engines.policy.cel.kinds import kind_of
from bartizan.engines.policy.cel.match import Match, MatchResources, compile_match
from bartizan.engines.policy.lookup import ObjectsQuestion
from bartizan.lang.cel import CelError
from bartizan.model.request import Request
from bartizan.model.resource import labels_of, resource_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.cel.match import ResourceRule
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.lang.cel import Environment, Expression
    from bartizan.model.resource import Resource

_NAMESPACES: Final = "v1/Namespace"


class TargetConstraints(MatchResources, frozen=True):
    """`targetMatchConstraints`: rules about resources, or an expression that gives them."""

    expression: str | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """Where targets come from. `namespace` is that of a policy which has one, and sees no other."""

    expression: Expression | None
    match: Match
    questions: tuple[ObjectsQuestion, ...]
    by_namespace: bool
    namespace: str

    def find(self, trigger: Names, lookup: Lookup) -> list[Resource]:
        """The targets, each once.

        Raises:
            CelError: the expression has no value, or none that is an object.
            CelBudgetError: the expression takes too long.
            LookupFailedError: they could not be listed.
        """
        bodies = self._listed(lookup) if self.expression is None else _objects(self.expression(trigger))
        found = {target.id: target for target in map(resource_from, bodies)}
        return [target for target in found.values() if not self.namespace or target.id.namespace == self.namespace]

    def _listed(self, lookup: Lookup) -> Iterator[Any]:
        labels: dict[str, dict[str, str]] = {}
        if self.by_namespace:
            for body in _list(lookup.answer(ObjectsQuestion(_NAMESPACES))):
                labels[resource_from(body).id.name] = labels_of(body)
        for question in self.questions:
            for body in _list(lookup.answer(question)):
                target = resource_from(body)
                if self.match.applies(Request(target, namespace_labels=labels.get(target.id.namespace, {}))):
                    yield body


def compile_targets(
    spec: TargetConstraints | None, environment: Environment, namespace: str, at: str
) -> Targets | None:
    """Compile constraints that stand at `at`; `None` where they name no target.

    Raises:
        SpecError: one is malformed, or the expression gives no object.
    """
    if spec is None or not (spec.resource_rules or spec.expression):
        return None
    expression = None
    if spec.expression:
        expression = compile_at(spec.expression, environment, (), f"{at}/expression")
        if expression.type.name != "map":
            hint = "Write what gives an object or a list of them, such as `resource.Get(…)`."
            raise SpecError(f"targets are objects, not a {expression.type}", pointer=f"{at}/expression", hint=hint)
    rules = tuple(msgspec.structs.replace(rule, operations=("*",)) for rule in spec.resource_rules or ())
    matching = MatchResources(spec.namespace_selector, spec.object_selector, rules, spec.exclude_resource_rules)
    selector = spec.namespace_selector
    return Targets(
        expression,
        compile_match(matching, at),
        tuple(dict.fromkeys(question for rule in rules for question in _questions(rule, namespace))),
        selector is not None and bool(selector.match_labels or selector.match_expressions),
        namespace,
    )


def _questions(rule: ResourceRule, namespace: str) -> Iterator[ObjectsQuestion]:
    for group in rule.api_groups:
        for version in rule.api_versions:
            for resource in rule.resources:
                name, _, part = resource.partition("/")
                kind = kind_of(name, None if group == "*" else group) or "*"
                whole = "/".join(word for word in (group, version, kind, part) if word)
                yield ObjectsQuestion(whole, namespace)


def _objects(value: Any) -> list[Any]:
    """The object that an expression gives, or the items of a list."""
    items = value.get("items") if isinstance(value, dict) else None
    found = items if isinstance(items, list) else [value]
    if not all(isinstance(item, dict) for item in found):
        raise CelError("the target expression gives something else than objects")
    return found


def _list(answer: Any) -> list[Any]:
    return answer if isinstance(answer, list) else []
