"""The steps of the scales, at their edges."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from bartizan.findings.delivery import Standing, Sums, metrics
from bartizan.model.delivery import Window

START = datetime(2026, 3, 2, tzinfo=UTC)


def _sums() -> Sums:
    end = START + timedelta(days=7)
    return Sums(Window(START, end), Standing(end))


@pytest.mark.parametrize(
    ("failed", "sound", "bucket"),
    [
        (0, 5, "elite"),
        (15, 85, "elite"),
        (16, 84, "high"),
        (9, 11, "high"),
        (46, 54, "medium"),
        (3, 2, "medium"),
        (61, 39, "low"),
        (1, 0, "low"),
        (0, 0, ""),
    ],
)
def test_failure_rate(failed: int, sound: int, bucket: str) -> None:
    sums = _sums()
    sums.counts = Counter({"changes.failed": failed, "changes.sound": sound})
    assert metrics(sums)["change-failure-rate"].bucket == bucket


@pytest.mark.parametrize(
    ("hours", "recover", "lead"),
    [
        (0.9, "elite", "elite"),
        (1, "high", "elite"),
        (23.9, "high", "elite"),
        (24, "medium", "high"),
        (167.9, "medium", "high"),
        (168, "low", "medium"),
        (719.9, "low", "medium"),
        (720, "low", "low"),
    ],
)
def test_times(hours: float, recover: str, lead: str) -> None:
    sums = _sums()
    sums.times = {"recover": [timedelta(hours=hours)], "lead": [timedelta(hours=hours)]}
    told = metrics(sums)
    assert told["time-to-recover"].bucket == recover
    assert told["lead-time"].bucket == lead
