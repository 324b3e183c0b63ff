"""The lists and sets extensions, and what Kubernetes adds to lists."""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelBudgetError, CelError, no_such_overload
from bartizan.lang.cel.operators import add, equal, less, sized
from bartizan.lang.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    A,
    list_of,
)
from bartizan.lang.cel.values import Duration, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.types import Type

_ITEMS: Final = list_of(A)
_ORDERED: Final = (INT, UINT, DOUBLE, BOOL, STRING, TIMESTAMP, DURATION, BYTES)
_SUMMED: Final[frozenset[Any]] = frozenset({int, UInt, float, Duration})
_COMPARED: Final = _SUMMED | {str, bytes, bool, Timestamp}
_MAX_COMPARISONS: Final = 1_000_000  # of every member with every other, in one call
_MAX_DEEP: Final = 100  # levels that `flatten` may be asked to take down


def _member(*parameters: Type, gives: Type, by: Callable[..., Any], grows: bool = False) -> Overload:
    return Overload(parameters, gives, by, member=True, grows=grows)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise CelError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise CelError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise CelError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    for _ in range(min(depth, _MAX_DEEP)):
        if not any(item.__class__ is list for item in items):
            break
        flat: list[Any] = []
        for item in items:
            if item.__class__ is list:
                flat.extend(item)
            else:
                flat.append(item)
        items = sized(flat)
    return items


def _range(count: int) -> list[int]:
    return list(sized(range(max(0, count))))


def _affordable(steps: int) -> None:
    if steps > _MAX_COMPARISONS:
        raise CelBudgetError("the expression compares too many members")


def _distinct(items: list[Any]) -> list[Any]:
    _affordable(len(items) ** 2)
    kept: list[Any] = []
    texts: set[str] = set()
    others: list[Any] = []
    for item in items:
        if item.__class__ is str:
            if item not in texts:
                texts.add(item)
                kept.append(item)
        elif not any(equal(item, other) for other in others):
            others.append(item)
            kept.append(item)
    return kept


def _compare(left: Any, right: Any) -> int:
    return -1 if less(left, right) else 1 if less(right, left) else 0


def _sort(items: list[Any]) -> list[Any]:
    if any(item.__class__ is not items[0].__class__ for item in items):
        raise CelError("list elements must have the same type")
    if items and items[0].__class__ not in _COMPARED:
        raise CelError("list elements must be comparable")
    return sorted(items, key=cmp_to_key(_compare))


def _sort_by(items: list[Any], keys: list[Any]) -> list[Any]:
    """Members in the order of a key that was made of each."""
    if any(key.__class__ is not keys[0].__class__ for key in keys):
        raise CelError("list elements must have the same type")
    if keys and keys[0].__class__ not in _COMPARED:
        raise CelError("list elements must be comparable")
    order = cmp_to_key(_compare)
    pairs = sorted(zip(keys, items, strict=True), key=lambda pair: order(pair[0]))
    return [item for _key, item in pairs]


def _order(left: Any, right: Any) -> int:
    """How two members stand to each other; 2 where that cannot be told, which Kubernetes passes over."""
    if left != left or right != right:  # noqa: PLR0124 (not a number)
        return 2
    try:
        return _compare(left, right)
    except CelError:
        return 2


def _is_sorted(items: list[Any]) -> bool:
    for place, item in enumerate(items):
        _check_ordered(item)
        if place and _order(items[place - 1], item) == 1:
            return False
    return True


def _check_ordered(item: Any) -> None:
    if item.__class__ not in _COMPARED:
        raise no_such_overload()


def _sum(items: list[Any]) -> Any:
    if not items:
        return 0
    if items[0].__class__ not in _SUMMED:
        raise no_such_overload()
    total = items[0]
    for item in items[1:]:
        total = add(total, item)
    return total if len(items) > 1 else add(total, Duration(0) if total.__class__ is Duration else total.__class__(0))


def _extreme(name: str, *, most: bool) -> Callable[[list[Any]], Any]:
    preferred = -1 if most else 1

    def find(items: list[Any]) -> Any:
        if not items:
            raise CelError(f"{name} called on empty list")
        found = items[0]
        for item in items:
            _check_ordered(item)
            if _order(found, item) == preferred:
                found = item
        return found

    return find


def _index_of(items: list[Any], wanted: Any) -> int:
    return next((place for place, item in enumerate(items) if equal(item, wanted)), -1)


def _last_index_of(items: list[Any], wanted: Any) -> int:
    return next((place for place in range(len(items) - 1, -1, -1) if equal(items[place], wanted)), -1)


def _has_all(items: list[Any], others: list[Any]) -> bool:
    _affordable(len(items) * len(others))
    return all(any(equal(item, other) for item in items) for other in others)


def _intersects(items: list[Any], others: list[Any]) -> bool:
    _affordable(len(items) * len(others))
    return any(any(equal(item, other) for item in items) for other in others)


EXTENSION: Final[Mapping[str, tuple[Overload, ...]]] = {
    "slice": (_member(_ITEMS, INT, INT, gives=_ITEMS, by=_slice, grows=True),),
    "flatten": (
        _member(list_of(_ITEMS), gives=_ITEMS, by=_flatten, grows=True),
        _member(list_of(DYN), INT, gives=list_of(DYN), by=_flatten, grows=True),
    ),
    "sort": tuple(_member(list_of(kind), gives=list_of(kind), by=_sort, grows=True) for kind in _ORDERED),
    "@sortBy": tuple(_member(_ITEMS, list_of(kind), gives=_ITEMS, by=_sort_by, grows=True) for kind in _ORDERED),
    "lists.range": (Overload((INT,), list_of(INT), _range, grows=True),),
    "reverse": (_member(_ITEMS, gives=_ITEMS, by=lambda items: items[::-1], grows=True),),
    "distinct": (_member(_ITEMS, gives=_ITEMS, by=_distinct, grows=True),),
}
"""The lists extension."""

SETS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "sets.contains": (Overload((_ITEMS, _ITEMS), BOOL, _has_all),),
    "sets.equivalent": (
        Overload((_ITEMS, _ITEMS), BOOL, lambda items, others: _has_all(items, others) and _has_all(others, items)),
    ),
    "sets.intersects": (Overload((_ITEMS, _ITEMS), BOOL, _intersects),),
}
"""The sets extension."""

KUBERNETES: Final[Mapping[str, tuple[Overload, ...]]] = {
    "isSorted": tuple(_member(list_of(kind), gives=BOOL, by=_is_sorted) for kind in _ORDERED),
    "sum": tuple(_member(list_of(kind), gives=kind, by=_sum) for kind in (INT, UINT, DOUBLE, DURATION)),
    "min": tuple(_member(list_of(kind), gives=kind, by=_extreme("min", most=False)) for kind in _ORDERED),
    "max": tuple(_member(list_of(kind), gives=kind, by=_extreme("max", most=True)) for kind in _ORDERED),
    "indexOf": (_member(_ITEMS, A, gives=INT, by=_index_of),),
    "lastIndexOf": (_member(_ITEMS, A, gives=INT, by=_last_index_of),),
}
"""What Kubernetes adds."""
