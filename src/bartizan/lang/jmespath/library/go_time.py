"""Times read by Go's reference layouts, such as `2006-01-02T15:04:05Z07:00`.

Source: Go's `time` package, "Constants" and `Parse`. A layout is the time
Mon Jan 2 15:04:05 MST 2006 written the way the text is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bartizan.lang.jmespath.library.moments import SECOND, Moment, civil_from_days, days_from_civil, days_in, is_leap

if TYPE_CHECKING:
    from collections.abc import Callable

RFC3339: Final = "2006-01-02T15:04:05Z07:00"

_TOKENS: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST"
    r"|[Z-]07:00:00|[Z-]070000|[Z-]07:00|[Z-]0700|[Z-]07"
    r"|_(?=2006)|__2|_2|002|0[1-6]|15|2006|PM|pm|[.,](?:0+|9+)(?![0-9])|[1-5]"
)
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ONE_OR_TWO: Final = re.compile(r"\d\d?", re.ASCII)
_TWO: Final = re.compile(r"\d\d", re.ASCII)
_UP_TO_THREE: Final = re.compile(r"\d{1,3}", re.ASCII)
_THREE: Final = re.compile(r"\d{3}", re.ASCII)
_FOUR: Final = re.compile(r"\d{4}", re.ASCII)
_FRACTION: Final = re.compile(r"[.,](\d+)", re.ASCII)
_OFFSETS: Final = {
    "07": re.compile(r"([+-])(\d\d)", re.ASCII),
    "0700": re.compile(r"([+-])(\d\d)(\d\d)", re.ASCII),
    "07:00": re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII),
    "070000": re.compile(r"([+-])(\d\d)(\d\d)(\d\d)", re.ASCII),
    "07:00:00": re.compile(r"([+-])(\d\d):(\d\d):(\d\d)", re.ASCII),
}
_SECONDS: Final = {"05": _TWO, "5": _ONE_OR_TWO}
_ZONE_NAME: Final = re.compile(
    r"ChST|MeST|GMT(?:[+-](?:2[0-3]|[01]?\d)(?!\d))?|[+-](?:2[0-3]|[01]\d)(?!\d)"
    r"|[A-Z]{4}T(?![A-Z])|(?:[A-Z]{3}T|WITA)(?![A-Z])|[A-Z]{3}(?![A-Z])",
    re.ASCII,
)


class LayoutError(ValueError):
    """A time is not written as its layout says."""


@dataclass(slots=True)
class _Reading:
    """The text being read, how far, and what it said."""

    text: str
    at: int = 0
    year: int = 0
    month: int | None = None
    day: int | None = None
    year_day: int | None = None
    hour: int = 0
    minute: int = 0
    second: int = 0
    nanosecond: int = 0
    half: str = ""
    offset: int | None = None
    zone_name: str = ""

    def take(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        """What the pattern matches here, and step over it."""
        match = pattern.match(self.text, self.at)
        if not match:
            raise LayoutError(f"no {what} at `{self.text[self.at : self.at + 20]}`")
        self.at = match.end()
        return match

    def end(self) -> None:
        """Check that nothing is left."""
        if self.at != len(self.text):
            raise LayoutError(f"extra text `{self.text[self.at : self.at + 20]}`")

    def number(self, pattern: re.Pattern[str], what: str, least: int, most: int) -> int:
        """A number within bounds."""
        value = int(self.take(pattern, what).group())
        if not least <= value <= most:
            raise LayoutError(f"{what} {value} is out of range")
        return value

    def skip_spaces(self, most: int) -> None:
        """Step over up to `most` spaces."""
        while most and self.text.startswith(" ", self.at):
            self.at, most = self.at + 1, most - 1


def parse_time(layout: str, text: str) -> Moment:
    """Read a time; without a zone it is UTC.

    Raises:
        LayoutError: the text does not follow the layout.
    """
    reading = _Reading(text)
    try:
        for step in _steps(layout):
            step(reading)
        reading.end()
        return _moment(reading)
    except LayoutError as error:
        raise LayoutError(f"`{text[:100]}` is not written as `{layout[:100]}`: {error}") from error


@lru_cache(maxsize=256)
def _steps(layout: str) -> tuple[Callable[[_Reading], None], ...]:
    """A layout as the steps that read its parts in order."""
    steps: list[Callable[[_Reading], None]] = []
    at = 0
    tokens = list(_TOKENS.finditer(layout))
    for index, token in enumerate(tokens):
        steps.append(_literal(layout[at : token.start()]))
        follower = tokens[index + 1].group() if index + 1 < len(tokens) else ""
        steps.append(_part(token.group(), follower))
        at = token.end()
    return (*steps, _literal(layout[at:]))


def _literal(wanted: str) -> Callable[[_Reading], None]:
    """Text that must stand there; a run of spaces stands for any run of them."""

    def read(reading: _Reading) -> None:
        left = wanted
        while left:
            if left[0] == " ":
                if reading.at < len(reading.text) and reading.text[reading.at] != " ":
                    raise LayoutError(f"no space at `{reading.text[reading.at : reading.at + 20]}`")
                left = left.lstrip(" ")
                reading.skip_spaces(len(reading.text))
            elif reading.text.startswith(left[0], reading.at):
                left, reading.at = left[1:], reading.at + 1
            else:
                raise LayoutError(f"no `{left[:20]}` at `{reading.text[reading.at : reading.at + 20]}`")

    return read


def _part(token: str, follower: str) -> Callable[[_Reading], None]:
    if token == "_":  # noqa: S105 (a letter of the layout, no secret)
        return _literal("_")
    if token[0] in ".,":
        return _fraction(len(token) - 1, exact=token[1] == "0")
    if token[0] in "Z-":
        return _offset(_OFFSETS[token[1:]], zulu=token[0] == "Z")
    if token in _SECONDS:
        return _seconds(_SECONDS[token], fraction=follower[:1] not in (".", ","))
    return _READERS[token]


def _number(field: str, pattern: re.Pattern[str], least: int, most: int, spaces: int = 0) -> Callable[[_Reading], None]:
    def read(reading: _Reading) -> None:
        reading.skip_spaces(spaces)
        setattr(reading, field, reading.number(pattern, field.replace("_", " "), least, most))

    return read


def _short_year(reading: _Reading) -> None:
    year = reading.number(_TWO, "year", 0, 99)
    reading.year = year + (1900 if year >= 69 else 2000)


def _name(names: tuple[str, ...], *, short: bool, keep: bool) -> Callable[[_Reading], None]:
    """A month or, to be checked and forgotten, a day of the week."""

    def read(reading: _Reading) -> None:
        for number, full in enumerate(names, 1):
            name = full[:3] if short else full
            if reading.text[reading.at : reading.at + len(name)].lower() == name:
                reading.at += len(name)
                if keep:
                    reading.month = number
                return
        raise LayoutError(
            f"no name of a {'month' if keep else 'day'} at `{reading.text[reading.at : reading.at + 20]}`"
        )

    return read


def _half(words: tuple[str, str]) -> Callable[[_Reading], None]:
    def read(reading: _Reading) -> None:
        word = reading.text[reading.at : reading.at + 2]
        if word not in words:
            raise LayoutError(f"no `{words[0]}` or `{words[1]}` at `{reading.text[reading.at : reading.at + 20]}`")
        reading.half, reading.at = word.upper(), reading.at + 2

    return read


def _seconds(pattern: re.Pattern[str], *, fraction: bool) -> Callable[[_Reading], None]:
    """Seconds, and a fraction even where the layout has none."""

    def read(reading: _Reading) -> None:
        reading.second = reading.number(pattern, "second", 0, 59)
        if fraction and _FRACTION.match(reading.text, reading.at):
            reading.nanosecond = _nanoseconds(reading.take(_FRACTION, "fraction").group(1))

    return read


def _fraction(digits: int, *, exact: bool) -> Callable[[_Reading], None]:
    wanted = re.compile(rf"[.,](\d{{{digits}}})" if exact else _FRACTION.pattern, re.ASCII)

    def read(reading: _Reading) -> None:
        if exact or wanted.match(reading.text, reading.at):
            reading.nanosecond = _nanoseconds(reading.take(wanted, "fraction").group(1))

    return read


def _nanoseconds(digits: str) -> int:
    return int(digits[:9].ljust(9, "0"))


def _offset(pattern: re.Pattern[str], *, zulu: bool) -> Callable[[_Reading], None]:
    def read(reading: _Reading) -> None:
        if zulu and reading.text.startswith("Z", reading.at):
            reading.at, reading.offset = reading.at + 1, 0
            return
        sign, *parts = reading.take(pattern, "offset").groups()
        hours, minutes, seconds = (*map(int, parts), 0, 0)[:3]
        if hours > 24 or minutes > 60 or seconds > 60:  # Go's own bounds, which take in 24:00 and 60
            raise LayoutError("offset is out of range")
        reading.offset = (hours * 3600 + minutes * 60 + seconds) * (-1 if sign == "-" else 1)

    return read


def _zone(reading: _Reading) -> None:
    if reading.text.startswith("UTC", reading.at):
        reading.at, reading.offset = reading.at + 3, 0
        return
    reading.zone_name = reading.take(_ZONE_NAME, "time zone").group()


_READERS: Final = {
    "January": _name(_MONTHS, short=False, keep=True),
    "Jan": _name(_MONTHS, short=True, keep=True),
    "Monday": _name(_DAYS, short=False, keep=False),
    "Mon": _name(_DAYS, short=True, keep=False),
    "MST": _zone,
    "2006": _number("year", _FOUR, 0, 9999),
    "06": _short_year,
    "01": _number("month", _TWO, 1, 12),
    "1": _number("month", _ONE_OR_TWO, 1, 12),
    "02": _number("day", _TWO, 0, 99),
    "2": _number("day", _ONE_OR_TWO, 0, 99),
    "_2": _number("day", _ONE_OR_TWO, 0, 99, spaces=1),
    "002": _number("year_day", _THREE, 0, 999),
    "__2": _number("year_day", _UP_TO_THREE, 0, 999, spaces=2),
    "15": _number("hour", _ONE_OR_TWO, 0, 23),
    "03": _number("hour", _TWO, 0, 12),
    "3": _number("hour", _ONE_OR_TWO, 0, 12),
    "04": _number("minute", _TWO, 0, 59),
    "4": _number("minute", _ONE_OR_TWO, 0, 59),
    "PM": _half(("AM", "PM")),
    "pm": _half(("am", "pm")),
}


def _moment(reading: _Reading) -> Moment:
    days = _days(reading)
    hour = reading.hour
    if reading.half == "PM" and hour < 12:
        hour += 12
    elif reading.half == "AM" and hour == 12:
        hour = 0
    seconds = days * 86_400 + hour * 3600 + reading.minute * 60 + reading.second
    if reading.offset is not None:
        return Moment((seconds - reading.offset) * SECOND + reading.nanosecond, reading.offset)
    # a name says nothing certain about an offset; only `GMT+3` does, and Go does not move the clock for it
    offset = int(reading.zone_name[3:]) * 3600 if reading.zone_name[:3] == "GMT" and reading.zone_name[3:] else 0
    return Moment(seconds * SECOND + reading.nanosecond, offset)


def _days(reading: _Reading) -> int:
    year, month, day = reading.year, reading.month, reading.day
    if reading.year_day is not None:
        if not 1 <= reading.year_day <= 365 + is_leap(year):
            raise LayoutError("day of the year is out of range")
        days = days_from_civil(year, 1, 1) + reading.year_day - 1
        _, found_month, found_day = civil_from_days(days)
        if month not in (None, found_month) or day not in (None, found_day):
            raise LayoutError("day of the year is another than month and day")
        return days
    month, day = month if month is not None else 1, day if day is not None else 1
    if not 1 <= day <= days_in(year, month):
        raise LayoutError("day is out of range")
    return days_from_civil(year, month, day)
