"""Overlay patterns by their cases, and the wall between a policy's text and generated code."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import ROOT

from bartizan.base.errors import SpecError
from bartizan.lang.overlay import Mismatch, compile_pattern, compile_scalar

_FOLDER = ROOT / "tests" / "cases" / "overlay"
ANCHORS = yaml.safe_load((_FOLDER / "anchors.yaml").read_text())
SCALARS = yaml.safe_load((_FOLDER / "scalars.yaml").read_text())
_WORDS = ("pass", "fail", "skip", "broken")

KEYS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "__class__",
            "__import__('os')",
            '"',
            "'",
            "\\",
            "\n",
            "{",
            "}}",
            "(a)",
            "=(b)",
            "X(c)",
            "^(d)",
            "<(e)",
            "+(f)",
        ]
    ),
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | KEYS
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=15
)


def verdict(mismatch: Mismatch | None) -> str:
    """The word for an answer."""
    if mismatch is None:
        return "pass"
    return "skip" if mismatch.skip else "broken" if mismatch.broken else "fail"


@pytest.mark.parametrize(
    ("case", "word", "value"),
    [
        pytest.param(case, word, value, id=f"{case['note']}: {value} is {word}")
        for case in ANCHORS
        for word in _WORDS
        for value in case.get(word, ())
    ],
)
def test_pattern(case: dict[str, Any], word: str, value: Any) -> None:
    assert verdict(compile_pattern(case["pattern"]).check(value)) == word


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        pytest.param(case["pattern"], value, word == "holds", id=f"{case['pattern']!r} and {value!r}: {word}")
        for case in SCALARS
        for word in ("holds", "never")
        for value in case[word]
    ],
)
def test_scalar(pattern: Any, value: Any, matches: bool) -> None:
    assert compile_scalar(pattern)(value) is matches


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ({"a": []}, "empty"),
        ({"^(a)": "x"}, "existence anchor"),
        ({"^(a)": []}, "existence anchor"),
    ],
    ids=["an empty list", "an existence anchor over text", "an existence anchor over nothing"],
)
def test_bad_pattern_is_refused_with_its_place(pattern: Any, said: str) -> None:
    with pytest.raises(SpecError, match=said) as error:
        compile_pattern(pattern)
    assert error.value.pointer.startswith("/")


def test_deep_pattern_is_refused() -> None:
    pattern: Any = "x"
    for number in range(200):
        pattern = {f"a{number}": pattern, "b": 1}
    with pytest.raises(SpecError, match="nests deeper"):
        compile_pattern(pattern)


def test_failure_has_its_place() -> None:
    check = compile_pattern({"spec": {"containers": [{"=(a/b)": {"c~d": 1}}]}}).check
    mismatch = check({"spec": {"containers": [{}, {"a/b": {"c~d": 2}}]}})
    assert mismatch is not None
    assert mismatch.pointer == "/spec/containers/1/a~1b/c~0d"
    assert str(mismatch) == "is `2`, not `1`"


@given(TREES, TREES)
def test_no_pattern_escapes_or_crashes(pattern: Any, value: Any) -> None:
    """Whatever a pattern holds, it compiles or is refused, and its check answers for any value."""
    try:
        compiled = compile_pattern(pattern)
    except SpecError:
        return
    answer = compiled.check(value)
    assert answer is None or isinstance(answer, Mismatch)
    assert {name for name in _names(compiled.source) if name.startswith("__")} <= {"__class__"}


@given(TREES)
def test_a_value_without_wildcards_matches_itself(value: Any) -> None:
    """A plain tree as a pattern matches the same tree, where no text of it means something in a pattern."""
    plain = _plain(value)
    try:
        compiled = compile_pattern(plain)
    except SpecError:
        return  # an empty list is no pattern
    assert compiled.check(plain) is None


def _plain(value: Any) -> Any:
    """The tree with texts that mean only themselves, and with lists of one element."""
    if isinstance(value, dict):
        return {f"k{number}": _plain(item) for number, item in enumerate(value.values())}
    if isinstance(value, list):
        return [_plain(value[0])] if value else []
    return "text" if isinstance(value, str) else value


def _names(source: str) -> set[str]:
    """Every name and attribute that generated code reads; what stands in its constants is not among them."""
    nodes = list(ast.walk(ast.parse(source)))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
