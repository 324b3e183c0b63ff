"""A moment: nanoseconds since 1970 and the offset it is written in.

Not a `datetime`, which ends at microseconds and begins in the year 1: Go's
times go on on both sides, and `time_parse` of a bare `15:04` is in the year 0.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

SECOND: Final = 1_000_000_000
_DAY: Final = 86_400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO_SECONDS: Final = -62_135_596_800  # the first of January of the year 1, from where Go truncates
_ERA_DAYS: Final = 146_097  # 400 years
_EPOCH_DAYS: Final = 719_468  # from 0000-03-01 to 1970-01-01


class Moment(NamedTuple):
    """Units: nanoseconds since 1970-01-01 UTC, and seconds east of UTC."""

    nanoseconds: int
    offset: int = 0


def from_datetime(time: datetime) -> Moment:
    """A moment from a `datetime` that knows its zone."""
    offset = time.utcoffset() or timedelta()
    return Moment((time - _EPOCH) // timedelta(microseconds=1) * 1000, offset // timedelta(seconds=1))


def truncate(moment: Moment, step: int) -> Moment:
    """Round down to a multiple of `step` nanoseconds since the year 1; no step changes nothing."""
    if step <= 0:
        return moment
    since = moment.nanoseconds - _ZERO_SECONDS * SECOND
    return moment._replace(nanoseconds=moment.nanoseconds - since % step)


def write_rfc3339(moment: Moment) -> str:
    """Write by the layout `2006-01-02T15:04:05Z07:00`: whole seconds, and `Z` for UTC."""
    days, second = divmod(moment.nanoseconds // SECOND + moment.offset, _DAY)
    year, month, day = civil_from_days(days)
    sign = "-" if year < 0 else ""
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{sign}{abs(year):04d}-{month:02d}-{day:02d}T{clock}{_zone(moment.offset)}"


def _zone(offset: int) -> str:
    minutes = abs(offset) // 60
    if offset == 0:
        return "Z"
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar; the year starts in March to put leap days last."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA_DAYS + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _EPOCH_DAYS


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Year, month and day; the inverse of `days_from_civil`."""
    era, of_era = divmod(days + _EPOCH_DAYS, _ERA_DAYS)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = (shifted + 2) % 12 + 1
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def is_leap(year: int) -> bool:
    """Whether the year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in(year: int, month: int) -> int:
    """The length of a month."""
    return 29 if month == 2 and is_leap(year) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
