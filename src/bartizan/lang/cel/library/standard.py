"""The functions and operators of the language definition itself."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.base.regex import compile_regex, compile_test
from bartizan.lang.cel import operators
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError, no_conversion, no_such_overload
from bartizan.lang.cel.library import times
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
    B,
    Type,
    list_of,
    map_of,
    optional_of,
)
from bartizan.lang.cel.values import INT_MAX, INT_MIN, UINT_MAX, TypeValue, UInt, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LIST: Final = list_of(A)
_MAP: Final = map_of(A, B)


def _binary(call: Callable[..., Any], *rows: tuple[Type, Type, Type]) -> tuple[Overload, ...]:
    return tuple(Overload((left, right), result, call) for left, right, result in rows)


_SAME: Final = (INT, UINT, DOUBLE)
_ORDERED: Final = (*_SAME, STRING, BYTES, BOOL, TIMESTAMP, DURATION)
_ORDERS: Final = [(kind, kind, BOOL) for kind in _ORDERED] + [
    (left, right, BOOL) for left in _SAME for right in _SAME if left != right
]

OPERATORS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "_==_": _binary(operators.equal, (A, A, BOOL)),
    "_!=_": _binary(operators.not_equal, (A, A, BOOL)),
    "_<_": _binary(operators.less, *_ORDERS),
    "_<=_": _binary(operators.less_equal, *_ORDERS),
    "_>_": _binary(operators.greater, *_ORDERS),
    "_>=_": _binary(operators.greater_equal, *_ORDERS),
    "_+_": _binary(
        operators.add,
        *((kind, kind, kind) for kind in (*_SAME, STRING, BYTES, _LIST, DURATION)),
        (TIMESTAMP, DURATION, TIMESTAMP),
        (DURATION, TIMESTAMP, TIMESTAMP),
    ),
    "_-_": _binary(
        operators.subtract,
        *((kind, kind, kind) for kind in (*_SAME, DURATION)),
        (TIMESTAMP, TIMESTAMP, DURATION),
        (TIMESTAMP, DURATION, TIMESTAMP),
    ),
    "_*_": _binary(operators.multiply, *((kind, kind, kind) for kind in _SAME)),
    "_/_": _binary(operators.divide, *((kind, kind, kind) for kind in _SAME)),
    "_%_": _binary(operators.modulo, (INT, INT, INT), (UINT, UINT, UINT)),
    "-_": tuple(Overload((kind,), kind, operators.negate) for kind in (INT, DOUBLE)),
    "!_": (Overload((BOOL,), BOOL, operators.negation),),
    "@in": _binary(operators.contains, (A, _LIST, BOOL), (A, _MAP, BOOL)),
    "_[_]": (
        Overload((_LIST, INT), A, operators.index),
        Overload((_MAP, A), B, operators.index),
        Overload((optional_of(_LIST), INT), optional_of(A), operators.index),
        Overload((optional_of(_MAP), A), optional_of(B), operators.index),
    ),
    "_[?_]": (
        Overload((_LIST, INT), optional_of(A), operators.optional_index),
        Overload((optional_of(_LIST), INT), optional_of(A), operators.optional_index),
        Overload((_MAP, A), optional_of(B), operators.optional_index),
        Overload((optional_of(_MAP), A), optional_of(B), operators.optional_index),
    ),
}


_REASONS: Final[tuple[tuple[str, str], ...]] = (
    (r"missing \): .*", "missing closing ): `{pattern}`"),
    (r"missing \]: (.*)", "missing closing ]: `{0}`"),
    (r"unexpected \): .*", "unexpected ): `{pattern}`"),
    (r"invalid perl operator: (.*)", "invalid or unsupported Perl syntax: `{0}`"),
    (r"no argument for repetition operator: (.*)", "missing argument to repetition operator: `{0}`"),
    (r"bad repetition operator: (.*)", "invalid nested repetition operator: `{0}`"),
    (r"invalid repetition size: (.*)", "invalid repeat count: `{0}`"),
    (r"invalid named capture group: (.*)", "invalid named capture: `{0}`"),
    (r"trailing \\", "trailing backslash at end of expression: ``"),
    (r"([^:]*): (.*)", "{0}: `{1}`"),
)
"""What RE2 says of a pattern that is none, and what Go says."""


def regex(pattern: str) -> Any:
    """A compiled pattern.

    Raises:
        CelError: the pattern is not RE2.
    """
    try:
        return compile_regex(pattern)
    except SpecError as error:
        reason = error.message.removeprefix(f"bad regular expression `{pattern}`: ")
        raise CelError(f"error parsing regexp: {_reason(pattern, reason)}") from error


def _reason(pattern: str, reason: str) -> str:
    for known, text in _REASONS:
        match = re.fullmatch(known, reason, re.DOTALL)
        if match is not None:
            return text.format(*match.groups(), pattern=pattern)
    return reason


def matches(text: str, pattern: str) -> bool:
    """Whether a regular expression (RE2) matches some part of a text."""
    return regex(pattern).search(text) is not None


def _prepare_matches(pattern: str) -> Callable[[Any], bool] | None:
    try:
        test = compile_test(pattern)
    except SpecError:
        return None  # an error when it runs, not before: it may never

    def match(text: Any) -> bool:
        if text.__class__ is not str:
            raise no_such_overload()
        return test(text)

    return match


def _to_int(value: Any) -> int:
    if value.__class__ is float:
        # the ends are left out, as the reference has it: the doubles next to them are beyond
        if not math.isfinite(value) or not float(INT_MIN) < value < float(INT_MAX):
            raise operators.overflow()
        return int(value)
    return operators.int64(int(value))


def _text_to_int(text: str) -> int:
    return operators.int64(_digits(text, "int"))


def _digits(text: str, kind: str) -> int:
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not digits.isascii() or not digits.isdigit() or len(digits) > 64:
        raise no_conversion(kind)
    return int(text)


def _to_uint(value: Any) -> UInt:
    if value.__class__ is float:
        if not math.isfinite(value) or not 0 <= value < float(UINT_MAX):
            raise CelError("unsigned integer overflow")
        return UInt(int(value))
    return operators.uint64(int(value))


def _text_to_uint(text: str) -> UInt:
    if text[:1] in ("-", "+"):
        raise no_conversion("uint")
    return operators.uint64(_digits(text, "uint"))


def _text_to_double(text: str) -> float:
    if not text.isascii() or "_" in text or text.strip() != text or len(text) > 1000:
        raise no_conversion("double")
    try:
        value = float(text)
    except ValueError as error:
        raise no_conversion("double") from error
    if math.isinf(value) and any(char.isdigit() for char in text):
        raise no_conversion("double")
    return value


_PLAIN: Final = 6  # digits before the point, beyond which an exponent is written


def number_text(value: float) -> str:
    """A double as text, as Go's `FormatFloat(value, 'g', -1, 64)` writes it."""
    if not math.isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"  # noqa: PLR0124 (not a number)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    kept = "".join(map(str, digits)).rstrip("0") or "0"
    power = int(exponent) + len(digits) - 1 if value else 0
    minus = "-" if sign else ""
    if not -4 <= power < _PLAIN:
        fraction = f".{kept[1:]}" if len(kept) > 1 else ""
        return f"{minus}{kept[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02}"
    if power < 0:
        return f"{minus}0.{'0' * (-power - 1)}{kept}"
    whole = kept[: power + 1].ljust(power + 1, "0")
    return f"{minus}{whole}.{kept[power + 1 :]}" if len(kept) > power + 1 else f"{minus}{whole}"


_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def _text_to_bool(text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise no_conversion("bool")


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from error


def _same(value: Any) -> Any:
    return value


def _type(value: Any) -> TypeValue:
    return TypeValue(name_of(value))


def _size(value: Any) -> int:
    return len(value)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    **OPERATORS,
    "size": tuple(
        Overload((kind,), INT, _size, member) for kind in (STRING, BYTES, _LIST, _MAP) for member in (False, True)
    ),
    "contains": (Overload((STRING, STRING), BOOL, lambda text, part: part in text, member=True),),
    "startsWith": (Overload((STRING, STRING), BOOL, lambda text, part: text.startswith(part), member=True),),
    "endsWith": (Overload((STRING, STRING), BOOL, lambda text, part: text.endswith(part), member=True),),
    "matches": tuple(
        Overload((STRING, STRING), BOOL, matches, member, prepare=_prepare_matches) for member in (False, True)
    ),
    "int": (
        Overload((INT,), INT, _same),
        Overload((UINT,), INT, _to_int),
        Overload((DOUBLE,), INT, _to_int),
        Overload((STRING,), INT, _text_to_int),
        Overload((TIMESTAMP,), INT, lambda value: value.nanoseconds // 10**9),
        Overload((DURATION,), INT, lambda value: value.nanoseconds),
    ),
    "uint": (
        Overload((UINT,), UINT, _same),
        Overload((INT,), UINT, _to_uint),
        Overload((DOUBLE,), UINT, _to_uint),
        Overload((STRING,), UINT, _text_to_uint),
    ),
    "double": (
        Overload((DOUBLE,), DOUBLE, _same),
        Overload((INT,), DOUBLE, float),
        Overload((UINT,), DOUBLE, float),
        Overload((STRING,), DOUBLE, _text_to_double),
    ),
    "string": (
        Overload((STRING,), STRING, _same),
        Overload((INT,), STRING, str),
        Overload((UINT,), STRING, lambda value: str(int(value))),
        Overload((DOUBLE,), STRING, number_text),
        Overload((BOOL,), STRING, lambda value: "true" if value else "false"),
        Overload((BYTES,), STRING, _decode),
        Overload((TIMESTAMP,), STRING, times.timestamp_text),
        Overload((DURATION,), STRING, times.duration_text),
    ),
    "bytes": (Overload((BYTES,), BYTES, _same), Overload((STRING,), BYTES, lambda text: text.encode())),
    "bool": (Overload((BOOL,), BOOL, _same), Overload((STRING,), BOOL, _text_to_bool)),
    "timestamp": (
        Overload((TIMESTAMP,), TIMESTAMP, _same),
        Overload((STRING,), TIMESTAMP, times.parse_timestamp),
        Overload((INT,), TIMESTAMP, lambda seconds: operators.timestamp(seconds * 10**9)),
    ),
    "duration": (
        Overload((DURATION,), DURATION, _same),
        Overload((STRING,), DURATION, times.parse_duration_text),
        Overload((INT,), DURATION, operators.duration),
    ),
    "dyn": (Overload((A,), DYN, _same),),
    "type": (Overload((A,), Type("type", (A,)), _type),),
    **times.FUNCTIONS,
}
