"""The operators of conditions that look for keys among values: `In`, `AnyIn`, `AllIn` and their opposites.

What a value may be: a list; a text, which is one value, a range such as
`1-10`, or a list written as JSON; for the `Any` operators and a list of keys
also a number or a boolean. With anything else no operator holds, not even
the negative ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import orjson

from bartizan.base import wildcard
from bartizan.base.json import to_text
from bartizan.base.number import format_float
from bartizan.lang.overlay import compile_scalar, is_range

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json

    Holds = Callable[[Json], bool]


class Mode(NamedTuple):
    """How an operator decides: over any or all keys, or (the deprecated two) without wildcards and ranges."""

    over: Literal["any", "all", "exact"]
    found: bool
    """Whether it asks for keys that are there, or for keys that are not."""


MODES: Final = {
    "in": Mode("exact", found=True),
    "anyin": Mode("any", found=True),
    "allin": Mode("all", found=True),
    "notin": Mode("exact", found=False),
    "anynotin": Mode("any", found=False),
    "allnotin": Mode("all", found=False),
}
"""By name of the operator in small letters."""


class _Sides(NamedTuple):
    """What to ask for one key, and for a list of them."""

    one: Callable[[str], bool]
    many: Callable[[list[str]], bool]


def among(mode: Mode, value: Json, *, literal: bool = False) -> Holds:
    """Compile the right side: whether the operator holds for a key; `literal` if it stands so in the policy."""
    sides = _sides(mode, value, _literal_text if literal else go_text)
    if sides is None:
        return lambda _key: False
    one, many = sides

    def holds(key: Json) -> bool:
        if key.__class__ is str:
            return one(key)
        if key is None or isinstance(key, dict):
            return False
        return many([go_text(item) for item in key]) if isinstance(key, list) else one(go_text(key))

    return holds


def among_any_value(mode: Mode, key: str) -> Holds:
    """Compile the left side, a key without wildcards: whether the operator holds for a value."""
    found = mode.found

    def holds(value: Json) -> bool:
        if value.__class__ is list:
            return (key in value or any(wildcard.match(go_text(item), key) for item in value)) is found
        return among(mode, value)(key)

    return holds


def _sides(mode: Mode, value: Json, text: Callable[[Json], str]) -> _Sides | None:
    if isinstance(value, list):
        return _of_list(mode, value, [text(item) for item in value])
    if isinstance(value, str):
        return _of_text(mode, value)
    if mode.over == "any" and isinstance(value, int | float):
        return _Sides(lambda _key: False, _quantified(mode, [text(value)]))
    return None


def _of_list(mode: Mode, value: list[Json], texts: list[str]) -> _Sides:
    matches, found = _matcher(texts), mode.found
    if mode.over == "exact" and not all(isinstance(item, str) for item in value):
        return _Sides(lambda key: matches(key) is found, lambda _keys: False)
    return _Sides(lambda key: matches(key) is found, _quantified(mode, texts))


def _of_text(mode: Mode, value: str) -> _Sides:
    over, found = mode
    matches = wildcard.matcher(value)
    interval = compile_scalar(value) if over != "exact" and is_range(value) else None
    listed = _listed(value, exact=over == "exact")
    many_listed = _quantified(mode, listed or [])

    def one(key: str) -> bool:
        if matches(key):
            return found
        if interval is not None:
            return interval(key) is found
        return listed is not None and (key in listed) is found

    def many(keys: list[str]) -> bool:
        if len(keys) == 1 and keys[0] == value:
            return found or over == "exact"  # `NotIn` holds here, a quirk that policies may lean on
        if interval is not None:
            return _in_range(mode, value, interval, keys)
        return listed is not None and many_listed(keys)

    return _Sides(one, many)


def _in_range(mode: Mode, value: str, interval: Callable[[str], bool], keys: list[str]) -> bool:
    """Keys against a range; for `AnyNotIn` Kyverno turns `1-10` into `1!-10`, where text is neither in nor out."""
    if mode.over == "all":
        return all(interval(key) is mode.found for key in keys)
    return any(map(interval if mode.found else compile_scalar(value.replace("-", "!-", 1)), keys))


def _listed(value: str, *, exact: bool) -> list[str] | None:
    """A list of texts written as JSON, or the text itself; `None` for other JSON, which is no value at all."""
    try:
        decoded = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None if exact else [value]
    if decoded is None:
        return []
    if isinstance(decoded, list) and all(item is None or isinstance(item, str) for item in decoded):
        return [item or "" for item in decoded]
    return None


def _quantified(mode: Mode, values: list[str]) -> Callable[[list[str]], bool]:
    """A list of keys against a list of values."""
    found = mode.found
    if mode.over == "exact":
        known = frozenset(values)
        return lambda keys: known.issuperset(keys) is found
    matches = _matcher(values)
    quantifier = any if mode.over == "any" else all
    return lambda keys: quantifier([matches(key) is found for key in keys])


def _matcher(values: Sequence[str]) -> Callable[[str], bool]:
    """Whether a key is among values, where wildcards count on both sides."""
    known = frozenset(values)
    plain = not any(map(wildcard.is_wildcard, values))

    def matches(key: str) -> bool:
        if key in known:
            return True
        if plain and not wildcard.is_wildcard(key):
            return False
        return any(wildcard.match(item, key) or wildcard.match(key, item) for item in values)

    return matches


def _literal_text(value: Json) -> str:
    """The text of what stands in a policy: Kyverno reads whole numbers there as such, and elsewhere as floats."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else go_text(value)


def go_text(value: Json) -> str:
    """A value as Go's `fmt.Sprint` writes it, which Kyverno compares by; every number is a float there."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return format_float(value)
    return "<nil>" if value is None else to_text(value)
