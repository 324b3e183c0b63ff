"""Random expressions over a few names, most of which mean something, and documents for them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "c")
_FIELDS = st.sampled_from(["x", "y", "in_", "z"])
_LITERALS = st.sampled_from(
    [
        *("1", "0", "-1", "2u", "1.5", "0.0", "true", "false", "null", "'x'", '"a\'b"', "b'x'", "''", "[]", "{}"),
        *("9223372036854775807", "-9223372036854775808", "18446744073709551615u", "r'\\d'", "[1, 2]", "{'x': 1}"),
        *("duration('1h')", "timestamp('2024-02-29T00:00:00Z')", "optional.none()", "{true: 1, 1: 2}", "1e308"),
    ]
)
_BINARY = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"])
_MEMBERS = st.sampled_from(
    ["size()", "contains('x')", "split('')", "join(',')", "orValue(1)", "hasValue()", "reverse()"]
)
_LOOPS = st.sampled_from(["all", "exists", "exists_one", "map", "filter"])
_TRANSFORMS = st.sampled_from(["all", "exists", "existsOne", "transformList", "transformMap"])
_FUNCTIONS = st.sampled_from(["size", "string", "int", "uint", "double", "dyn", "type", "bool", "quantity", "!", "-"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    variable = st.sampled_from([*NAMES, "v", "w"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, _BINARY, inner),
        st.builds("({} && {} || {})".format, inner, inner, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("{}.{}".format, inner, _FIELDS),
        st.builds("{}.?{}".format, inner, _FIELDS),
        st.builds("has({}.{})".format, inner, _FIELDS),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}[?{}]".format, inner, inner),
        st.builds("{}.{}".format, inner, _MEMBERS),
        st.builds("({}({}))".format, _FUNCTIONS, inner),
        st.builds("{}.{}({}, {})".format, inner, _LOOPS, variable, inner),
        st.builds("{}.{}(i, {}, {})".format, inner, _TRANSFORMS, variable, inner),
        st.builds("cel.bind({}, {}, {})".format, variable, inner, inner),
        st.builds("{}.optMap({}, {})".format, inner, variable, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'x': {}, ?'y': {}}}".format, inner, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
    )


EXPRESSIONS: st.SearchStrategy[str] = st.recursive(
    st.one_of(st.sampled_from([*NAMES, "v"]), _LITERALS, st.builds("{}.{}".format, st.sampled_from(NAMES), _FIELDS)),
    _larger,
    max_leaves=12,
)
"""Texts that are well formed; whether their types fit, chance decides."""

_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, "", "x", "1", "a,b"]))
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS, inner, max_size=3),
    max_leaves=8,
)
"""Decoded JSON."""
