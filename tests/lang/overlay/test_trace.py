"""Patterns in their traced mode: what each part met, and the same answer as the fast mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from tests.conformance import ROOT
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.base.pointer import resolve
from bartizan.lang.overlay import Pattern, compile_pattern, compile_scalar, source_of
from bartizan.lang.overlay.trace import MAX_RECORDS, Record, TracedPattern, choices, trace_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = ROOT / "tests" / "cases" / "overlay"
ANCHORS = yaml.safe_load((_FOLDER / "anchors.yaml").read_text())
SCALARS = yaml.safe_load((_FOLDER / "scalars.yaml").read_text())
_WORDS = ("pass", "fail", "skip", "broken")

_KEYS = st.sampled_from(["a", "b", "c", "metadata", "labels", "x/y"])
_ANCHORS = st.sampled_from(["{}", "{}", "{}", "({})", "=({})", "X({})", "<({})"])
_LEAVES = st.sampled_from([None, True, 1, "x", "y", "?*", "*", "x|y", ">1 & <5", "!x", "1-3", "x*"])
_VALUES = st.sampled_from([None, True, False, 0, 1, 2, 7, "", "x", "y", "2", "xz"])


def _key(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    plain = st.tuples(st.builds(str.format, _ANCHORS, _KEYS), inner)
    exists = st.tuples(
        _KEYS.map("^({})".format), st.lists(st.dictionaries(_KEYS, inner, max_size=2), min_size=1, max_size=2)
    )
    return st.one_of(plain, plain, plain, exists)


def _pattern(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    maps = st.lists(_key(inner), max_size=3).map(dict)
    return st.one_of(maps, maps, maps.map(lambda item: [item]), st.lists(inner, min_size=1, max_size=2))


PATTERNS = st.recursive(_LEAVES, _pattern, max_leaves=12)
VALUES = st.recursive(
    _VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@examples(2500)
@given(PATTERNS, VALUES)
@example({"a": {"b": {"c": 1, "=(x/y)": 2}}}, {"a": {"b": 1}})
@example({"=(a)": {"(b)": 1}, "=(c)": {"(b)": 2}}, {"a": {"b": 1}, "c": {"b": 1}})
@example([[{"(a)": 1}], [{"b": 2}]], [[{"a": 2}], [{"b": 2}]])
def test_answers_as_the_fast_mode(pattern: Any, value: Any) -> None:
    """LAW: both modes pass, fail, skip and break alike, at the same place and with the same words."""
    fast, traced = _or_refused(compile_pattern, pattern), _or_refused(trace_pattern, pattern)
    if isinstance(fast, Pattern) and isinstance(traced, TracedPattern):
        answer = traced.check(value)
        assert answer.mismatch == fast.check(value)
        _coherent(answer.record, value, whole=answer.mismatch is None)
    else:
        assert fast == traced


def _or_refused(compiled: Callable[[Any], Any], pattern: Any) -> Any:
    """What a pattern is compiled to, or why it is refused and where."""
    try:
        return compiled(pattern)
    except SpecError as error:
        return error.message, error.pointer


def _coherent(record: Record, value: Any, *, whole: bool) -> None:
    """The tree says what the answer says, and every value in it stands where it says."""
    assert (record.verdict == "held") is whole
    for item in _all(record):
        assert item.verdict is not None
        if item.verdict != "unreached" and item.present:
            assert resolve(value, item.pointer) is item.value
        if item.verdict == "unreached":
            assert not item.children


@pytest.mark.parametrize("case", ANCHORS, ids=lambda case: case["note"])
def test_answers_as_the_fast_mode_on_its_cases(case: dict[str, Any]) -> None:
    fast, traced = compile_pattern(case["pattern"]), trace_pattern(case["pattern"])
    for value in (value for word in _WORDS for value in case.get(word, ())):
        answer = traced.check(value)
        assert answer.mismatch == fast.check(value)
        _coherent(answer.record, value, whole=answer.mismatch is None)


@pytest.mark.parametrize("case", SCALARS, ids=lambda case: repr(case["pattern"]))
def test_operands_decide_as_the_whole(case: dict[str, Any]) -> None:
    """LAW: a leaf matches where it is the value itself, or one of its alternatives matches."""
    for value in (*case["holds"], *case["never"]):
        found = choices(case["pattern"], value)
        if found:
            whole = compile_scalar(case["pattern"])(value)
            assert whole is (value == case["pattern"] or any(choice.holds for choice in found))


def test_what_decided_is_where_the_tree_failed() -> None:
    pattern = {"spec": {"containers": [{"(name)": "web-*", "image": "shop/*", "tty": False}]}}
    containers = [
        {"name": "log"},
        {"name": "web-1", "image": "shop/a", "tty": False},
        {"name": "web-2", "image": "evil", "tty": False},
    ]
    record = trace_pattern(pattern).check({"spec": {"containers": containers}}).record
    said = [(item.pointer, item.label, item.verdict) for item in _all(record)]
    assert ("/spec/containers/0", "", "skipped") in said
    assert ("/spec/containers/1", "", "held") in said
    assert ("/spec/containers/2/image", "image", "failed") in said
    assert ("/spec/containers/2/tty", "tty", "unreached") in said


def test_choices_say_which_held() -> None:
    assert [(item.text, item.holds) for item in choices("1-3 | >10", 12)] == [("1-3", False), (">10", True)]
    both = choices(">1 & <5 | x", 7)
    assert [(part.text, part.holds) for part in both[0].parts] == [(">1", True), ("<5", False)]
    assert choices("plain", "plain") == []


def test_records_are_bounded() -> None:
    record = trace_pattern([{"a": 1}]).check([{"a": 1}] * MAX_RECORDS).record
    assert len(_all(record)) <= MAX_RECORDS + 1
    last = trace_pattern([{"a": 1}]).check([*[{"a": 1}] * MAX_RECORDS, {"a": 2}]).record
    assert last.verdict == "failed"
    assert last.children[-1].children[-1].pointer == f"/{MAX_RECORDS}/a", "what decided is kept"


def test_source_is_what_was_generated() -> None:
    source = source_of({"spec": {"a": "x", "b": "y"}})
    assert "def descend(inner):" in source
    assert "def check(value):" in source


def _all(record: Record) -> list[Record]:
    return [record, *(below for child in record.children for below in _all(child))]
