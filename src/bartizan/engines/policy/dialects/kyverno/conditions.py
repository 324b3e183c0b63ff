"""The operators of conditions: what `key` and `value` are compared by.

Each quirk of the peer has one function here with its reason. Comparison
tries durations first, where one side is one, then quantities, then text.
"""

from __future__ import annotations

from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from bartizan.base import wildcard
from bartizan.base.duration import SECOND, parse_duration
from bartizan.base.errors import SpecError
from bartizan.base.number import parse_float
from bartizan.base.quantity import parse_quantity
from bartizan.base.semver import parse_version
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.membership import MODES, Mode, among, among_any_value
from bartizan.lang.jmespath.runtime import equal

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json

    Comparison = Callable[[Json, Json], bool]


def operator(name: str) -> Comparison:
    """The comparison an operator stands for; capitals do not matter, except in orderings.

    Raises:
        SpecError: no operator has that name.
    """
    found = _OPERATORS.get(name.lower())
    if found is None:
        raise SpecError(f"unknown operator `{name}`", hint=did_you_mean(name, _NAMES.values()))
    if name != _NAMES[name.lower()] and name.lower() in _ORDERINGS:
        # Kyverno takes such a name and then never finds it true: a rule that looks alive and is not
        raise SpecError(f"operator `{name}` is not written as it must be", hint=f"Write `{_NAMES[name.lower()]}`.")
    return found


def bind_value(name: str, value: Json) -> Callable[[Json], bool]:
    """The comparison with a right side that is known when the policy is compiled.

    Raises:
        SpecError: no operator has that name.
    """
    compare = operator(name)
    mode = MODES.get(name.lower())
    return among(mode, value, literal=True) if mode else lambda key: compare(key, value)


def bind_key(name: str, key: Json) -> Callable[[Json], bool]:
    """The comparison with a left side that is known when the policy is compiled.

    Raises:
        SpecError: no operator has that name.
    """
    compare = operator(name)
    mode = MODES.get(name.lower())
    if mode is None or not isinstance(key, str) or wildcard.is_wildcard(key):
        return lambda value: compare(key, value)
    return among_any_value(mode, key)


# equality


def equals(key: Json, value: Json) -> bool:
    """`Equals`: null is equal to nothing, not even to null."""
    if isinstance(key, str):
        return _text_equals(key, value)
    if isinstance(key, bool) or isinstance(value, bool):
        return key is value
    if isinstance(key, int | float):
        number = parse_float(value) if isinstance(value, str) else value
        return isinstance(number, int | float) and number == key
    return key is not None and equal(key, value)


def _text_equals(key: str, value: Json) -> bool:
    """A key that is a quantity is compared as one, and then never by wildcard."""
    spans = _durations(key, value)
    if spans is not None:
        return spans[0] == spans[1]
    if not isinstance(value, str):
        return False
    quantity = parse_quantity(key)
    if quantity is not None:
        other = parse_quantity(value)
        return other is not None and other.value == quantity.value
    return wildcard.match(value, key)


def not_equals(key: Json, value: Json) -> bool:
    """`NotEquals`: null is not unequal to anything either; values of different types are."""
    return key is not None and not equals(key, value)


def _member(mode: Mode, key: Json, value: Json) -> bool:
    return among(mode, value)(key)


# ordering

_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "greaterthan": lambda left, right: left > right,
    "greaterthanorequals": lambda left, right: left >= right,
    "lessthan": lambda left, right: left < right,
    "lessthanorequals": lambda left, right: left <= right,
}


def _ordered(test: Callable[[Any, Any], bool], key: Json, value: Json) -> bool:
    """Orderings: durations, then quantities, numbers and versions; other values are in no order."""
    spans = _durations(key, value)
    if spans is not None:
        return test(*spans)
    if isinstance(key, str) and isinstance(value, str):
        amounts = parse_quantity(key), parse_quantity(value)
        if amounts[0] is not None and amounts[1] is not None:
            return test(amounts[0].value, amounts[1].value)
    left, right = _number(key), _number(value)
    if left is not None:
        if right is None and isinstance(key, str):
            return _ordered(test, left, value)  # a number in text may be the seconds of a duration
        return right is not None and test(left, right)
    if isinstance(key, str) and isinstance(value, str):
        old, new = parse_version(key), parse_version(value)
        return old is not None and new is not None and test(old, new)
    return False


def _ordered_durations(test: Callable[[Any, Any], bool], key: Json, value: Json) -> bool:
    """The deprecated operators: numbers are seconds on both sides, and a bare `0` is a duration too."""
    left, right = _span(key), _span(value)
    return left is not None and right is not None and test(left, right)


def _number(value: Json) -> float | None:
    if isinstance(value, str):
        return parse_float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _durations(key: Json, value: Json) -> tuple[int, int] | None:
    """Both sides as durations where at least one is written as one; a bare `0` is not."""
    if not isinstance(key, str) and not isinstance(value, str):
        return None
    if key == "0" or value == "0":
        return None
    left = _span(key)
    right = None if left is None else _span(value)
    return None if left is None or right is None else (left, right)


def _span(value: Json) -> int | None:
    """A duration in nanoseconds; of a number, its whole seconds."""
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return int(value) * SECOND


_ORDERINGS: Final = frozenset({*_TESTS, *(f"duration{name}" for name in _TESTS)})

_OPERATORS: Final[dict[str, Comparison]] = {
    "equals": equals,
    "equal": equals,
    "notequals": not_equals,
    "notequal": not_equals,
    **{name: partial(_member, mode) for name, mode in MODES.items()},
    **{name: partial(_ordered, test) for name, test in _TESTS.items()},
    **{f"duration{name}": partial(_ordered_durations, test) for name, test in _TESTS.items()},
}

_NAMES: Final = {
    name.lower(): name
    for name in (
        "Equals",
        "Equal",
        "NotEquals",
        "NotEqual",
        "In",
        "AnyIn",
        "AllIn",
        "NotIn",
        "AnyNotIn",
        "AllNotIn",
        "GreaterThan",
        "GreaterThanOrEquals",
        "LessThan",
        "LessThanOrEquals",
        "DurationGreaterThan",
        "DurationGreaterThanOrEquals",
        "DurationLessThan",
        "DurationLessThanOrEquals",
    )
}
