"""`x-kubernetes-validations` as they are written: each rule, its texts, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node

_REASONS: Final = ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")


class RuleSpec(NamedTuple):
    """One rule as it is written, and where: `place` is the path of its values, for its name."""

    rule: str
    message: str
    message_expression: str
    reason: str
    field_path: str
    optional_old: bool
    at: str
    place: str

    @property
    def shown(self) -> str:
        """What errors call it."""
        return (self.message or self.rule).strip()


def rule_specs(root: Node) -> tuple[RuleSpec, ...]:
    """All rules of a schema as they are written, in the order of their numbers.

    Raises:
        SpecError: a rule is malformed.
    """
    return tuple(specs_below(root, ""))


def specs_below(node: Node, place: str) -> Iterator[RuleSpec]:
    """The rules of a node and of all below; `place` is the path of its values."""
    for index, rule in enumerate(node.rules):
        yield read_rule(rule, f"{node.at}/x-kubernetes-validations/{index}", place)
    if node.items is not None:
        yield from specs_below(node.items, f"{place}[*]")
    for name, child in node.properties.items():
        yield from specs_below(child, f"{place}.{name}")
    if node.additional is not None:
        yield from specs_below(node.additional, f"{place}[*]")


def read_rule(rule: JsonObject, at: str, place: str) -> RuleSpec:
    """One rule.

    Raises:
        SpecError: it is malformed.
    """
    texts = ("rule", "message", "messageExpression", "reason", "fieldPath")
    for name in texts:
        if not isinstance(rule.get(name), str | None):
            raise SpecError(f"`{name}` must be text", pointer=f"{at}/{name}")
    if not isinstance(rule.get("optionalOldSelf"), bool | None):
        raise SpecError("`optionalOldSelf` must be true or false", pointer=f"{at}/optionalOldSelf")
    text, message, expression, reason, path = (str(rule.get(name) or "") for name in texts)
    if reason and reason not in _REASONS:
        raise SpecError(f"`reason` must be one of {', '.join(_REASONS)}", pointer=f"{at}/reason")
    return RuleSpec(text, message, expression, reason, path, bool(rule.get("optionalOldSelf")), at, place)
