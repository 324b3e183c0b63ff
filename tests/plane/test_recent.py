"""What is kept for a while is kept no longer, and never told to another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from bartizan.plane.recent import Recent

_START = datetime(2026, 3, 1, tzinfo=UTC)
_SPAN = timedelta(minutes=5)


def test_an_answer_is_worked_out_once_until_it_is_old() -> None:
    recent, numbers = Recent(), count()
    told = [
        recent.get("key", _START + timedelta(minutes=passed), _SPAN, lambda: next(numbers)) for passed in (0, 4, 5, 9)
    ]
    assert told == [0, 0, 1, 1]


def test_a_clock_that_goes_back_keeps_nothing() -> None:
    recent, numbers = Recent(), count()
    assert [recent.get("key", at, _SPAN, lambda: next(numbers)) for at in (_START, _START - _SPAN)] == [0, 1]


def test_another_key_is_another_answer_and_the_oldest_are_forgotten() -> None:
    recent, worked = Recent(), []
    for key in (*range(300), 299, 0):
        assert recent.get(key, _START, _SPAN, lambda key=key: worked.append(key) or key) == key
    assert worked == [*range(300), 0]
