"""Label selectors, with the wildcards Kyverno allows in `matchLabels` keys and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json

_FIELDS: Final = frozenset({"matchLabels", "matchExpressions"})
_OPERATORS: Final = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


def compile_selector(selector: Json, at: str) -> Callable[[Mapping[str, str]], bool]:
    """Compile a `LabelSelector` to a predicate on labels; an empty selector selects everything.

    Raises:
        SpecError: an unknown field or operator.
    """
    if not isinstance(selector, dict):
        raise SpecError("a label selector must be an object", pointer=at, hint="Write `matchLabels:` under it.")
    for key in selector:
        if key not in _FIELDS:
            raise SpecError(f"unknown field `{key}`", pointer=f"{at}/{key}", hint=did_you_mean(key, _FIELDS))
    tests = [_label(str(key), str(value)) for key, value in (selector.get("matchLabels") or {}).items()]
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        tests.append(_expression(expression, f"{at}/matchExpressions/{index}"))
    if len(tests) == 1:
        return tests[0]
    return lambda labels: all(test(labels) for test in tests)


def _label(key: str, value: str) -> Callable[[Mapping[str, str]], bool]:
    if not wildcard.is_wildcard(key) and not wildcard.is_wildcard(value):
        return lambda labels: labels.get(key) == value
    key_matches, value_matches = wildcard.matcher(key), wildcard.matcher(value)
    return lambda labels: any(key_matches(k) and value_matches(str(v)) for k, v in labels.items())


def _expression(expression: Json, at: str) -> Callable[[Mapping[str, str]], bool]:
    operator = expression.get("operator") if isinstance(expression, dict) else None
    if operator not in _OPERATORS:
        hint = did_you_mean(str(operator), _OPERATORS)
        raise SpecError(f"unknown selector operator `{operator}`", pointer=f"{at}/operator", hint=hint)
    key, values = str(expression.get("key", "")), frozenset(expression.get("values") or ())
    match operator:
        case "In":
            return lambda labels: labels.get(key) in values if key in labels else False
        case "NotIn":
            return lambda labels: key not in labels or labels[key] not in values
        case "Exists":
            return lambda labels: key in labels
        case _:
            return lambda labels: key not in labels
