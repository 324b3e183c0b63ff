"""Everything that types say against an expression, and not only the first thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lang.cel.expressions import EXPRESSIONS
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.lang.cel import Environment, compile_expression
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.problems import type_problems
from bartizan.lang.cel.types import DYN, INT, STRING, Type, list_of

_BOX = Type("Box")
_ENVIRONMENTS = tuple(
    Environment(
        {"a": DYN, "b": _BOX, "c": list_of(_BOX)},
        KUBERNETES,
        {_BOX.name: {"x": INT, "y": STRING, "z": list_of(_BOX)}},
        homogeneous=homogeneous,
    )
    for homogeneous in (False, True)
)


@examples(1000)
@given(EXPRESSIONS, st.sampled_from(_ENVIRONMENTS))
def test_what_compiles_has_no_problems_and_what_does_not_has_the_first(text: str, environment: Environment) -> None:
    """The compiler takes an expression where nothing is said of it, of the same type; else it says one of these."""
    try:
        kind, problems = type_problems(text, environment)
    except SpecError:
        with pytest.raises(SpecError):
            compile_expression(text, environment)
        return
    if problems:
        with pytest.raises(SpecError) as raised:
            compile_expression(text, environment)
        assert raised.value.message in {problem.error.message for problem in problems}
    else:
        assert compile_expression(text, environment).type == kind


@pytest.mark.parametrize(
    ("text", "expect"),
    [
        ("b.x > 'a' && b.w == 1", ["does not take (int, string)", "unknown field `w`"]),
        ("b.x && b.y && true", ["must be a bool, not a int", "must be a bool, not a string"]),
        ("b.x.all(i, i.more && b.w)", ["a loop needs a list or a map, not a int", "unknown field `w`"]),
        ("c.exists(i, i.w == 1 || i.z.exists(j, j.v == i.y))", ["unknown field `w`", "unknown field `v`"]),
        ("[b.w, b.v].size() + 'a'", ["unknown field `w`", "unknown field `v`", "does not take (int, string)"]),
        ("b.w.more.and_more(b.w) + 1", ["unknown field `w`", "unknown function `and_more`", "unknown field `w`"]),
        ("nothing(b.w) == missing", ["unknown function `nothing`", "unknown field `w`", "unknown name `missing`"]),
    ],
)
def test_all_of_it_is_said_and_nothing_twice(text: str, expect: list[str]) -> None:
    _, problems = type_problems(text, _ENVIRONMENTS[1])
    said = [problem.error.message for problem in problems]
    assert len(said) == len(expect), said
    assert all(words in message for message, words in zip(said, expect, strict=True)), said
