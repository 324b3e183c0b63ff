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
from bartizan.lang.jmespath.library.signature import STRING, Ambient, define, table

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


def functions(ambient: Ambient) -> Mapping[str, Function]:
    """The family, with the clock it is given."""
    return table(
        define("time_since", _since(ambient), STRING, STRING, STRING),
        define("time_now", _now(ambient)),
        define("time_now_utc", _now_utc(ambient)),
        define("time_add", _add, STRING, STRING),
        define("time_parse", _parse, STRING, STRING),
        define("time_to_cron", _to_cron, STRING),
        define("time_utc", lambda text: write_rfc3339(_read(text)._replace(offset=0)), STRING),
        define("time_diff", lambda start, end: _difference(_read(start), _read(end)), STRING, STRING),
        define("time_before", _before, STRING, STRING),
        define("time_after", lambda left, right: _before(right, left), STRING, STRING),
        define("time_between", _between, STRING, STRING, STRING),
        define("time_truncate", lambda text, span: write_rfc3339(truncate(_read(text), _span(span))), STRING, STRING),
    )
