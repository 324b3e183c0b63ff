"""Charts are well-formed, say their numbers in words and in a table, and show what is not known as such."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bartizan.outputs.charts import Column, Part, Point, Step, columns, sparkline, stacked, trend, waterfall

_HOSTILE = "<script>alert('x')</script>\"&\u202e\x00"
_TEXTS = st.text(max_size=20) | st.just(_HOSTILE)
_VALUES = st.floats(0, 1e9, allow_nan=False)


def read(svg: str) -> ET.Element:
    """The markup, which must be XML too."""
    return ET.fromstring(svg)  # noqa: S314 (our own markup)


def texts(svg: str, tag: str) -> list[str]:
    """What the elements of a name say."""
    return ["".join(item.itertext()) for item in read(svg).iter(tag)]


@given(st.lists(st.builds(Part, _TEXTS, _VALUES, st.sampled_from(["good", "bad", "unknown"]))), _TEXTS)
def test_a_bar_is_well_formed_and_as_wide_as_its_parts(parts: list[Part], title: str) -> None:
    chart = stacked(title, parts)
    widths = [float(item.get("width", "0")) for item in read(chart).iter("rect")]
    assert "script" not in {item.tag for item in read(chart).iter()}
    assert sum(widths) <= 640 + len(widths)
    assert len(texts(chart, "td")) == 2 * len(parts)


@given(st.lists(st.builds(Point, _TEXTS, st.none() | _VALUES)), _TEXTS, st.booleans())
def test_a_trend_is_well_formed_whatever_it_shows(points: list[Point], title: str, percent: bool) -> None:
    shown = [point._replace(value=min(point.value or 0.0, 1.0)) for point in points] if percent else points
    assert len(texts(trend(title, shown, percent=percent), "td")) == len(points)
    read(sparkline(title, points))


@given(st.floats(0, 1), st.lists(st.builds(Step, _TEXTS, st.floats(-1, 1), _TEXTS), max_size=8), _TEXTS)
def test_a_waterfall_ends_where_its_steps_lead(start: float, steps: list[Step], title: str) -> None:
    chart = waterfall(title, start, steps)
    end = start + sum(step.change for step in steps)
    assert texts(chart, "td")[-1] == f"{end * 100:.2f} %"
    assert all(float(item.get("height", "0")) >= 1 for item in read(chart).iter("rect"))


def test_what_is_not_known_is_a_gap_and_no_zero() -> None:
    chart = trend("pass rate", [Point("1", 0.5), Point("2", None), Point("3", 0.75), Point("4", 1.0)], percent=True)
    assert texts(chart, "td") == ["50.0 %", "not known", "75.0 %", "100.0 %"]
    assert len(list(read(chart).iter("polyline"))) == 1
    assert len(list(read(chart).iter("circle"))) == 1
    gaps = [item for item in read(chart).iter("rect") if item.get("class") == "tone-unknown"]
    assert len(gaps) == 1


def test_a_chart_says_what_it_shows() -> None:
    chart = waterfall("why it moved", 0.8, [Step("fixes", 0.05, "/findings"), Step("rules", -0.1)])
    name = read(chart).find("svg").get("aria-label")  # type: ignore[union-attr]  # it is there, or the test fails
    assert (
        name
        == "why it moved: from 80.00 % to 75.00 %: fixes +5.00 points, rules -10.00 points; the scale begins at 65.00 %"
    )
    assert [item.get("href") for item in read(chart).iter("a")] == ["/findings"]


@pytest.mark.parametrize(
    "chart",
    [stacked(_HOSTILE, [Part(_HOSTILE, 1, "bad")]), sparkline(_HOSTILE, [Point(_HOSTILE, 1.0)])],
    ids=["bar", "sparkline"],
)
def test_text_from_outside_is_text(chart: str) -> None:
    assert not re.search(r"<script|\x00|\u202e", chart)


@given(st.lists(st.builds(Column, _TEXTS, _VALUES, st.just("plain"), _TEXTS)), _TEXTS)
def test_columns_are_well_formed_and_as_high_as_their_numbers(values: list[Column], title: str) -> None:
    chart = columns(title, values)
    heights = [float(item.get("height", "0")) for item in read(chart).iter("rect")]
    assert sorted(heights) == [height for _, height in sorted(zip([one.value for one in values], heights, strict=True))]
    assert len(list(read(chart).iter("a"))) == sum(bool(one.link) for one in values)


def test_a_legend_names_what_there_is() -> None:
    chart = stacked("pairs", [Part("pass", 3, "good"), Part("fail", 0, "bad"), Part("waived", 1, "accepted")])
    assert texts(chart, "li") == ["pass 3", "waived 1"]
