"""Leaves of patterns that no value can match: `>5 & <3`, `10-1`, `>abc`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.duration import parse_duration
from bartizan.base.quantity import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    _Read = Callable[[str], Fraction | int | None]

_RANGE: Final = re.compile(r"([-+]?\d+(?:\.\d+)?[A-Za-z]*)-([-+]?\d+(?:\.\d+)?[A-Za-z]*)", re.ASCII)
_OPERATORS: Final = (">=", "<=", ">", "<")


class _Bound(NamedTuple):
    value: Fraction | int
    closed: bool


def why_never(pattern: str) -> str:
    """Why no value matches a leaf; empty where one may. It matches where one of its `|` parts does."""
    reasons = [_contradiction(choice.split("&")) for choice in pattern.split("|")]
    return reasons[0] if all(reasons) else ""


def _contradiction(parts: list[str]) -> str:
    """Why no value matches all of these."""
    texts = [part.strip() for part in parts]
    for text in texts:
        sign = next((sign for sign in _OPERATORS if len(text) > 1 and text.startswith(sign)), "")
        operand = text[len(sign) :].strip()
        if sign and parse_quantity(operand) is None and parse_duration(operand) is None:
            return f"`{operand}` is no amount, and nothing is `{sign}` it"
    for read in (_as_duration, _as_quantity):
        bounds = [_bounds(text, read) for text in texts]
        least = max((low for low, _ in bounds if low), default=None, key=lambda bound: (bound.value, not bound.closed))
        most = min((high for _, high in bounds if high), default=None, key=lambda bound: (bound.value, bound.closed))
        if least is None or most is None:
            continue
        if least.value > most.value or (least.value == most.value and not (least.closed and most.closed)):
            return f"nothing is both in `{'` and `'.join(texts)}`" if len(texts) > 1 else f"`{texts[0]}` holds nothing"
        return ""
    return ""


def _bounds(text: str, read: _Read) -> tuple[_Bound | None, _Bound | None]:
    """The least and the most that a part lets through."""
    interval = _RANGE.fullmatch(text)
    if interval:
        low, high = read(interval.group(1)), read(interval.group(2))
        return (None, None) if low is None or high is None else (_Bound(low, closed=True), _Bound(high, closed=True))
    sign = next((sign for sign in _OPERATORS if len(text) > 1 and text.startswith(sign)), "")
    amount = read(text[len(sign) :].strip())
    if amount is None or not sign:
        return None, None
    bound = _Bound(amount, "=" in sign)
    return (bound, None) if sign.startswith(">") else (None, bound)


def _as_duration(text: str) -> int | None:
    return parse_duration(text)


def _as_quantity(text: str) -> Fraction | None:
    quantity = parse_quantity(text)
    return None if quantity is None else quantity.value
