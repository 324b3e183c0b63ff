"""What operators do to values whose types come out only when an expression runs, and the checks that go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from bartizan.lang.cel.errors import CelBudgetError, CelError, no_such_key, no_such_overload
from bartizan.lang.cel.values import (
    BOOL_KEYS,
    INT_MAX,
    INT_MIN,
    KEY_CLASSES,
    NONE,
    UINT_MAX,
    Duration,
    Optional,
    Timestamp,
    UInt,
    from_key,
    key_of,
    name_of,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_STEPS: Final = 1_000_000
"""Turns of loops in one evaluation, and members or `_CHARS_PER_STEP` characters made inside them: about a second."""
MAX_ITEMS: Final = 1_000_000
"""Characters of a text, or members of a list, that an operation may make."""
_CHARS_PER_STEP: Final = 64

_NUMBERS: Final = frozenset({int, UInt, float})
_ORDERED: Final = frozenset({str, bytes, bool, Timestamp, Duration})
_TIMES: Final = (Timestamp, Duration)
TIME_MIN: Final = -62_135_596_800 * 10**9
TIME_MAX: Final = 253_402_300_800 * 10**9 - 1
"""The first and the last moment of the years 1 to 9999, in nanoseconds."""


def raised(error: BaseException | object) -> CelError:
    """What a caught error, or a value where a boolean was due, means in the language."""
    if isinstance(error, CelError):
        return error
    if isinstance(error, KeyError):
        return no_such_key(error.args[0])
    return no_such_overload()


def overflow() -> CelError:
    """The error of an integer that 64 bits do not hold."""
    return CelError("integer overflow")


def int64(value: int) -> int:
    """A whole number, if 64 bits hold it."""
    if not INT_MIN <= value <= INT_MAX:
        raise overflow()
    return value


def uint64(value: int) -> UInt:
    """A whole number without sign, if 64 bits hold it."""
    if not 0 <= value <= UINT_MAX:
        raise CelError("unsigned integer overflow")
    return UInt(value)


def timestamp(nanoseconds: int) -> Timestamp:
    """A moment, if it is in the years 1 to 9999."""
    if not TIME_MIN <= nanoseconds <= TIME_MAX:
        raise CelError("timestamp overflow")
    return Timestamp(nanoseconds)


def duration(nanoseconds: int) -> Duration:
    """A length of time, if 64 bits hold it."""
    if not INT_MIN <= nanoseconds <= INT_MAX:
        raise CelError("duration overflow")
    return Duration(nanoseconds)


def no_overload(*_operands: Any) -> NoReturn:
    """Fail, for operands that an operation does not have."""
    raise no_such_overload()


def spend(budget: list[int], value: Any) -> Any:
    """Charge for a value that was made inside a loop by how large it is; gives it back."""
    kind = value.__class__
    if kind is str or kind is bytes or kind is list:
        budget[0] -= len(value) if kind is list else len(value) // _CHARS_PER_STEP + 1
        if budget[0] < 0:
            raise CelBudgetError("the expression takes too many steps")
    return value


def over_budget() -> CelBudgetError:
    """The end of an evaluation that took too many turns."""
    return CelBudgetError("the expression takes too many steps")


def sized(value: Any) -> Any:
    """A text or list that is not too large to keep."""
    if len(value) > MAX_ITEMS:
        raise CelBudgetError("the expression makes too large a value")
    return value


# equality and order


def equal(left: Any, right: Any) -> bool:
    """Deep equality: numbers by their value whatever their type; a boolean is no number.

    Raises:
        CelError: the values nest too deep to compare.
    """
    kind = left.__class__
    if kind is str or right.__class__ is str:
        return bool(left == right)
    if kind is bool or right.__class__ is bool:
        return left is right
    if kind is not list and kind is not Optional and not issubclass(kind, dict):
        if kind in _NUMBERS and right.__class__ in _NUMBERS:
            left, right = _as_doubles(left, right)
        return bool(left == right)
    try:
        return _equal_deep(left, right)
    except RecursionError as error:
        raise CelError("values nest too deep to compare") from error


def _equal_deep(left: Any, right: Any) -> bool:
    if left.__class__ is not right.__class__:
        return False
    if left.__class__ is list:
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict):
        if left.__class__ is not dict and name_of(left) != name_of(right):
            return False
        return len(left) == len(right) and all(key in right and equal(item, right[key]) for key, item in left.items())
    return left.present == right.present and equal(left.value, right.value)


def not_equal(left: Any, right: Any) -> bool:
    """The opposite of equality."""
    return not equal(left, right)


def _are_ordered(left: Any, right: Any) -> bool:
    kind = left.__class__
    if kind in _NUMBERS:
        return right.__class__ in _NUMBERS
    return kind is right.__class__ and kind in _ORDERED


def _as_doubles(left: Any, right: Any) -> tuple[Any, Any]:
    """Numbers to compare: beside a double, a whole number is one too, as the reference has it."""
    if (left.__class__ is float) != (right.__class__ is float):
        return float(left), float(right)
    return left, right


def less(left: Any, right: Any) -> bool:
    """Order of numbers by value, and of values of one type."""
    if not _are_ordered(left, right):
        raise no_such_overload()
    left, right = _as_doubles(left, right)
    return bool(left < right)


def less_equal(left: Any, right: Any) -> bool:
    """As `less`, or equal."""
    if not _are_ordered(left, right):
        raise no_such_overload()
    left, right = _as_doubles(left, right)
    return bool(left <= right)


def greater(left: Any, right: Any) -> bool:
    """The opposite order."""
    return less(right, left)


def greater_equal(left: Any, right: Any) -> bool:
    """The opposite order, or equal."""
    return less_equal(right, left)


# arithmetic


def add(left: Any, right: Any) -> Any:
    """Sum of numbers or times, or one behind the other."""
    kind = left.__class__
    if kind is right.__class__:
        if kind is int:
            return int64(left + right)
        if kind is str or kind is list or kind is bytes:
            return sized(left + right)
        if kind is float:
            return left + right
        if kind is UInt:
            return uint64(int(left) + int(right))
        if kind is Duration:
            return duration(left.nanoseconds + right.nanoseconds)
    elif kind in _TIMES and right.__class__ in _TIMES:
        return timestamp(left.nanoseconds + right.nanoseconds)
    raise no_such_overload()


def subtract(left: Any, right: Any) -> Any:
    """Difference of numbers or times."""
    kind = left.__class__
    if kind is right.__class__:
        if kind is int:
            return int64(left - right)
        if kind is float:
            return left - right
        if kind is UInt:
            return uint64(int(left) - int(right))
        if kind in _TIMES:
            return duration(left.nanoseconds - right.nanoseconds)
    elif kind is Timestamp and right.__class__ is Duration:
        return timestamp(left.nanoseconds - right.nanoseconds)
    raise no_such_overload()


def multiply(left: Any, right: Any) -> Any:
    """Product of numbers of one type."""
    if left.__class__ is right.__class__:
        if left.__class__ is int:
            return int64(left * right)
        if left.__class__ is float:
            return left * right
        if left.__class__ is UInt:
            return uint64(int(left) * int(right))
    raise no_such_overload()


def divide(left: Any, right: Any) -> Any:
    """Quotient of numbers of one type; whole ones are cut towards zero."""
    kind = left.__class__
    if kind is not right.__class__ or kind not in _NUMBERS:
        raise no_such_overload()
    if kind is float:
        return _divide_floats(left, right)
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    if kind is UInt:
        return UInt(quotient)
    return int64(quotient if (left < 0) == (right < 0) else -quotient)


def _divide_floats(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or left != left:  # noqa: PLR0124 (what is not itself is not a number)
        return float("nan")
    negative = str(left)[0] == "-"
    return float("-inf") if negative != (str(right)[0] == "-") else float("inf")


def modulo(left: Any, right: Any) -> Any:
    """Rest of a division of whole numbers; it has the sign of the dividend."""
    kind = left.__class__
    if kind is not right.__class__ or kind not in (int, UInt):
        raise no_such_overload()
    if right == 0:
        raise CelError("modulus by zero")
    rest = abs(left) % abs(right)
    if kind is UInt:
        return UInt(rest)
    if right == -1 and left == INT_MIN:
        raise overflow()
    return -rest if left < 0 else rest


def negate(value: Any) -> Any:
    """The number with the other sign."""
    if value.__class__ is int:
        return int64(-value)
    if value.__class__ is float:
        return -value
    raise no_such_overload()


def negation(value: Any) -> bool:
    """The other truth value."""
    if value.__class__ is not bool:
        raise no_such_overload()
    return not value


def boolean(value: Any) -> bool:
    """A condition's value, which must be a boolean; a caught error goes on."""
    if value.__class__ is not bool:
        raise raised(value)
    return bool(value)


# collections


def index(container: Any, key: Any) -> Any:
    """A member of a list by place, or of a map by key; of an optional, an optional."""
    if container.__class__ is list:
        place = _place(key)
        if not 0 <= place < len(container):
            raise CelError(f"index out of bounds: {place}")
        return container[place]
    if container.__class__ is Optional:
        return optional_index(container, key)
    if isinstance(container, dict):
        if key.__class__ not in KEY_CLASSES and key.__class__ is not float:
            raise no_such_overload()
        if key.__class__ is bool:
            key = BOOL_KEYS[key]
        if key not in container:
            raise no_such_key(shown(key))
        return container[key]
    raise no_such_key(shown(key)) if key.__class__ is str else no_such_overload()


def _place(key: Any) -> int:
    if key.__class__ is int or key.__class__ is UInt:
        return int(key)
    if key.__class__ is float and key.is_integer():
        return int(key)
    raise CelError(f"unsupported index type '{type_name(key.__class__)}' in list")


def shown(value: Any) -> str:
    """A key as errors show it."""
    value = from_key(value)
    return str(value).lower() if value.__class__ is bool else str(int(value)) if value.__class__ is UInt else str(value)


def field(operand: Any, name: str) -> Any:
    """A field of an object that may be an optional, or not even an object."""
    if isinstance(operand, dict):
        if name not in operand:
            raise no_such_key(name)
        return operand[name]
    if operand.__class__ is Optional:
        if operand.present and not isinstance(operand.value, (dict, Optional)):
            raise no_such_key(name)
        return optional_field(operand, name)
    if operand.__class__ is list:
        raise CelError("unsupported index type 'string' in list")
    if hasattr(operand, "has_field"):
        return operand[name]
    raise no_such_key(name)


def has(operand: Any, name: str) -> bool:
    """Whether an object has a field; what is no object has none, but a list is an error."""
    if isinstance(operand, dict):
        return name in operand
    if operand.__class__ is Optional:
        return bool(operand.present) and has(operand.value, name)
    if operand.__class__ is list:
        raise CelError("unsupported index type 'string' in list")
    has_field = getattr(operand, "has_field", None)  # of an object that is no map
    return has_field is not None and bool(has_field(name))


def optional_field(operand: Any, name: str) -> Optional:
    """`operand.?name`: nothing where there is no such field."""
    if operand.__class__ is dict:
        return Optional(operand[name]) if name in operand else NONE
    if operand.__class__ is Optional:
        if not operand.present:
            return NONE
        operand = operand.value
    return Optional(operand[name]) if has(operand, name) else NONE


def optional_index(container: Any, key: Any) -> Optional:
    """`container[?key]`: nothing where there is no such member."""
    if container.__class__ is Optional:
        if not container.present:
            return NONE
        container = container.value
    if container.__class__ is list:
        place = _place(key)
        return Optional(container[place]) if 0 <= place < len(container) else NONE
    if isinstance(container, dict):
        if key.__class__ not in KEY_CLASSES and key.__class__ is not float:
            raise no_such_overload()
        key = key_of(key)
        return Optional(container[key]) if key in container else NONE
    return NONE


def contains(item: Any, container: Any) -> bool:
    """`item in container`: among the members of a list or the keys of a map."""
    if container.__class__ is list:
        return any(equal(item, member) for member in container)
    if isinstance(container, dict):
        if item.__class__ is bool:
            item = BOOL_KEYS[item]
        return item.__class__.__hash__ is not None and item in container
    raise no_such_overload()


def members(value: Any) -> Any:
    """What a macro with one variable goes through: members, or the keys of a map."""
    if value.__class__ is list:
        return value
    if isinstance(value, dict):
        return [from_key(key) for key in value]
    raise no_such_overload()


def pairs(value: Any) -> list[tuple[Any, Any]]:
    """What a macro with two variables goes through: places and members, or keys and values."""
    if value.__class__ is list:
        return list(enumerate(value))
    if isinstance(value, dict):
        return [(from_key(key), item) for key, item in value.items()]
    raise no_such_overload()


def mapping(entries: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """A map of entries; an optional entry that holds nothing is left out before."""
    made: dict[Any, Any] = {}
    for key, value in entries:
        put(made, key, value)
    return made


def put(made: dict[Any, Any], key: Any, value: Any) -> None:
    """Add an entry that must be new."""
    if key.__class__ not in KEY_CLASSES:
        raise CelError("unsupported key type")
    place = key_of(key)
    if place in made:
        raise CelError(f"repeated key: {shown(key)}")
    made[place] = value


def put_all(made: dict[Any, Any], entries: Any) -> None:
    """Add the entries of a map, which must all be new."""
    if not isinstance(entries, dict):
        raise no_such_overload()
    for key, value in entries.items():
        put(made, from_key(key), value)


def held(optional: Any) -> Any:
    """An optional member of what is written out, which must be an optional."""
    if optional.__class__ is not Optional:
        raise no_such_overload()
    return optional


def bound(value: Any) -> Any:
    """The value of a name; where it could not be had, its error."""
    if value.__class__ in _FAILURES:
        raise raised(value)
    return value


FAILURES: Final = (CelError, KeyError, TypeError, AttributeError, OverflowError)
"""What generated code may raise for a value that is not there, not of the type that an operation needs, or too large.

The last two come of values that are not what was declared, such as a label
that is a number, or an integer that no double can hold.
"""
_FAILURES: Final = frozenset(FAILURES)

NAMES: Final = {
    function.__name__: function
    for function in (
        *(raised, overflow, int64, uint64, no_overload, spend, over_budget, sized, equal, less, less_equal),
        *(greater, greater_equal, add, subtract, multiply, divide, modulo, negate, negation, boolean, index, field),
        *(has, optional_field, optional_index, contains, members, pairs, mapping, put, put_all, held, bound),
    )
} | {
    "FAILURES": FAILURES,
    "MAX_STEPS": MAX_STEPS,
    "UInt": UInt,
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list": list,
    "dict": dict,
    "isinstance": isinstance,
    "len": len,
}
"""All a generated expression can reach; builtins are not."""
