"""A baseline is any report of ours, and hides what it knows."""

from __future__ import annotations

from io import StringIO

import pytest
from tests.outputs.sample import FINDINGS, REPORT, WAIVED

from bartizan.base.errors import SpecError
from bartizan.base.location import Location
from bartizan.findings import new_only, read_baseline
from bartizan.outputs.formats import FORMATS

OPEN = [one for one in FINDINGS if one.result in ("fail", "warn", "error")]
CALM = [one for one in FINDINGS if one.result in ("pass", "skip")]


def _written(name: str) -> bytes:
    out = StringIO()
    FORMATS[name].render(REPORT, out)
    return out.getvalue().encode()


@pytest.mark.parametrize("name", ["json", "ndjson", "sarif"])
def test_a_report_hides_its_own_findings(name: str) -> None:
    assert new_only(FINDINGS, read_baseline(_written(name))) == tuple(CALM)


@pytest.mark.parametrize("name", ["json", "ndjson", "sarif"])
def test_a_waived_finding_is_news_when_its_waiver_ends(name: str) -> None:
    assert new_only(WAIVED, read_baseline(_written(name))) == WAIVED


def test_an_empty_baseline_hides_nothing() -> None:
    assert new_only(FINDINGS, frozenset()) == FINDINGS


def test_what_is_not_known_stays() -> None:
    known = frozenset(one.fingerprint for one in OPEN[2:])
    assert new_only(OPEN, known) == tuple(OPEN[:2])


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        (b"", "the baseline is not JSON: ", "b.json"),
        (b"not json", "the baseline is not JSON: ", "b.json"),
        (b'{"type":"finding"}\nnot json\n', "line 2 of the baseline is not JSON: ", "b.json:2"),
        (b"[]", "the baseline is no report of Bartizan", "b.json"),
        (b'{"kind":"List"}', "the baseline is no report of Bartizan", "b.json"),
        (b'{"findings":{}}', "`findings` of the baseline is not a list", "b.json"),
        (b'{"findings":[{}]}', "a finding of the baseline has no fingerprint", "b.json"),
        (b'{"runs":[{"results":[{}]}]}', "a result of the baseline has no fingerprint `bartizan/v1`", "b.json"),
    ],
    ids=["empty", "text", "a broken line", "a list", "a manifest", "no list", "no fingerprint", "another tool's SARIF"],
)
def test_anything_else_is_refused(text: bytes, message: str, place: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_baseline(text, Location("b.json"))
    assert caught.value.message.startswith(message)
    assert str(caught.value.at) == place
    assert caught.value.hint
