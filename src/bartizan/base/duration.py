"""Durations as Go writes them: `1h30m`, `-1.5s`, `300ms`. Unit of every value here: nanoseconds."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Final

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(r"(?<![\d.])(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE: Final = re.compile(rf"([+-]?)((?:{_PART.pattern})+)", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)
_MAX_CHARS: Final = 64
SECOND: Final = _UNITS["s"]


@lru_cache(maxsize=8192)
def parse_duration(text: str) -> int | None:
    """Read a duration in nanoseconds; `None` where the text is none. `0` needs no unit."""
    if text in ("0", "+0", "-0"):
        return 0
    if len(text) > _MAX_CHARS:
        return None
    match = _WHOLE.fullmatch(text)
    if not match:
        return None
    total = sum(int(Fraction(number.rstrip(".")) * _UNITS[unit]) for number, unit in _PART.findall(match.group(2)))
    value = -total if match.group(1) == "-" else total
    return value if value in _INT64 else None


def clamp_duration(nanoseconds: int) -> int:
    """The nearest duration that 64 bits hold, as Go's `Time.Sub` gives it."""
    return max(_INT64.start, min(nanoseconds, _INT64.stop - 1))


def format_duration(nanoseconds: int) -> str:
    """Write a duration as Go's `String` does: `1h30m0s`, `1.5s`, `300ms`."""
    if nanoseconds == 0:
        return "0s"
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if left < SECOND:
        for unit in ("ms", "µs", "ns"):
            if left >= _UNITS[unit]:
                return f"{sign}{_decimal(left, _UNITS[unit])}{unit}"
    hours, left = divmod(left, _UNITS["h"])
    minutes, left = divmod(left, _UNITS["m"])
    seconds = f"{_decimal(left, SECOND)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")
