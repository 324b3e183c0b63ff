"""Random expressions over random documents that share a few keys, so that most of them find something."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

KEYS = st.sampled_from(["a", "b", "c", "d e", "é"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, -2.25]),
    st.sampled_from(["", "a", "b", "ab", "1"]),
)


def _sorted(document: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(document.items()))


DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    # keys in order: that of `keys(@)` and `*` is sorted here, the document's own in the package
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4).map(_sorted),
    max_leaves=20,
)

_FIELDS = KEYS.map(lambda key: key if key.isascii() and key.isalpha() else json.dumps(key, ensure_ascii=False))
_LEAVES = st.one_of(
    _FIELDS,
    _FIELDS,
    st.just("@"),
    st.sampled_from(["`null`", "`true`", "`1`", "`-2.25`", "'a'", "''", '`{"a": [1, null]}`', "`[]`"]),
    st.just("[*]"),
    st.just("*"),
    st.just("[0]"),
)
_UNARY = (
    *("{}[*]", "{}[]", "{}.*", "{}[0]", "{}[-1]", "{}[1:]", "{}[::-1]", "!{}", "({})", "[{}]", "{{x: {}}}"),
    *("length({})", "keys({})", "type({})", "to_array({})", "reverse({})", "not_null({})", "sort({})", "max({})"),
    *("values({})", "abs({})", "ceil({})", "floor({})", "sum({})", "map(&a, {})", "max_by({}, &a)", "sort_by({}, &a)"),
)
# `abs` and `ceil` refuse all but numbers, since the package gives texts an order that the language does not
_BINARY = (
    *("{}.{}", "{} | {}", "{} || {}", "{} && {}", "{} == {}", "{} != {}", "abs({}) < abs({})", "abs({}) >= ceil({})"),
    *("{}[?{}]", "{}[?{}].a", "{}[*].{}", "[{}, {}]", "{{x: {}, y: {}}}", "map(&{}, {})", "not_null({}, {})"),
    *("{}.[{}]", "{}.{{x: {}}}", "sort_by({}, &{})", "min_by({}, &{})", "contains({}, {})", "({}).{}"),
)
EXPRESSIONS: st.SearchStrategy[str] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(str.format, st.sampled_from(_UNARY), inner),
        st.builds(str.format, st.sampled_from(_BINARY), inner, inner),
    ),
    max_leaves=8,
)
