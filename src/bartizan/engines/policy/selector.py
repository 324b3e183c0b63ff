"""Label selectors, with the wildcards Kyverno allows in `matchLabels` keys and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OPERATORS: Final = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a selector asks of one label."""

    key: str = ""
    operator: str = ""
    values: list[str | int | float | bool] | None = None


class LabelSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A selector as documents have it; everything in it must hold, and an empty one selects all."""

    match_labels: dict[str, str | int | float | bool] | None = None
    match_expressions: list[Requirement] | None = None


def compile_selector(selector: LabelSelector, at: str) -> Callable[[Mapping[str, str]], bool]:
    """Compile a selector, which stands at `at`, to a predicate on labels.

    Raises:
        SpecError: an unknown operator.
    """
    tests = [_label(key, str(value)) for key, value in (selector.match_labels or {}).items()]
    for index, requirement in enumerate(selector.match_expressions or ()):
        tests.append(_requirement(requirement, f"{at}/matchExpressions/{index}"))
    if len(tests) == 1:
        return tests[0]
    return lambda labels: all(test(labels) for test in tests)


def _label(key: str, value: str) -> Callable[[Mapping[str, str]], bool]:
    if not wildcard.is_wildcard(key) and not wildcard.is_wildcard(value):
        return lambda labels: labels.get(key) == value
    key_matches, value_matches = wildcard.matcher(key), wildcard.matcher(value)
    return lambda labels: any(key_matches(k) and value_matches(str(v)) for k, v in labels.items())


def _requirement(requirement: Requirement, at: str) -> Callable[[Mapping[str, str]], bool]:
    operator = requirement.operator
    if operator not in _OPERATORS:
        hint = did_you_mean(operator, _OPERATORS)
        raise SpecError(f"unknown selector operator `{operator}`", pointer=f"{at}/operator", hint=hint)
    key, values = requirement.key, frozenset(requirement.values or ())
    match operator:
        case "In":
            return lambda labels: labels.get(key) in values if key in labels else False
        case "NotIn":
            return lambda labels: key not in labels or labels[key] not in values
        case "Exists":
            return lambda labels: key in labels
        case _:
            return lambda labels: key not in labels
