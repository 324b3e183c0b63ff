"""Cron schedules, and when they come next: five fields, with a year behind or seconds before and a year behind.

The syntax is that of `cronexpr`, which Kyverno's controllers run by: `L`, `W`
and `#` for days, names of months and days, `?` for `*`, and `@daily` and its
like. Where both the day of the month and the day of the week are narrowed,
either is enough. Moments are in UTC, for so are the clocks of controllers.

A library was weighed: those that are kept well read `*/2` as `*` when they
combine the two kinds of days, or put the seconds last.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONG_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_LONG_DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MAX_CHARS: Final = 1000
_SPAN: Final = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d{1,4}))?", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,4}", re.ASCII)
_NEAR: Final = re.compile(r"(\d{1,2})w", re.ASCII)
_LAST: Final = re.compile(r"([a-z]+|\d)l", re.ASCII)
_NTH: Final = re.compile(r"([a-z]+|\d)#([1-5])", re.ASCII)
_SATURDAY: Final = 5
"""As `datetime.weekday` counts, from Monday."""


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: Mapping[str, int]


_SECOND: Final = _Field("second", 0, 59, {})
_MINUTE: Final = _Field("minute", 0, 59, {})
_HOUR: Final = _Field("hour", 0, 23, {})
_DAY: Final = _Field("day of the month", 1, 31, {})
_MONTH: Final = _Field(
    "month", 1, 12, {word: at for words in (_MONTHS, _LONG_MONTHS) for at, word in enumerate(words, 1)}
)
_WEEKDAY: Final = _Field(
    "day of the week", 0, 6, {word: at for words in (_DAYS, _LONG_DAYS) for at, word in enumerate(words)} | {"7": 0}
)
_YEAR: Final = _Field("year", 1970, 2099, {})


@dataclass(frozen=True, slots=True)
class _DaysOfMonth:
    """Days by number; `near` are those moved to the nearest working day."""

    plain: frozenset[int]
    near: frozenset[int]
    last: bool
    last_working: bool

    def in_month(self, year: int, month: int, length: int) -> set[int]:
        days = {day for day in self.plain if day <= length}
        days |= {_working(year, month, day, length) for day in self.near if day <= length}
        if self.last:
            days.add(length)
        if self.last_working:
            days.add(_working(year, month, length, length))
        return days


@dataclass(frozen=True, slots=True)
class _DaysOfWeek:
    """Days by their weekday, from Sunday: every one, the nth, or the last of a month."""

    every: frozenset[int]
    nth: frozenset[tuple[int, int]]
    last: frozenset[int]

    def in_month(self, year: int, month: int, length: int) -> set[int]:
        offset = datetime(year, month, 1, tzinfo=UTC).isoweekday() % 7
        weekday = {day: (offset + day - 1) % 7 for day in range(1, length + 1)}
        return {
            day
            for day, of_week in weekday.items()
            if of_week in self.every
            or (of_week, (day - 1) // 7 + 1) in self.nth
            or (of_week in self.last and day > length - 7)
        }


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule. `has_five_fields` is whether every cron would read it: no seconds, years, `L`, `W` or `#`."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    has_five_fields: bool
    _of_month: _DaysOfMonth | None
    _of_week: _DaysOfWeek | None

    def days(self, year: int, month: int) -> list[int]:
        """The days of a month on which it comes, in order."""
        length = monthrange(year, month)[1]
        if self._of_month is None and self._of_week is None:
            return list(range(1, length + 1))
        found: set[int] = set()
        for part in (self._of_month, self._of_week):
            if part is not None:
                found |= part.in_month(year, month, length)
        return sorted(found)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time it comes later than `moment`, in UTC; `None` where it never comes again.

        Bounded: it looks at each month up to 2099 at most once.
        """
        if moment.year > _YEAR.high:
            return None
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for year in self.years[bisect_left(self.years, start.year) :]:
            first = start.month if year == start.year else 1
            for month in self.months[bisect_left(self.months, first) :]:
                found = self._in_month(year, month, start)
                if found is not None:
                    return found
        return None

    def _in_month(self, year: int, month: int, start: datetime) -> datetime | None:
        for day in self.days(year, month):
            midnight = datetime(year, month, day, tzinfo=UTC)
            if midnight > start:
                return midnight.replace(hour=self.hours[0], minute=self.minutes[0], second=self.seconds[0])
            if midnight.date() == start.date():
                found = self._in_day(start)
                if found is not None:
                    return found
        return None

    def _in_day(self, start: datetime) -> datetime | None:
        """The first time on the day of `start` that is not before it."""
        for hour in self.hours[bisect_left(self.hours, start.hour) :]:
            if hour > start.hour:
                return start.replace(hour=hour, minute=self.minutes[0], second=self.seconds[0])
            if start.minute in self.minutes:
                left = self.seconds[bisect_left(self.seconds, start.second) :]
                if left:
                    return start.replace(second=left[0])
            later = self.minutes[bisect_right(self.minutes, start.minute) :]
            if later:
                return start.replace(minute=later[0], second=self.seconds[0])
        return None


def parse_cron(text: str) -> Cron:
    """Read a schedule.

    Raises:
        SpecError: it is none, or no day is such a day.
    """
    if len(text) > _MAX_CHARS:
        raise SpecError("a schedule of more than 1000 characters", hint="Write five fields, such as `0 3 * * *`.")
    fields = _fields(text)
    optional = len(fields) - 5
    second = fields.pop(0) if optional == 2 else "0"
    minute, hour, day, month, weekday, *year = fields
    of_month, of_week = _days_of_month(day), _days_of_week(weekday)
    cron = Cron(
        text=text,
        seconds=_values(second, _SECOND),
        minutes=_values(minute, _MINUTE),
        hours=_values(hour, _HOUR),
        months=_values(month, _MONTH),
        years=_values(year[0], _YEAR) if year else tuple(range(_YEAR.low, _YEAR.high + 1)),
        has_five_fields=not optional and not _is_special(of_month, of_week),
        _of_month=of_month,
        _of_week=of_week,
    )
    if cron.next_after(datetime(_YEAR.low, 1, 1, tzinfo=UTC) - timedelta(seconds=1)) is None:
        raise SpecError(f"the schedule `{text}` never comes", hint="No month it names has such a day.")
    return cron


def _fields(text: str) -> list[str]:
    if text.strip().startswith("@"):
        whole = " ".join(text.split())
        if whole not in _ALIASES:
            raise SpecError(f"no schedule is called `{text.strip()}`", hint=did_you_mean(whole, _ALIASES))
        return _ALIASES[whole].split()
    given = text.lower().split()
    if not 5 <= len(given) <= 7:
        hint = "Write minute, hour, day of the month, month and day of the week, such as `0 3 * * *`."
        raise SpecError(f"the schedule `{text}` has {len(given)} fields", hint=hint)
    return given


def _is_special(of_month: _DaysOfMonth | None, of_week: _DaysOfWeek | None) -> bool:
    return bool(
        (of_month and (of_month.near or of_month.last or of_month.last_working))
        or (of_week and (of_week.nth or of_week.last))
    )


def _values(text: str, field: _Field) -> tuple[int, ...]:
    found: set[int] = set()
    for entry in _entries(text, field):
        found.update(_span(entry, field))
    return tuple(sorted(found))


def _entries(text: str, field: _Field) -> list[str]:
    entries = [entry for entry in text.split(",") if entry]
    if not entries:
        raise _bad(text, field)
    return entries


def _span(entry: str, field: _Field) -> Iterable[int]:
    """`*`, `5`, `1-5`, each with `/2` or not."""
    match = _SPAN.fullmatch("*" if entry == "?" else entry)
    if match is None:
        raise _bad(entry, field)
    first, last, step = match.groups()
    if first == "*":
        if last is not None:
            raise _bad(entry, field)
        low, high = field.low, field.high
    else:
        low = _value(first, entry, field)
        high = _value(last, entry, field) if last else field.high if step else low
    width = int(step or 1)
    if not 1 <= width <= field.high or high < low:
        raise _bad(entry, field)
    return range(low, high + 1, width)


def _value(text: str, entry: str, field: _Field) -> int:
    if text in field.words:
        return field.words[text]
    if not _NUMBER.fullmatch(text) or not field.low <= int(text) <= field.high or len(text) > len(str(field.high)) + 1:
        raise _bad(entry, field)
    if field is _WEEKDAY and len(text) > 1:
        hint = f"Write `{int(text)}`: the controller takes `{text}` for Sunday."
        raise SpecError(f"the day of the week `{entry}` means another day to Kyverno's controller", hint=hint)
    return int(text)


def _days_of_month(text: str) -> _DaysOfMonth | None:
    plain: set[int] = set()
    near: set[int] = set()
    entries = _entries(text, _DAY)
    for entry in entries:
        moved = _NEAR.fullmatch(entry)
        if moved:
            near.add(_value(moved.group(1), entry, _DAY))
        elif entry not in ("l", "lw"):
            plain.update(_span(entry, _DAY))
    if {"*", "?"} & set(entries):
        return None
    return _DaysOfMonth(frozenset(plain), frozenset(near), "l" in entries, "lw" in entries)


def _days_of_week(text: str) -> _DaysOfWeek | None:
    every: set[int] = set()
    nth: set[tuple[int, int]] = set()
    last: set[int] = set()
    entries = _entries(text, _WEEKDAY)
    for entry in entries:
        counted, final = _NTH.fullmatch(entry), _LAST.fullmatch(entry)
        if counted:
            nth.add((_value(counted.group(1), entry, _WEEKDAY), int(counted.group(2))))
        elif final:
            last.add(_value(final.group(1), entry, _WEEKDAY))
        else:
            every.update(_span(entry, _WEEKDAY))
    return None if {"*", "?"} & set(entries) else _DaysOfWeek(frozenset(every), frozenset(nth), frozenset(last))


def _working(year: int, month: int, day: int, length: int) -> int:
    """The working day nearest to a day, in the same month."""
    weekday = datetime(year, month, day, tzinfo=UTC).weekday()
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday > _SATURDAY:
        return day + 1 if day < length else day - 2
    return day


def _bad(entry: str, field: _Field) -> SpecError:
    hint = f"Write numbers from {field.low} to {field.high}, ranges such as `{field.low}-{field.high}`, or `*/2`."
    return SpecError(f"`{entry}` is no {field.name} of a schedule", hint=hint)
