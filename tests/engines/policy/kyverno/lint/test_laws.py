"""What a rule says of a pattern is so for every value: no false alarm that chance could find."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import assume, event, given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.lint.amounts import why_never
from bartizan.engines.policy.dialects.kyverno.lint.patterns import asks_no_more, decides
from bartizan.lang.overlay import compile_pattern, compile_scalar

_AMOUNTS: Final = st.sampled_from(["0", "1", "2", "3", "1.5", "2h", "30m", "1Gi", "1000Mi", "500m", "-1", "x", "a*"])
_SIGNS: Final = st.sampled_from(["", ">", "<", ">=", "<=", "!"])
_PARTS: Final = st.builds(str.__add__, _SIGNS, _AMOUNTS) | st.builds(
    "{}{}-{}".format, _AMOUNTS, st.sampled_from(["", "!"]), _AMOUNTS
)
_LEAVES: Final = st.lists(st.lists(_PARTS, min_size=1, max_size=3).map(" & ".join), min_size=1, max_size=2).map(
    " | ".join
)
_VALUES: Final = (
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.floats(-3, 5, allow_nan=False)
    | _AMOUNTS
    | _PARTS
    | st.sampled_from(["1025Mi", "90m", "2", "", "1100Mi", "2.5", "7200s"])
)
_KEYS: Final = st.sampled_from(["a", "b", "c", "(a)", "(b)", "=(a)", "=(c)", "X(b)", "<(c)", "spec"])
_PATTERNS: Final = st.recursive(
    st.sampled_from(["1", "?*", "*", ">0", True, 2, None, "!x"]),
    lambda inner: st.dictionaries(_KEYS, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=1),
    max_leaves=6,
)
_SHAPES: Final = ("a map", "a list")
_RESOURCES: Final = st.recursive(
    st.sampled_from([0, 1, 2, "1", "x", "", True, None]),
    lambda inner: (
        st.dictionaries(st.sampled_from(["a", "b", "c", "spec"]), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=8,
)


@examples(1500)
@given(_LEAVES, _VALUES)
def test_a_leaf_that_matches_nothing_matches_no_value(leaf: str, value: Any) -> None:
    never = why_never(leaf)
    event("never" if never else "perhaps")
    if never:
        assume(value != leaf)  # a text equals itself, whatever it says of amounts
        assert not compile_scalar(leaf)(value), f"{leaf}: {never}, and {value!r} matches"


@examples(1500)
@given(st.dictionaries(_KEYS, _PATTERNS, min_size=1, max_size=3), _RESOURCES)
def test_a_pattern_that_never_fails_never_fails(pattern: dict[str, Any], resource: Any) -> None:
    if decides(pattern):
        return
    event("toothless")
    mismatch = _check(pattern, resource)
    if mismatch is not None and (isinstance(mismatch.wanted, dict | list) or mismatch.wanted in _SHAPES):
        return  # of another shape than the pattern, which no API server takes
    assert mismatch is None or mismatch.skip or mismatch.broken, f"{pattern} fails for {resource}: {mismatch}"


@examples(1500)
@given(_PATTERNS, _PATTERNS, _RESOURCES, st.booleans())
def test_what_matches_the_stronger_matches_the_weaker(left: Any, right: Any, resource: Any, merge: bool) -> None:
    stronger = {**left, **right} if merge and isinstance(left, dict) and isinstance(right, dict) else right
    if not asks_no_more(left, stronger):
        return
    event("weaker")
    if _check(stronger, resource) is None:
        assert _check(left, resource) is None, f"{resource} matches {stronger}, and not {left}"


def _check(pattern: Any, resource: Any) -> Any:
    try:
        return compile_pattern(pattern).check(resource)
    except SpecError:
        assume(False)
        raise
