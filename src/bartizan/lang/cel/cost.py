"""What an expression costs as the API server counts it, and how much it lets one cost.

A unit is about one look-up or one operation; what goes through texts, lists
or patterns costs by their size. Source: the cost tracker of the reference,
v0.26, and what the API server adds for its own functions, v1.35. The walk of
`trace` adds these prices up; the quick function counts nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.errors import CelBudgetError, CelTotalError
from bartizan.lang.cel.library.formats import Format
from bartizan.lang.cel.library.kubernetes import Amount, Semver, Url
from bartizan.lang.cel.library.network import Address, Block
from bartizan.lang.cel.types import BYTES, STRING
from bartizan.lang.cel.values import Optional, from_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bartizan.lang.cel.declare import Overload

EXPRESSION_LIMIT: Final = 1_000_000
"""What one expression may cost: `PerCallLimit` of the API server."""
POLICY_LIMIT: Final = 10_000_000
"""What all expressions of a policy may cost together: `RuntimeCELCostBudget`."""
CONDITIONS_LIMIT: Final = 2_500_000
"""What all match conditions may cost together: `RuntimeCELCostBudgetMatchConditions`."""

LOOK_UP: Final = 1
LIST: Final = 10
MAP: Final = 30
OBJECT: Final = 40
_TEXT: Final = 0.1  # of a character that is gone through
_PATTERN: Final = 0.25  # of a character of a pattern
_CHECK: Final = 350_000  # of a question of rights: two fit into an expression
_REQUIREMENT: Final = 50
_FORMAT_SIZES: Final = {  # characters of a pattern that would do
    **dict.fromkeys(("dns1123Label", "dns1035Label", "dns1123LabelPrefix", "dns1035LabelPrefix"), 30),
    **dict.fromkeys(("dns1123Subdomain", "dns1123SubdomainPrefix", "qualifiedName"), 60),
    "labelValue": 40,
    "uri": 1103,
    "uuid": 70,
    "byte": 84,
    "date": 71,
    "datetime": 71,
}
_OPAQUE: Final = (Amount, Address, Block, Format, Url, Semver)


def over_limit() -> CelBudgetError:
    """The end of an expression that cost more than it may, in the API server's words."""
    return CelBudgetError("operation cancelled: actual cost limit exceeded")


def over_budget() -> CelTotalError:
    """The end of a policy whose expressions cost more than they may together, in the API server's words."""
    return CelTotalError("validation failed due to running out of cost budget, no further validation rules will be run")


def call_cost(function: str, overloads: tuple[Overload, ...], given: Sequence[Any], result: Any) -> int:
    """What a call costs, by its arguments and what it gave; an error in place of a value has size one.

    Functions of the language itself have a price of their own only where the
    types tell which overload is meant; where values have to, they cost one.
    """
    price = _BY_NAME.get(function)
    if price is not None:
        return price(given, result)
    if len(overloads) == 1:
        typed = _BY_OVERLOAD.get(function)
        if typed is not None:
            return typed(overloads[0])(given, result)
    return 1


def size(value: Any) -> int:
    """Characters, members or bytes; one for what has no size."""
    kind = value.__class__
    if kind is str or kind is list or kind is bytes or isinstance(value, dict):
        return len(value)
    if kind is Optional and value.present:
        return size(value.value)
    if kind is Address:
        return 4 if value.value.version == 4 else 16
    if kind is Block:
        return math.ceil(int(value.length) / 8)
    return 1


def _part(count: float) -> int:
    return math.ceil(count * _TEXT)


def _one(_given: Sequence[Any], _result: Any) -> int:
    return 1


def _through(given: Sequence[Any], _result: Any) -> int:
    return _part(size(given[0]))


def _twice_through(given: Sequence[Any], _result: Any) -> int:
    return _part(size(given[0]) * 2)


def _shorter(given: Sequence[Any], _result: Any) -> int:
    return _part(min(size(given[0]), size(given[1])))


def _both(given: Sequence[Any], _result: Any) -> int:
    return _part(size(given[0]) + size(given[1]))


def _searched(text: int, pattern: int) -> int:
    return _part(1.0 + text) * math.ceil(pattern * _PATTERN)


def _matched(given: Sequence[Any], _result: Any) -> int:
    return _searched(size(given[0]), size(given[1]))


def _equal(given: Sequence[Any], _result: Any) -> int:
    return 1 if given[0].__class__ in _OPAQUE else _shorter(given, _result)


def _contains(given: Sequence[Any], _result: Any) -> int:
    return _part(size(given[0])) * _part(size(given[1]))


def _traversal(given: Sequence[Any], _result: Any) -> int:
    return _traversed(given[0]) if given else 0


def _traversed(value: Any) -> int:
    if value.__class__ is str:
        return int(len(value.encode(errors="surrogatepass")) * _TEXT)
    if value.__class__ is bytes:
        return int(len(value) * _TEXT)
    if value.__class__ is list:
        return sum(map(_traversed, value))
    if isinstance(value, dict):
        return sum(_traversed(from_key(key)) + _traversed(item) for key, item in value.items())
    return 1


def _address(given: Sequence[Any], _result: Any) -> int:
    return 1 if given[0].__class__ is Block else _part(size(given[0]))


def _holds_address(given: Sequence[Any], _result: Any) -> int:
    block = size(given[0])
    return _part(block + block) + (_part(size(given[1])) if given[1].__class__ is str else 0)


def _holds_block(given: Sequence[Any], _result: Any) -> int:
    return _holds_address(given, _result) + _part(size(given[0])) + 1


def _validated(given: Sequence[Any], _result: Any) -> int:
    if given[0].__class__ is not Format:
        return 1
    return _searched(size(given[1]), _FORMAT_SIZES[given[0].name])


def _selector(given: Sequence[Any], _result: Any) -> int:
    length = size(given[1])
    return LIST + _part(length) + math.ceil(length * 0.5) * _REQUIREMENT


def _joined(_given: Sequence[Any], result: Any) -> int:
    return _part(size(result) * 2)


def _made(count: float) -> int:
    return int(count) + 1 + LIST


def _sized(_given: Sequence[Any], result: Any) -> int:
    return _made(size(result))


def _reversed(given: Sequence[Any], result: Any) -> int:
    # the API server has it for lists alone, so that the types always tell
    return 1 if given[0].__class__ is str else _sized(given, result)


_BY_NAME: Final[Mapping[str, Callable[[Sequence[Any], Any], int]]] = {
    "_==_": _equal,
    "_!=_": _shorter,
    "startsWith": _through,
    "endsWith": _through,
    "strings.quote": _through,
    "format": _through,
    "contains": _contains,
    "check": lambda _given, _result: _CHECK,
    **dict.fromkeys(("fieldSelector", "labelSelector"), _selector),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _traversal),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim", "jsonpatch.escapeKey"), _through),
    **dict.fromkeys(("replace", "split", "ip.isCanonical"), _twice_through),
    "join": _joined,
    **dict.fromkeys(("find", "findAll"), _matched),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _through),
    "ip": _address,
    "containsIP": _holds_address,
    "containsCIDR": _holds_block,
    "validate": _validated,
    **dict.fromkeys(("slice", "lists.range"), _sized),
    "reverse": _reversed,
}
"""Prices that go by the name alone, whatever the types."""


def _compared(given: Sequence[Any], _result: Any) -> int:
    items = given[0] if given[0].__class__ is list else []
    each = 2.0 + (_TEXT if items and items[0].__class__ in (str, bytes) else 0)
    return _made(len(items) ** 2 * each)


def _flattened(given: Sequence[Any], _result: Any) -> int:
    depth = given[1] if len(given) == 2 and given[1].__class__ is int else 1
    return _made(max(depth, 0) * size(given[0]))


def _of_texts(price: Callable[[Sequence[Any], Any], int]) -> Callable[[Overload], Callable[[Sequence[Any], Any], int]]:
    return lambda overload: price if overload.parameters[0] in (STRING, BYTES) else _one


def _always(price: Callable[[Sequence[Any], Any], int]) -> Callable[[Overload], Callable[[Sequence[Any], Any], int]]:
    return lambda _overload: price


def _crossed(factor: int) -> Callable[[Sequence[Any], Any], int]:
    return lambda given, _result: 1 + size(given[0]) * size(given[1]) * factor


_BY_OVERLOAD: Final[Mapping[str, Callable[[Overload], Callable[[Sequence[Any], Any], int]]]] = {
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _of_texts(_shorter)),
    "_+_": _of_texts(_both),
    "@in": lambda overload: (lambda given, _result: size(given[1])) if overload.parameters[1].name == "list" else _one,
    "bytes": lambda overload: _through if overload.parameters[0] == STRING else _one,
    "string": lambda overload: _through if overload.parameters[0] == BYTES else _one,
    "matches": lambda overload: _matched if overload.member else _one,
    "flatten": _always(_flattened),
    **dict.fromkeys(("distinct", "sort"), _always(_compared)),
    **dict.fromkeys(("sets.contains", "sets.intersects"), _always(_crossed(1))),
    "sets.equivalent": _always(_crossed(2)),
}
"""Prices of functions of the language and its extensions, by the overload that the types tell."""
