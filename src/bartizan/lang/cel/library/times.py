"""Moments and lengths of time: reading, writing, and their parts in any time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from bartizan.base.duration import parse_duration
from bartizan.lang.cel import operators
from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError, no_conversion
from bartizan.lang.cel.library.quoting import quoted
from bartizan.lang.cel.types import DURATION, INT, STRING, TIMESTAMP
from bartizan.lang.cel.values import Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.values import Duration

_SECOND: Final = 10**9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_WHOLE: Final = re.compile(r"[+-]?\d{1,6}", re.ASCII)
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
    nanoseconds = int((fraction or "0").ljust(9, "0"))
    if not sign:
        return operators.timestamp(seconds * _SECOND + nanoseconds)
    if int(hours) > 24 or int(minutes) > 60:
        raise no_conversion("google.protobuf.Timestamp")
    offset = (int(hours) * 60 + int(minutes)) * (1 if sign == "+" else -1)
    return Timestamp(operators.timestamp((seconds - offset * 60) * _SECOND + nanoseconds).nanoseconds, offset)


def timestamp_text(value: Timestamp) -> str:
    """Write a moment as RFC 3339 has it, in UTC, or in the zone that it was read in."""
    seconds, fraction = divmod(value.nanoseconds, _SECOND)
    try:
        moment = _EPOCH + timedelta(seconds=seconds + value.offset * 60)
    except OverflowError as error:
        raise CelError("timestamp overflow") from error
    hours, minutes = divmod(abs(value.offset), 60)
    zone = f"{'-' if value.offset < 0 else '+'}{hours:02}:{minutes:02}" if value.offset else "Z"
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}{_fraction(fraction)}{zone}"


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
def _zone(name: str) -> tzinfo | timedelta:
    """A time zone by its name, or a length of time from UTC."""
    if name in _HERE:
        return UTC
    if ":" in name:
        return _offset(name)
    if _ZONE.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, KeyError):  # no such file, or one that is no zone
            pass
    if ".." in name or name.startswith("/") or "\\" in name:
        raise CelError("time: invalid location name")
    raise CelError(f"unknown time zone {name[:80]}")


def _offset(name: str) -> timedelta:
    for part in name.split(":", 1):
        if not _WHOLE.fullmatch(part):
            raise CelError(f"strconv.Atoi: parsing {quoted(part[:80])}: invalid syntax")
    hours, minutes = map(int, name.split(":", 1))
    return timedelta(hours=hours, minutes=-minutes if hours < 0 or name.startswith("-") else minutes)


def _part(read: Callable[[datetime], int]) -> tuple[Overload, ...]:
    def at_utc(value: Timestamp) -> int:
        return read(_EPOCH + timedelta(seconds=value.nanoseconds // _SECOND))

    def at_zone(value: Timestamp, name: str) -> int:
        moment = _EPOCH + timedelta(seconds=value.nanoseconds // _SECOND)
        try:
            zone = _zone(name)
            return read(moment + zone if isinstance(zone, timedelta) else moment.astimezone(zone))
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
