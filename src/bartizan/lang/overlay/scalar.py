"""Leaves of patterns: `!*:latest`, `>=1Gi`, `1-10 | 20`, `?*`, compiled to predicates.

A value is compared as a duration where both sides are one, else as a
quantity where both are, else as text with wildcards. A missing value counts
as 0 where it is compared as an amount, and matches no text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bartizan.base import wildcard
from bartizan.base.duration import parse_duration
from bartizan.base.number import format_exponent, parse_float
from bartizan.base.quantity import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json

    Test: TypeAlias = Callable[[Json], bool]

_AMOUNT: Final = r"([-+|]?\d+(?:\.\d+)?[A-Za-z]*)"
_RANGE: Final = re.compile(rf"{_AMOUNT}(!?)-{_AMOUNT}", re.ASCII)
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,19}")
_OPERATORS: Final = (">=", "<=", ">", "<", "!")
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": lambda value, limit: value >= limit,
    "<=": lambda value, limit: value <= limit,
    ">": lambda value, limit: value > limit,
    "<": lambda value, limit: value < limit,
    "": lambda value, limit: value == limit,
    "!": lambda value, limit: value != limit,
}


def compile_scalar(pattern: Json) -> Test:
    """Compile a leaf; a list as value must match with every element."""
    test = _compile(pattern) if not isinstance(pattern, bool) else _boolean(pattern)
    return lambda value: all(map(test, value)) if value.__class__ is list else test(value)


def is_range(pattern: str) -> bool:
    """Whether a leaf is a range of amounts that values lie in, such as `1-10` (and not `1!-10`, outside of one)."""
    interval = _RANGE.fullmatch(pattern)
    return interval is not None and not interval[2]


@lru_cache(maxsize=4096, typed=True)
def _compile(pattern: str | float | None) -> Test:
    if pattern is None:
        return _is_nothing
    if isinstance(pattern, str):
        return _text(pattern)
    return _number(pattern)


def _boolean(pattern: bool) -> Test:
    return lambda value: value is pattern


def _is_nothing(value: Json) -> bool:
    """A `null` pattern matches what is absent, and zero values; never a map or a list."""
    return value is None or (not isinstance(value, dict | list) and not value)


def _number(pattern: float) -> Test:
    def test(value: Json) -> bool:
        if isinstance(value, bool):
            return False
        if isinstance(value, str):
            return _read_number(value, whole=isinstance(pattern, int)) == pattern
        return isinstance(value, int | float) and value == pattern

    return test


def _read_number(text: str, *, whole: bool) -> float | None:
    """A number written as text, as Go's `strconv` reads it."""
    if whole:
        return int(text) if _INTEGER.fullmatch(text) else None
    return parse_float(text)


def _text(pattern: str) -> Test:
    choices = [[_single(part) for part in parts] for parts in operands(pattern)]
    if len(choices) == 1 and len(choices[0]) == 1:
        only = choices[0][0]
        return lambda value: value == pattern or only(value)
    return lambda value: value == pattern or any(all(test(value) for test in tests) for tests in choices)


def operands(pattern: str) -> list[list[str]]:
    """What stands between the operators of a leaf: alternatives (`|`), each of what must hold together (`&`)."""
    return [[part.strip(" ") for part in choice.strip(" ").split("&")] for choice in pattern.split("|")]


def holds_alone(operand: str, value: Json) -> bool:
    """Whether one operand of a leaf matches one value."""
    return _single(operand)(value)


@lru_cache(maxsize=4096)
def _single(pattern: str) -> Test:
    operator = next((sign for sign in _OPERATORS if len(pattern) > 1 and pattern.startswith(sign)), "")
    interval = _RANGE.fullmatch(pattern) if not operator else None
    if interval:
        low, negated, high = interval.groups()
        if negated:
            below, above = _compare("<", low), _compare(">", high)
            return lambda value: below(value) or above(value)
        least, most = _compare(">=", low), _compare("<=", high)
        return lambda value: least(value) and most(value)
    return _compare(operator, pattern[len(operator) :].strip())


def _compare(operator: str, operand: str) -> Test:
    duration, quantity = parse_duration(operand), parse_quantity(operand)
    compares_text = operator in ("", "!")
    wanted = operator == ""
    matches = wildcard.matcher(operand)
    if duration is None and quantity is None:
        if not compares_text:
            return lambda _value: False

        def by_text(value: Json) -> bool:
            text = value if value.__class__ is str else _as_text(value)
            return text is not None and matches(text) is wanted

        return by_text
    holds = _COMPARISONS[operator]

    def by_amount(value: Json) -> bool:
        amount = _as_amount(value)
        if amount is not None:
            if duration is not None:
                spent = parse_duration(amount)
                if spent is not None:
                    return holds(spent, duration)
            if quantity is not None:
                found = parse_quantity(amount)
                if found is not None:
                    return holds(found.value, quantity.value)
        text = _as_text(value) if compares_text else None
        return text is not None and matches(text) is wanted

    return by_amount


def _as_amount(value: Json) -> str | None:
    """A value as durations and quantities are read from it; nothing counts as 0."""
    if value is None:
        return "0"
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if isinstance(value, int) else f"{value:f}"


def _as_text(value: Json) -> str | None:
    """A value as wildcards see it, in Go's formats; maps, lists and nothing have no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return format_exponent(value).upper() if isinstance(value, float) else None
