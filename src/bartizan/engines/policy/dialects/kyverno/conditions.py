"""The operators of conditions: what `key` and `value` are compared by.

Each quirk of the peer has one function here with its reason. Comparison
tries durations first, where one side is one, then quantities, then text.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from bartizan.base import wildcard
from bartizan.base.duration import SECOND, parse_duration
from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.quantity import parse_quantity
from bartizan.base.semver import parse_version
from bartizan.base.suggest import did_you_mean
from bartizan.lang.jmespath.runtime import equal
from bartizan.lang.overlay import compile_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
    mode = _MEMBERSHIPS.get(name.lower())
    if mode is None:
        return lambda key: compare(key, value)
    quantifier, found = mode
    matches = _membership(value, negated=not found)
    if isinstance(value, list) and all(_is_plain(item) for item in value):
        quick = _among_plain(frozenset(map(go_text, value)), any if quantifier == "any" else all, found=found)
        return lambda key: compare(key, value) if (known := quick(key)) is None else known
    return lambda key: _hold(quantifier, key, matches, found=found)


def bind_key(name: str, key: Json) -> Callable[[Json], bool]:
    """The comparison with a left side that is known when the policy is compiled.

    Raises:
        SpecError: no operator has that name.
    """
    compare = operator(name)
    mode = _MEMBERSHIPS.get(name.lower())
    if mode is None or not isinstance(key, str) or wildcard.is_wildcard(key):
        return lambda value: compare(key, value)
    found = mode[1]  # of one key, any and all are the same

    def test(value: Json) -> bool:
        if value.__class__ is list:
            return (key in value or any(wildcard.match(go_text(item), key) for item in value)) is found
        return compare(key, value)

    return test


def _is_plain(item: Json) -> bool:
    return not isinstance(item, dict | list) and not wildcard.is_wildcard(go_text(item))


def _among_plain(
    texts: frozenset[str], quantifier: Callable[[Iterable[bool]], bool], *, found: bool
) -> Callable[[Json], bool | None]:
    """Membership in a list without wildcards; texts that have none either are looked up, for others it is unknown."""

    def test(key: Json) -> bool | None:
        if key.__class__ is str:
            return None if wildcard.is_wildcard(key) else (key in texts) is found
        if key.__class__ is not list:
            return None
        for item in key:
            if item.__class__ is not str or wildcard.is_wildcard(item):
                return None
        return quantifier([(item in texts) is found for item in key])

    return test


# equality


def equals(key: Json, value: Json) -> bool:
    """`Equals`: null is equal to nothing, not even to null."""
    if key is None:
        return False
    spans = _durations(key, value)
    if spans is not None:
        return spans[0] == spans[1]
    if isinstance(key, str):
        return _text_equals(key, value)
    if isinstance(key, bool) or isinstance(value, bool):
        return key is value
    if isinstance(key, int | float):
        return _number_equals(key, value)
    return equal(key, value)


def _text_equals(key: str, value: Json) -> bool:
    """A key that is a quantity is compared as one, and then never by wildcard."""
    if not isinstance(value, str):
        return False
    quantity = parse_quantity(key)
    if quantity is not None:
        other = parse_quantity(value)
        return other is not None and other.value == quantity.value
    return wildcard.match(value, key)


def _number_equals(key: float, value: Json) -> bool:
    if isinstance(value, str):
        try:
            return float(value) == key
        except ValueError:
            return False
    return isinstance(value, int | float) and value == key


def not_equals(key: Json, value: Json) -> bool:
    """`NotEquals`: null is not unequal to anything either; values of different types are."""
    return key is not None and not equals(key, value)


# membership


def _members(mode: Literal["any", "all"], key: Json, value: Json, *, found: bool) -> bool:
    """Whether any or all of the keys are (or are not) among the values; other types than these never."""
    return _hold(mode, key, _membership(value, negated=not found), found=found)


def _hold(mode: str, key: Json, matches: Callable[[str], bool] | None, *, found: bool) -> bool:
    if key is None or matches is None or isinstance(key, dict):
        return False
    keys = [go_text(item) for item in key] if isinstance(key, list) else [go_text(key)]
    results = (matches(item) is found for item in keys)
    return any(results) if mode == "any" else all(results)


def _membership(value: Json, *, negated: bool) -> Callable[[str], bool] | None:
    """A test for one key: among a list, in a range, in a list written as JSON, or equal to a text."""
    if isinstance(value, list):
        return partial(_among, [go_text(item) for item in value])
    if not isinstance(value, str):
        return None
    interval = _range_test(value, negated=negated)
    if interval is not None:
        return interval
    try:
        decoded: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        decoded = None
    if isinstance(decoded, list):
        return partial(_among, [go_text(item) for item in decoded])
    return lambda key: wildcard.match(value, key)


def _range_test(value: str, *, negated: bool) -> Callable[[str], bool] | None:
    """A range such as `1-10`; for the negative operators Kyverno turns it into `1!-10`, and so does this."""
    low, dash, high = value.partition("-")
    if not dash or not low[:1].isdigit() or (parse_quantity(high) is None and parse_duration(high) is None):
        return None
    if parse_quantity(low) is None and parse_duration(low) is None:
        return None
    inside = compile_scalar(f"{low}!-{high}" if negated else value)
    return (lambda key: not inside(key)) if negated else inside


def _among(values: Sequence[str], key: str) -> bool:
    """Wildcards count on both sides."""
    return any(wildcard.match(item, key) or wildcard.match(key, item) for item in values)


def go_text(value: Json) -> str:
    """A value as Go's `fmt.Sprint` writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _go_float(value)
    if value is None:
        return "<nil>"
    return to_text(value)


def _go_float(value: float) -> str:
    """Go's `%v` of a float: an exponent below 1e-4 and from 1e21."""
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value)) if abs(value) < 1e6 else _exponent(value)
    text = repr(value)
    return _exponent(value) if "e" in text else text


def _exponent(value: float) -> str:
    digits, _, power = f"{value:.16e}".partition("e")
    shortest = next(text for text in (f"{value:.{n}e}" for n in range(18)) if float(text) == value)
    digits, _, power = shortest.partition("e")
    return f"{digits}e{power[0]}{power[1:].zfill(2)}"


# ordering

_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "greaterthan": lambda left, right: left > right,
    "greaterthanorequals": lambda left, right: left >= right,
    "lessthan": lambda left, right: left < right,
    "lessthanorequals": lambda left, right: left <= right,
}


def _ordered(test: Callable[[Any, Any], bool], key: Json, value: Json) -> bool:
    """Orderings: durations, then quantities and numbers, then versions; other values are in no order."""
    spans = _durations(key, value)
    if spans is not None:
        return test(*spans)
    left, right = _amount(key), _amount(value)
    if left is not None and right is not None:
        return test(left, right)
    if isinstance(key, str) and isinstance(value, str):
        old, new = parse_version(key), parse_version(value)
        return old is not None and new is not None and test(old, new)
    return False


def _ordered_durations(test: Callable[[Any, Any], bool], key: Json, value: Json) -> bool:
    """The deprecated operators: numbers are seconds on both sides."""
    left, right = _as_span(key), _as_span(value)
    return left is not None and right is not None and test(left, right)


def _amount(value: Json) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    quantity = parse_quantity(value) if isinstance(value, str) else None
    return quantity.value if quantity else None


def _durations(key: Json, value: Json) -> tuple[float, float] | None:
    """Both sides as durations where at least one is written as one; a bare `0` is not."""
    if not _is_span(key) and not _is_span(value):
        return None
    left, right = _as_span(key), _as_span(value)
    return None if left is None or right is None else (left, right)


def _is_span(value: Json) -> bool:
    return isinstance(value, str) and value != "0" and parse_duration(value) is not None


def _as_span(value: Json) -> float | None:
    if isinstance(value, str):
        return parse_duration(value) if value != "0" else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value * SECOND


_ORDERINGS: Final = frozenset({*_TESTS, *(f"duration{name}" for name in _TESTS)})

_MEMBERSHIPS: Final[dict[str, tuple[Literal["any", "all"], bool]]] = {
    "in": ("all", True),
    "anyin": ("any", True),
    "allin": ("all", True),
    "notin": ("any", False),
    "anynotin": ("any", False),
    "allnotin": ("all", False),
}

_OPERATORS: Final[dict[str, Comparison]] = {
    "equals": equals,
    "equal": equals,
    "notequals": not_equals,
    "notequal": not_equals,
    **{name: partial(_members, mode, found=found) for name, (mode, found) in _MEMBERSHIPS.items()},
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
