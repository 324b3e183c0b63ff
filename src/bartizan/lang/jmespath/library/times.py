"""Moments and the time between them. Texts are RFC 3339 unless a layout is given; spans are Go durations."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from bartizan.base.duration import clamp_duration, format_duration, parse_duration
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.go_time import RFC3339, LayoutError, parse_time
from bartizan.lang.jmespath.library.moments import (
    SECOND,
    Moment,
    civil_from_days,
    from_datetime,
    truncate,
    write_rfc3339,
)
from bartizan.lang.jmespath.library.signature import BOOLEAN, STRING, Ambient, define, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.jmespath.library.signature import Function

_WHOLE: Final = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)


@lru_cache(maxsize=4096)
def _read(text: str, layout: str = RFC3339) -> Moment:
    try:
        return parse_time(layout, text)
    except LayoutError as error:
        raise JmesPathError(f"no time: {error}") from error


def _span(text: str) -> int:
    nanoseconds = parse_duration(text)
    if nanoseconds is None:
        raise JmesPathError(f"no duration: `{text[:100]}`; write for example `1h30m`")
    return nanoseconds


def _difference(start: Moment, end: Moment) -> str:
    return format_duration(clamp_duration(end.nanoseconds - start.nanoseconds))


def _add(text: str, span: str) -> str:
    moment = _read(text)
    return write_rfc3339(moment._replace(nanoseconds=moment.nanoseconds + _span(span)))


def _parse(layout: str, text: str) -> str:
    """Read by a layout; a layout that is a whole number says that the text counts seconds since 1970."""
    if not _WHOLE.fullmatch(layout):
        return write_rfc3339(_read(text, layout))
    if not _WHOLE.fullmatch(text) or int(text) not in _INT64:
        raise JmesPathError(f"no time: `{text[:100]}` is not a whole number of seconds")
    return write_rfc3339(Moment(int(text) * SECOND))


def _to_cron(text: str) -> str:
    """The schedule that fires at a moment's own minute, hour, day, month and day of the week, as its zone has them."""
    moment = _read(text)
    days, second = divmod(moment.nanoseconds // SECOND + moment.offset, 86_400)
    _, month, day = civil_from_days(days)
    return f"{second // 60 % 60} {second // 3600} {day} {month} {(days + 4) % 7}"


def _since(ambient: Ambient) -> Callable[[str, str, str], str]:
    def since(layout: str, start: str, end: str) -> str:
        layout = layout or RFC3339
        finish = _read(end, layout) if end else from_datetime(ambient.now())
        return _difference(_read(start, layout), finish)

    return since


def _now(ambient: Ambient) -> Callable[[], str]:
    return lambda: write_rfc3339(from_datetime(ambient.now()))


def _now_utc(ambient: Ambient) -> Callable[[], str]:
    return lambda: write_rfc3339(from_datetime(ambient.now())._replace(offset=0))


def _before(left: str, right: str) -> bool:
    return _read(left).nanoseconds < _read(right).nanoseconds


def _between(text: str, start: str, end: str) -> bool:
    return _before(start, text) and _before(text, end)


_FIXED: Final = table(
    define(
        "time_add",
        _add,
        STRING,
        STRING,
        gives=STRING,
        doc="The moment a duration later.",
        example=("time_add('2026-01-01T00:00:00Z', '1h')", "2026-01-01T01:00:00Z"),
    ),
    define(
        "time_parse",
        _parse,
        STRING,
        STRING,
        gives=STRING,
        doc="A moment read by a layout as Go writes them, or from seconds since 1970 where the layout is a number.",
        example=("time_parse('02.01.2006', '24.12.2026')", "2026-12-24T00:00:00Z"),
    ),
    define(
        "time_to_cron",
        _to_cron,
        STRING,
        gives=STRING,
        doc="The cron schedule that fires at a moment.",
        example=("time_to_cron('2026-01-02T03:04:00Z')", "4 3 2 1 5"),
    ),
    define(
        "time_utc",
        lambda text: write_rfc3339(_read(text)._replace(offset=0)),
        STRING,
        gives=STRING,
        doc="The same moment in UTC.",
        example=("time_utc('2026-01-01T01:00:00+01:00')", "2026-01-01T00:00:00Z"),
    ),
    define(
        "time_diff",
        lambda start, end: _difference(_read(start), _read(end)),
        STRING,
        STRING,
        gives=STRING,
        doc="The time from one moment to another.",
        example=("time_diff('2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z')", "1m0s"),
    ),
    define(
        "time_before",
        _before,
        STRING,
        STRING,
        gives=BOOLEAN,
        doc="Whether the first moment is before the second.",
        example=("time_before('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z')", True),
    ),
    define(
        "time_after",
        lambda left, right: _before(right, left),
        STRING,
        STRING,
        gives=BOOLEAN,
        doc="Whether the first moment is after the second.",
        example=("time_after('2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z')", False),
    ),
    define(
        "time_between",
        _between,
        STRING,
        STRING,
        STRING,
        gives=BOOLEAN,
        doc="Whether the first moment is between the other two.",
        example=("time_between('2026-06-01T00:00:00Z', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z')", True),
    ),
    define(
        "time_truncate",
        lambda text, span: write_rfc3339(truncate(_read(text), _span(span))),
        STRING,
        STRING,
        gives=STRING,
        doc="The moment down to the last multiple of a duration.",
        example=("time_truncate('2026-01-01T01:42:00Z', '1h')", "2026-01-01T01:00:00Z"),
    ),
)
"""Those that need no clock."""


def functions(ambient: Ambient) -> Mapping[str, Function]:
    """The family, with the clock it is given."""
    return _FIXED | table(
        define(
            "time_since",
            _since(ambient),
            STRING,
            STRING,
            STRING,
            gives=STRING,
            doc="The time from one moment to another, or to now where that is ''; '' as layout is RFC 3339.",
            example=("time_since('', '2026-01-01T00:00:00Z', '2026-01-01T01:30:00Z')", "1h30m0s"),
        ),
        define(
            "time_now",
            _now(ambient),
            gives=STRING,
            doc="This moment, in the local zone.",
            example=("type(time_now())", "string"),
        ),
        define(
            "time_now_utc",
            _now_utc(ambient),
            gives=STRING,
            doc="This moment, in UTC.",
            example=("ends_with(time_now_utc(), 'Z')", True),
        ),
    )
