"""What a function says of itself is true: its example has the value it shows, of the type it names."""

from __future__ import annotations

import pytest
from tests.lang.jmespath.answers import FUNCTIONS, ask

from bartizan.lang.jmespath.library import Function, standard_functions
from bartizan.lang.jmespath.runtime import equal

_ALL = [FUNCTIONS[name] for name in sorted(FUNCTIONS.names)]


@pytest.mark.parametrize("function", _ALL, ids=lambda function: function.name)
def test_the_example_has_the_value_that_it_shows(function: Function) -> None:
    expression, wanted = function.example
    answer = ask(expression, {})
    assert "result" in answer, answer["error"]
    assert equal(answer["result"], wanted)
    assert function.name in expression


@pytest.mark.parametrize("function", _ALL, ids=lambda function: function.name)
def test_the_value_has_the_type_that_is_named(function: Function) -> None:
    expression, wanted = function.example
    if expression.startswith(f"{function.name}(") and expression.endswith(")"):
        assert wanted.__class__ in function.gives


@pytest.mark.parametrize("function", _ALL, ids=lambda function: function.name)
def test_a_function_is_told_in_one_sentence(function: Function) -> None:
    assert function.doc.endswith(".")
    assert function.doc[0] in "-0123456789" or function.doc[0].isupper()
    assert "\n" not in function.doc


def test_the_standard_functions_are_told_in_the_same_words() -> None:
    for name in standard_functions().names:
        assert standard_functions()[name].doc == FUNCTIONS[name].doc
