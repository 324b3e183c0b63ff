"""Times written by Go's reference layouts, such as `2006-01-02T15:04:05Z07:00`.

Source: Go's `time` package, "Constants" and `Time.Format`. Times keep their
nanoseconds: a moment is a `datetime` in its zone and the nanoseconds in it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

RFC3339: Final = "2006-01-02T15:04:05Z07:00"

_TOKENS: Final = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|Z07:00:00|Z07:00|Z070000|Z0700|Z07|-07:00:00|-07:00|-070000|-0700|-07"
    r"|002|01|02|03|04|05|06|15|PM|pm|_2|[.,]0+|[.,]9+|1|2|3|4|5"
)
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July")
_MONTHS_ALL: Final = (*_MONTHS, "August", "September", "October", "November", "December")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PATTERNS: Final = {
    "January": r"(?P<month_name>[A-Za-z]+)",
    "Jan": r"(?P<month_name>[A-Za-z]{3})",
    "Monday": r"(?:[A-Za-z]+)",
    "Mon": r"(?:[A-Za-z]{3})",
    "MST": r"(?P<zone_name>[A-Z]{3,5}(?:[+-]\d{1,2})?)",
    "2006": r"(?P<year>\d{4})",
    "06": r"(?P<short_year>\d{2})",
    "01": r"(?P<month>\d{2})",
    "1": r"(?P<month>\d{1,2})",
    "02": r"(?P<day>\d{2})",
    "_2": r"(?P<day>[ \d]\d)",
    "2": r"(?P<day>\d{1,2})",
    "002": r"(?P<year_day>\d{3})",
    "15": r"(?P<hour>\d{1,2})",
    "03": r"(?P<hour12>\d{2})",
    "3": r"(?P<hour12>\d{1,2})",
    "04": r"(?P<minute>\d{2})",
    "4": r"(?P<minute>\d{1,2})",
    "05": r"(?P<second>\d{2})(?P<auto_fraction>[.,]\d+)?",
    "5": r"(?P<second>\d{1,2})(?P<auto_fraction>[.,]\d+)?",
    "PM": r"(?P<half>AM|PM)",
    "pm": r"(?P<half>am|pm)",
}
_ZONE: Final = r"(?P<zone>[+-]\d{2}(?::?\d{2})?(?::?\d{2})?)"


class LayoutError(ValueError):
    """A time is not written as its layout says."""


def parse_time(layout: str, text: str) -> datetime:
    """Read a time; without a zone it is UTC.

    Raises:
        LayoutError: the text does not follow the layout.
    """
    match = re.fullmatch(_expression(layout), text)
    if not match:
        raise LayoutError(f"`{text[:100]}` is not written as `{layout[:100]}`")
    parts = {name: value for name, value in match.groupdict().items() if value is not None}
    try:
        return _build(parts)
    except ValueError as error:
        raise LayoutError(f"`{text[:100]}`: {error}") from error


def _expression(layout: str) -> str:
    made: list[str] = []
    seen: set[str] = set()
    at = 0
    for token in _TOKENS.finditer(layout):
        made += [re.escape(layout[at : token.start()]), _once(_pattern(token.group()), seen)]
        at = token.end()
    made.append(re.escape(layout[at:]))
    return "".join(made)


def _pattern(token: str) -> str:
    if token[0] in "Z-" and token[1:3] == "07":
        return f"(?:(?P<utc>Z)|{_ZONE})" if token[0] == "Z" else _ZONE
    if token[0] in ".,":
        return r"(?P<fraction>[.,]\d+)" if token[1] == "0" else r"(?P<fraction>[.,]\d+)?"
    return _PATTERNS[token]


def _once(pattern: str, seen: set[str]) -> str:
    """A layout may repeat a part; only the first is kept."""
    for name in re.findall(r"\?P<(\w+)>", pattern):
        if name in seen:
            pattern = pattern.replace(f"?P<{name}>", "?:")
        seen.add(name)
    return pattern


def _build(parts: dict[str, str]) -> datetime:
    year = int(parts.get("year", 0)) if "year" in parts else _full_year(parts)
    month = _month(parts)
    hour = int(parts.get("hour", parts.get("hour12", 0)))
    if "half" in parts:
        hour = hour % 12 + (12 if parts["half"].upper() == "PM" else 0)
    digits = parts.get("fraction") or parts.get("auto_fraction") or ".0"
    micro = int(digits[1:7].ljust(6, "0"))
    # Go's year 0 stands for "no year"; Python starts at 1
    moment = datetime(
        max(year, 1),
        month,
        int(parts.get("day", 1)),
        hour,
        int(parts.get("minute", 0)),
        int(parts.get("second", 0)),
        micro,
        tzinfo=_zone(parts),
    )
    if "year_day" in parts:
        moment = moment.replace(month=1, day=1) + timedelta(days=int(parts["year_day"]) - 1)
    return moment


def _full_year(parts: dict[str, str]) -> int:
    short = int(parts.get("short_year", 0))
    if "short_year" not in parts:
        return 1
    return short + (1900 if short >= 69 else 2000)


def _month(parts: dict[str, str]) -> int:
    if "month_name" not in parts:
        return int(parts.get("month", 1))
    start = parts["month_name"][:3].title()
    for number, name in enumerate(_MONTHS_ALL, 1):
        if name.startswith(start):
            return number
    raise LayoutError(f"no month `{parts['month_name']}`")


def _zone(parts: dict[str, str]) -> timezone:
    text = parts.get("zone")
    if text is None:
        return UTC
    digits = text[1:].replace(":", "").ljust(6, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def format_time(layout: str, moment: datetime) -> str:
    """Write a time by a layout."""
    return _TOKENS.sub(lambda token: _written(token.group(), moment), layout)


def _written(token: str, moment: datetime) -> str:
    if token[0] in "Z-" and token[1:3] == "07":
        return _offset(token, moment)
    if token[0] in ".,":
        digits = f"{moment.microsecond * 1000:09d}"[: len(token) - 1]
        digits = digits if token[1] == "0" else digits.rstrip("0")
        return f"{token[0]}{digits}" if digits else ""
    hour12 = moment.hour % 12 or 12
    words = {
        "January": _MONTHS_ALL[moment.month - 1],
        "Jan": _MONTHS_ALL[moment.month - 1][:3],
        "Monday": _DAYS[moment.weekday()],
        "Mon": _DAYS[moment.weekday()][:3],
        "MST": moment.tzname() or "UTC",
        "2006": f"{moment.year:04d}",
        "06": f"{moment.year % 100:02d}",
        "01": f"{moment.month:02d}",
        "1": str(moment.month),
        "02": f"{moment.day:02d}",
        "_2": f"{moment.day:2d}",
        "2": str(moment.day),
        "002": f"{moment.timetuple().tm_yday:03d}",
        "15": f"{moment.hour:02d}",
        "03": f"{hour12:02d}",
        "3": str(hour12),
        "04": f"{moment.minute:02d}",
        "4": str(moment.minute),
        "05": f"{moment.second:02d}",
        "5": str(moment.second),
        "PM": "PM" if moment.hour >= 12 else "AM",
        "pm": "pm" if moment.hour >= 12 else "am",
    }
    return words[token]


def _offset(token: str, moment: datetime) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    if token[0] == "Z" and seconds == 0:
        return "Z"
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    hours, minutes = divmod(seconds // 60, 60)
    if token[1:] == "07":
        return f"{sign}{hours:02d}"
    return f"{sign}{hours:02d}{':' if ':' in token else ''}{minutes:02d}"
