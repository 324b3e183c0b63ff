"""Moments and lengths of time: reading, writing, and their parts in any time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from bartizan.base.duration import parse_duration
from bartizan.lang.cel import operators
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError, no_conversion
from bartizan.lang.cel.types import DURATION, INT, STRING, TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.values import Duration, Timestamp

_SECOND: Final = 10**9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_OFFSET: Final = re.compile(r"([+-]?)(\d{1,2}):(\d\d)", re.ASCII)
_HERE: Final = frozenset({"", "UTC", "Local"})
"""What stands for the zone of the server, which is UTC."""
_ZONE: Final = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+){0,2}", re.ASCII)


@lru_cache(maxsize=4096)
def parse_timestamp(text: str) -> Timestamp:
    """Read a moment as RFC 3339 writes it.

    Raises:
        CelError: the text is none, or is outside of the years 1 to 9999.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise no_conversion("google.protobuf.Timestamp")
    *numbers, fraction, _zone, sign, hours, minutes = match.groups()
    try:
        moment = datetime(*map(int, numbers), tzinfo=UTC)  # type: ignore[arg-type,misc]  # six numbers, by the pattern
    except ValueError as error:
        raise no_conversion("google.protobuf.Timestamp") from error
    whole = moment - _EPOCH
    seconds = whole.days * 86_400 + whole.seconds
    if sign:
        offset = int(hours) * 3600 + int(minutes) * 60
        seconds -= offset if sign == "+" else -offset
    return operators.timestamp(seconds * _SECOND + int((fraction or "0").ljust(9, "0")))


def timestamp_text(value: Timestamp) -> str:
    """Write a moment as RFC 3339 has it, in UTC."""
    seconds, fraction = divmod(value.nanoseconds, _SECOND)
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}{_fraction(fraction)}Z"


def _fraction(nanoseconds: int) -> str:
    return f".{nanoseconds:09}".rstrip("0") if nanoseconds else ""


def parse_duration_text(text: str) -> Duration:
    """Read a length of time as Go writes it.

    Raises:
        CelError: the text is none, or 64 bits do not hold it.
    """
    nanoseconds = parse_duration(text)
    if nanoseconds is None:
        raise no_conversion("google.protobuf.Duration")
    return operators.duration(nanoseconds)


def duration_text(value: Duration) -> str:
    """Write a length of time in seconds, as the language does: `90s`, `0.5s`."""
    seconds, fraction = divmod(abs(value.nanoseconds), _SECOND)
    return f"{'-' if value.nanoseconds < 0 else ''}{seconds}{_fraction(fraction)}s"


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name in _HERE:
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        sign, hours, minutes = offset.groups()
        if int(minutes) < 60 and int(hours) < 24:
            length = timedelta(hours=int(hours), minutes=int(minutes))
            return timezone(-length if sign == "-" else length)
    elif _ZONE.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, KeyError):  # no such file, or one that is no zone
            pass
    raise CelError(f"unknown time zone {name[:80]}")


def _part(read: Callable[[datetime], int]) -> tuple[Overload, ...]:
    def at_utc(value: Timestamp) -> int:
        return read(_EPOCH + timedelta(seconds=value.nanoseconds // _SECOND))

    def at_zone(value: Timestamp, name: str) -> int:
        moment = _EPOCH + timedelta(seconds=value.nanoseconds // _SECOND)
        try:
            return read(moment.astimezone(_zone(name)))
        except OverflowError as error:
            raise CelError("timestamp overflow") from error

    return (
        Overload((TIMESTAMP,), INT, at_utc, member=True),
        Overload((TIMESTAMP, STRING), INT, at_zone, member=True),
    )


def _of_duration(unit: int) -> Overload:
    def whole(value: Duration) -> int:
        count = abs(value.nanoseconds) // unit
        return -count if value.nanoseconds < 0 else count

    return Overload((DURATION,), INT, whole, member=True)


def _milliseconds(value: Any) -> int:
    return int(value.nanoseconds % _SECOND // 10**6)


def _milliseconds_at(value: Timestamp, name: str) -> int:
    _zone(name)  # refuses what is none; every zone has the same milliseconds
    return _milliseconds(value)


def _duration_milliseconds(value: Duration) -> int:
    rest = abs(value.nanoseconds) % _SECOND // 10**6
    return -rest if value.nanoseconds < 0 else rest


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "getFullYear": _part(lambda moment: moment.year),
    "getMonth": _part(lambda moment: moment.month - 1),
    "getDate": _part(lambda moment: moment.day),
    "getDayOfMonth": _part(lambda moment: moment.day - 1),
    "getDayOfWeek": _part(lambda moment: moment.isoweekday() % 7),
    "getDayOfYear": _part(lambda moment: moment.timetuple().tm_yday - 1),
    "getHours": (*_part(lambda moment: moment.hour), _of_duration(3600 * _SECOND)),
    "getMinutes": (*_part(lambda moment: moment.minute), _of_duration(60 * _SECOND)),
    "getSeconds": (*_part(lambda moment: moment.second), _of_duration(_SECOND)),
    "getMilliseconds": (
        Overload((TIMESTAMP,), INT, _milliseconds, member=True),
        Overload((TIMESTAMP, STRING), INT, _milliseconds_at, member=True),
        Overload((DURATION,), INT, _duration_milliseconds, member=True),
    ),
}
