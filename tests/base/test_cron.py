"""Schedules: cases kept as data, and the laws of the next time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.laws import examples

from bartizan.base.cron import Cron, parse_cron
from bartizan.base.errors import SpecError

CASES = yaml.safe_load((ROOT / "tests" / "cases" / "cron.yaml").read_text())
_MOMENTS = st.integers(0, 15 * 366 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


def _read(text: str) -> Cron | SpecError:
    try:
        return parse_cron(text)
    except SpecError as error:
        return error


def _moment(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@pytest.mark.parametrize("case", CASES["next"], ids=[case["case"] for case in CASES["next"]])
def test_next_times(case: dict[str, Any]) -> None:
    cron = parse_cron(case["cron"])
    moment: datetime | None = _moment(case["after"])
    found: list[datetime | None] = []
    for _ in case["gives"]:
        moment = cron.next_after(moment) if moment else None
        found.append(moment)
    assert found == [_moment(item) if item else None for item in case["gives"]]


@pytest.mark.parametrize("case", CASES["refused"], ids=[case["case"] for case in CASES["refused"]])
def test_what_is_no_schedule_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=case["says"]) as error:
        parse_cron(case["cron"])
    assert error.value.hint
    assert case.get("hint", "") in error.value.hint


def _field(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """The text of a field, and the values that it stands for."""
    whole = range(low, high + 1)
    one = st.integers(low, high).map(lambda value: (str(value), frozenset({value})))
    every = st.just(("*", frozenset(whole)))
    spans = st.tuples(st.integers(low, high), st.integers(low, high), st.integers(1, high)).map(
        lambda made: (
            f"{min(made[:2])}-{max(made[:2])}/{made[2]}",
            frozenset(range(min(made[:2]), max(made[:2]) + 1, made[2])),
        )
    )
    steps = st.integers(1, high).map(lambda step: (f"*/{step}", frozenset(whole[::step])))
    entry = st.one_of(one, spans, steps)
    lists = st.lists(entry, min_size=1, max_size=3).map(
        lambda items: (",".join(text for text, _ in items), frozenset().union(*(values for _, values in items)))
    )
    return st.one_of(every, lists)


_SCHEDULES = st.tuples(_field(0, 59), _field(0, 23), _field(1, 31), _field(1, 12), _field(0, 6))


def _holds(fields: Any, at: datetime) -> bool:
    """Whether a minute is one of a schedule's, by the manual page of crontab(5): told without looking for it."""
    minute, hour, day, month, weekday = fields
    days = (at.day in day[1], at.isoweekday() % 7 in weekday[1])
    on_day = all(days) if "*" in (day[0], weekday[0]) else any(days)
    return at.minute in minute[1] and at.hour in hour[1] and at.month in month[1] and on_day


@given(_SCHEDULES, _MOMENTS)
@examples(150)
def test_next_time_is_later_and_is_one_of_the_schedule(fields: Any, moment: datetime) -> None:
    """The next time is after the moment, and every field names it."""
    cron = _read(" ".join(text for text, _ in fields))
    if isinstance(cron, SpecError):
        assert "never comes" in cron.message
        return
    found = cron.next_after(moment)
    assert found is not None
    assert found > moment
    assert found.second == found.microsecond == 0
    assert _holds(fields, found)


@given(_SCHEDULES, _MOMENTS)
@examples(60)
def test_no_time_of_the_schedule_is_passed_over(fields: Any, moment: datetime) -> None:
    """No minute between the moment and the next time is named by every field."""
    try:
        found = parse_cron(" ".join(text for text, _ in fields)).next_after(moment)
    except SpecError:
        return
    assert found is not None
    minute = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    checked = 0
    while minute < found and checked < 60 * 24 * 3:
        assert not _holds(fields, minute), minute
        minute += timedelta(minutes=1)
        checked += 1
    day = minute.date()
    while day < found.date():  # far away: a day at a time, by the fields of days alone
        noon = datetime(day.year, day.month, day.day, tzinfo=UTC)
        here = noon.replace(minute=min(fields[0][1]), hour=min(fields[1][1]))
        assert here < minute or not _holds(fields, here), here
        day += timedelta(days=1)


@given(_SCHEDULES, _MOMENTS, st.integers(0, 10_000_000))
@examples(100)
def test_next_time_grows_with_the_moment(fields: Any, moment: datetime, later_s: int) -> None:
    """A later moment never has an earlier next time."""
    try:
        cron = parse_cron(" ".join(text for text, _ in fields))
    except SpecError:
        return
    first, second = cron.next_after(moment), cron.next_after(moment + timedelta(seconds=later_s))
    assert first is not None
    assert second is not None
    assert first <= second


@given(st.text(alphabet="0123456789*/-,LW#?@ ajx\t\n\x00٣", max_size=40))
@examples(300)
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    """Reading ends, with a schedule that comes or an error that says why not."""
    cron = _read(text)
    if isinstance(cron, SpecError):
        assert cron.hint
    else:
        assert cron.next_after(datetime(1970, 1, 1, tzinfo=UTC) - timedelta(seconds=1)) is not None


def test_a_schedule_that_never_comes_is_refused_at_once() -> None:
    start = time.monotonic()
    for text in ("0 0 30 2 *", "0 0 0 30 2 * *", ",".join(["31"] * 300) + " * 31 2 *"):
        with pytest.raises(SpecError):
            parse_cron(text)
    assert time.monotonic() - start < 2
