"""Moments and the time between them. Texts are RFC 3339 unless a layout is given; spans are Go durations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bartizan.base.duration import format_duration, parse_duration
from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.go_time import RFC3339, LayoutError, format_time, parse_time
from bartizan.lang.jmespath.library.signature import STRING, Ambient, define, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.jmespath.library.signature import Function

_MICROSECOND: Final = timedelta(microseconds=1)
_ZERO: Final = datetime(1, 1, 1, tzinfo=UTC)


def _read(text: str, layout: str = RFC3339) -> datetime:
    try:
        return parse_time(layout or RFC3339, text)
    except LayoutError as error:
        raise JmesPathError(f"no time: {error}") from error


def _write(moment: datetime) -> str:
    return format_time(RFC3339, moment)


def _span(text: str) -> timedelta:
    nanoseconds = parse_duration(text)
    if nanoseconds is None:
        raise JmesPathError(f"no duration: `{text}`; write for example `1h30m`")
    return timedelta(microseconds=nanoseconds / 1000)


def _difference(start: datetime, end: datetime) -> str:
    return format_duration((end - start) // _MICROSECOND * 1000)


def _add(text: str, span: str) -> str:
    try:
        return _write(_read(text) + _span(span))
    except OverflowError as error:
        raise JmesPathError(f"`time_add` goes beyond the calendar: `{text}` and `{span}`") from error


def _to_cron(text: str) -> str:
    moment = _read(text).astimezone(UTC)
    return f"{moment.minute} {moment.hour} {moment.day} {moment.month} {moment.isoweekday() % 7}"


def _truncate(text: str, span: str) -> str:
    moment, step = _read(text), _span(span)
    if step <= timedelta():
        return _write(moment)
    return _write(moment - (moment - _ZERO) % step)


def _since(ambient: Ambient) -> Callable[[str, str, str], str]:
    def since(layout: str, start: str, end: str) -> str:
        finish = _read(end, layout) if end else ambient.now()
        return _difference(_read(start, layout), finish)

    return since


def functions(ambient: Ambient) -> Mapping[str, Function]:
    """The family, with the clock it is given."""
    return table(
        define("time_since", _since(ambient), STRING, STRING, STRING),
        define("time_now", lambda: _write(ambient.now())),
        define("time_now_utc", lambda: _write(ambient.now().astimezone(UTC))),
        define("time_add", _add, STRING, STRING),
        define("time_parse", lambda layout, text: _write(_read(text, layout)), STRING, STRING),
        define("time_to_cron", _to_cron, STRING),
        define("time_utc", lambda text: _write(_read(text).astimezone(UTC)), STRING),
        define("time_diff", lambda start, end: _difference(_read(start), _read(end)), STRING, STRING),
        define("time_before", lambda left, right: _read(left) < _read(right), STRING, STRING),
        define("time_after", lambda left, right: _read(left) > _read(right), STRING, STRING),
        define("time_between", lambda t, a, b: _read(a) < _read(t) < _read(b), STRING, STRING, STRING),
        define("time_truncate", _truncate, STRING, STRING),
    )
