"""Values that may be missing: made by `optional.of` and `.?`, taken apart by `orValue` and its like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.types import BOOL, A, list_of, optional_of
from bartizan.lang.cel.values import NONE, Duration, Optional, Timestamp, UInt

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAYBE: Final = optional_of(A)
_ZERO: Final = (Timestamp(0), Duration(0))


def of_non_zero(value: Any) -> Optional:
    """A value, unless it is the zero of its type: empty, nothing, false."""
    if value is None or value in _ZERO:
        return NONE
    if isinstance(value, (bool, int, UInt, float, str, bytes, list, dict)) and not value:
        return NONE
    is_zero = getattr(value, "is_zero", None)  # of an object
    return NONE if is_zero is not None and is_zero() else Optional(value)


def value_of(optional: Optional) -> Any:
    """What an optional holds.

    Raises:
        CelError: nothing.
    """
    if not optional.present:
        raise CelError("optional.none() dereference")
    return optional.value


def _or_value(optional: Any, value: Any) -> Any:
    """A value that is no optional is its own, as the reference has it: `a.b.orValue(c)` may be meant as `a.?b`."""
    if optional.__class__ is not Optional:
        return optional
    return optional.value if optional.present else value


def _or(left: Any, right: Any) -> Any:
    return right if left.__class__ is Optional and not left.present else left


def _last(items: list[Any]) -> Optional:
    return Optional(items[-1]) if items else NONE


def _first(items: list[Any]) -> Optional:
    return Optional(items[0]) if items else NONE


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "optional.of": (Overload((A,), _MAYBE, Optional),),
    "optional.ofNonZeroValue": (Overload((A,), _MAYBE, of_non_zero),),
    "optional.none": (Overload((), _MAYBE, lambda: NONE),),
    "optional.unwrap": (
        Overload((list_of(_MAYBE),), list_of(A), lambda items: [item.value for item in items if item.present]),
    ),
    "unwrapOpt": (
        Overload(
            (list_of(_MAYBE),), list_of(A), lambda items: [item.value for item in items if item.present], member=True
        ),
    ),
    "hasValue": (Overload((_MAYBE,), BOOL, lambda optional: optional.present, member=True),),
    "value": (Overload((_MAYBE,), A, value_of, member=True),),
    "or": (Overload((_MAYBE, _MAYBE), _MAYBE, _or, member=True, loose=True),),
    "orValue": (Overload((_MAYBE, A), A, _or_value, member=True, loose=True),),
    "first": (Overload((list_of(A),), _MAYBE, _first, member=True),),
    "last": (Overload((list_of(A),), _MAYBE, _last, member=True),),
}
