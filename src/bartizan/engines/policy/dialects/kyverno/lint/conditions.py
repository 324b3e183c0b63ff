"""Rules about conditions: what they say that is always so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.duration import parse_duration
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.quantity import parse_quantity
from bartizan.base.semver import parse_version
from bartizan.engines.policy.dialects.kyverno.conditions import operator
from bartizan.engines.policy.dialects.kyverno.lint.view import conditions_of
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kyverno.lint.view import Placed, PolicyView


def constant_condition(policy: PolicyView) -> Iterator[Said]:
    """Conditions without a variable, which are always or never so."""
    for condition in _conditions(policy):
        key, value = condition.body.get("key"), condition.body.get("value")
        if "{{" in to_text([key, value]) or _unmarked(key):
            continue
        try:
            holds = operator(str(condition.body.get("operator", "")))(key, value)
        except SpecError:
            continue
        word = "always" if holds else "never"
        yield Said(f"{condition.at}/key", f"this condition {word} holds: it has no variable", "Read one, or remove it.")


def _unmarked(key: Json) -> bool:
    return isinstance(key, str) and key.startswith(("request.", "images."))


def unknown_operator(policy: PolicyView) -> Iterator[Said]:
    """Operators that there are not, or that are not written as they must be."""
    for condition in _conditions(policy):
        word = condition.body.get("operator")
        try:
            operator(str(word or ""))
        except SpecError as error:
            if word is None:
                yield Said(condition.at, "a condition without an operator", error.hint)
            else:
                yield Said(f"{condition.at}/operator", error.message, error.hint, str(word))


def same_sides(policy: PolicyView) -> Iterator[Said]:
    """Conditions that compare a value with itself."""
    for condition in _conditions(policy):
        key, value = condition.body.get("key"), condition.body.get("value")
        if isinstance(key, str) and "{{" in key and key == value and "random" not in key and "time_now" not in key:
            yield Said(f"{condition.at}/value", "this condition compares a value with itself", "Name the other one.")


def missing_value(policy: PolicyView) -> Iterator[Said]:
    """Conditions without a key or a value: nothing is equal to nothing here, nor unequal."""
    for condition in _conditions(policy):
        for field in ("key", "value"):
            if condition.body.get("operator") and condition.body.get(field) is None:
                at = f"{condition.at}/{field}" if field in condition.body else condition.at
                message = f"a condition without `{field}` never holds, whatever its operator"
                yield Said(at, message, "For what may be absent write `|| ''` in the key, and compare with ''.")


def empty_block(policy: PolicyView) -> Iterator[Said]:
    """Lists of conditions under `any` that are empty, and so never hold."""
    for rule in policy.rules:
        for at, block in rule.blocks_of_conditions():
            if isinstance(block, dict) and block.get("any") == []:
                yield Said(f"{at}/any", "`any` of no conditions never holds", "Leave it out, or write a condition.")


def unordered_value(policy: PolicyView) -> Iterator[Said]:
    """Orderings against a text that is in no order."""
    for condition in _conditions(policy):
        word, value = str(condition.body.get("operator", "")), condition.body.get("value")
        if not word.lower().removeprefix("duration").startswith(("greaterthan", "lessthan")):
            continue
        if isinstance(value, bool | list | dict) or (
            isinstance(value, str) and "{{" not in value and not _ordered(value)
        ):
            message = f"nothing is in an order with `{to_text(value) if not isinstance(value, str) else value}`"
            yield Said(f"{condition.at}/value", message, "Write a number, a quantity, a duration or a version.")


def _ordered(text: str) -> bool:
    readers = (parse_duration, parse_quantity, parse_version)
    return any(read(text) is not None for read in readers)


def _conditions(policy: PolicyView) -> Iterator[Placed]:
    for rule in policy.rules:
        for at, block in rule.blocks_of_conditions():
            for condition, _ in conditions_of(block, at):
                yield condition
