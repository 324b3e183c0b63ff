"""Every history gives exactly what was worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.findings.delivery.histories import cases, expected, figure

from bartizan.findings.delivery import DEFINITIONS, metrics, read_history, sum_up

if TYPE_CHECKING:
    from tests.findings.delivery.histories import Case

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_history(case: Case) -> None:
    events, window, now = case.read()
    told = metrics(sum_up(read_history(events, now), window))
    for metric, figures in case.expect.items():
        wanted = {name: value if name == "bucket" else expected(value) for name, value in figures.items()}
        assert {name: figure(told[metric], name) for name in figures} == wanted


def test_every_metric_has_a_history_and_says_what_it_means() -> None:
    told = {metric for case in CASES for metric in case.expect}
    assert told == {definition.id for definition in DEFINITIONS}
    for definition in DEFINITIONS:
        assert definition.meaning.endswith(".")
        assert definition.confidence.endswith(".")


def test_buckets_are_those_that_are_printed() -> None:
    """A word that a metric gives stands in its definition, and every word that stands there was given."""
    given: dict[str, set[str]] = {}
    for case in CASES:
        events, window, now = case.read()
        for metric in metrics(sum_up(read_history(events, now), window)).values():
            given.setdefault(metric.definition.id, set()).add(metric.bucket)
    for definition in DEFINITIONS:
        assert given[definition.id] - {""} <= {bucket.word for bucket in definition.buckets}
    scale = {"elite", "high", "medium", "low"}
    assert given["deployment-frequency"] >= scale
    assert given["lead-time"] >= scale
