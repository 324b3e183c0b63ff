"""Hostile expressions and values: they are refused or answered in bounded time, and never become code."""

from __future__ import annotations

import ast
import builtins
import contextlib
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.lang.cel.expressions import DOCUMENTS, EXPRESSIONS, NAMES
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.lang.cel import CelBudgetError, CelError, Environment, compile_expression, operators
from bartizan.lang.cel.lex import MAX_CHARS
from bartizan.lang.cel.library import KUBERNETES
from bartizan.lang.cel.types import DYN, STRING

SECONDS = 5.0  # far above what any of these takes; what it catches is unbounded
ENVIRONMENT = Environment(dict.fromkeys(NAMES, DYN), KUBERNETES)
NASTY = st.text(
    st.one_of(
        st.sampled_from("\"'\\\n\r\0{}[]()`#;:=%$@_.?!&|-\u2028\u202e"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=30,
)
WORDS = st.sampled_from(
    [
        *("__import__", "__class__", "__builtins__", "__globals__", "eval", "exec", "names", "expression"),
        *("FAILURES", "raised", "t1", "c1", "v1", "part1", "None", "lambda", "import os", "{value}", "%s", "'''"),
        *('"""', "\\", "\\N{BULLET}", "]\n    import os\n", "a'];import os;b['a", "\n\n\ndef expression(names): pass"),
    ]
)
GIVEN: dict[str, Any] = dict.fromkeys(NAMES, 1)


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(letter):08x}" if letter in '"\\\n\r' else letter for letter in text) + '"'


@examples(500)
@given(st.one_of(NASTY, WORDS))
@example("]\n    import os\n")
@example("a'];import os;b['a")
def test_text_comes_back_as_it_is(text: str) -> None:
    assert compile_expression(_quoted(text), ENVIRONMENT)(GIVEN) == text


@examples(500)
@given(st.one_of(NASTY, WORDS))
def test_key_finds_its_member_and_nothing_else(key: str) -> None:
    find = compile_expression(f"a[{_quoted(key)}].b", ENVIRONMENT)
    assert find({"a": {key: {"b": 1}}}) == 1
    with pytest.raises(CelError):
        find({"a": {f"{key}'": {"b": 1}}})


@pytest.mark.parametrize("name", ["__class__", "__init__", "keys", "get", "__globals__"])
def test_attribute_of_python_is_no_field(name: str) -> None:
    for value in ({}, [], "text", 1, None, 1.5):
        with pytest.raises(CelError):
            compile_expression(f"a.{name}", ENVIRONMENT)({"a": value})
        with pytest.raises((SpecError, CelError)):
            compile_expression(f"a.{name}()", ENVIRONMENT)({"a": value})


@examples(1000)
@given(st.one_of(NASTY, WORDS, st.builds("{}{}{}".format, EXPRESSIONS, NASTY, EXPRESSIONS)))
def test_any_text_is_refused_or_runs(text: str) -> None:
    try:
        run = compile_expression(text, ENVIRONMENT)
    except SpecError:
        return
    with contextlib.suppress(CelError, CelBudgetError):
        run(GIVEN)


@examples(1000)
@given(EXPRESSIONS, st.fixed_dictionaries(dict.fromkeys(NAMES, DOCUMENTS)))
def test_types_change_no_value(text: str, names: dict[str, Any]) -> None:
    """Where an expression may run, it gives what it gives when nothing is known of its types."""
    try:
        typed = compile_expression(text, ENVIRONMENT)
    except SpecError:
        return
    loose = compile_expression(text, Environment(ENVIRONMENT.variables, KUBERNETES, strict=False))
    assert _ended(typed.run, names) == _ended(loose.run, names)


@examples(1000)
@given(EXPRESSIONS, st.fixed_dictionaries(dict.fromkeys(NAMES, DOCUMENTS)))
def test_any_expression_ends_in_a_value_or_an_error_of_the_language(text: str, names: dict[str, Any]) -> None:
    run = compile_expression(text, Environment({**ENVIRONMENT.variables, "v": DYN}, KUBERNETES, strict=False))
    _ended(run, {**names, "v": None})


@examples(1000)
@given(st.one_of(EXPRESSIONS, st.builds("{}.{}".format, EXPRESSIONS, WORDS)))
def test_source_names_nothing_but_its_own(text: str) -> None:
    try:
        source = compile_expression(text, Environment(ENVIRONMENT.variables, KUBERNETES, strict=False)).source
    except SpecError:
        return
    tree = ast.parse(source)
    made = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert len(made) == len(tree.body), "only functions stand at the top"
    for node in ast.walk(tree):
        assert not isinstance(node, (ast.Import, ast.ImportFrom, ast.Global, ast.Lambda))
        if isinstance(node, ast.Attribute):
            assert node.attr in ("__class__", "append", "present", "value")
        if isinstance(node, ast.Name) and hasattr(builtins, node.id):
            assert node.id in operators.NAMES


def _ended(run: Any, names: dict[str, Any]) -> tuple[str, str]:
    try:
        return "value", repr(run(names))
    except CelError:
        return "error", ""
    except CelBudgetError:
        return "budget", ""


_TEN = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"
_LOOPS = "".join(f"{_TEN}.all(v{number}, " for number in range(9)) + "true" + ")" * 9


@pytest.mark.parametrize(
    "text",
    [
        _LOOPS,
        "lists.range(100000000).size() > 0",
        "lists.range(1000).map(x, lists.range(1000).map(y, lists.range(1000)))",
        "".join(f"cel.bind(t{n}, {f't{n - 1} + t{n - 1}' if n else repr('x' * 50)}, " for n in range(35))
        + "t34"
        + ")" * 35,
        "lists.range(900000).distinct().size() > 0",
        "sets.contains(lists.range(900000), lists.range(900000))",
        "'x'.replace('', 'y'.replace('', lists.range(900000).map(x, 'z').join())) == ''",
        "lists.range(900000).map(x, lists.range(900000).map(x, 'z').join('z')).size() == 0",
        "'%.999f%.999f'.format([1.0, 1.0]).matches('(a*)*b')",
    ],
    ids=lambda text: text[:50],
)
def test_work_is_bounded(text: str) -> None:
    started = time.perf_counter()
    with contextlib.suppress(SpecError, CelError, CelBudgetError):
        compile_expression(text, ENVIRONMENT)(GIVEN)
    assert time.perf_counter() - started < SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "[" * 5000 + "]" * 5000,
        "!" * 5000 + "true",
        "-" * 5000 + "a",
        "a" + ".b" * 5000,
        "a" + "[0]" * 5000,
        "a ? " * 5000 + "1" + " : 2" * 5000,
        "1" + " + 1" * 5000,
        "a.map(x, " * 3000 + "1" + ")" * 3000,
        "1" * (MAX_CHARS + 1),
        "1" * 5000,
        "'" + "\\" * 50_001,
    ],
    ids=lambda text: text[:20],
)
def test_what_is_too_deep_or_too_long_is_refused(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(SpecError):
        compile_expression(text, ENVIRONMENT)
    assert time.perf_counter() - started < SECONDS


def test_many_terms_are_no_depth() -> None:
    assert compile_expression(" && ".join(["true"] * 2000), ENVIRONMENT)(GIVEN) is True


def test_value_that_nests_too_deep_is_an_error() -> None:
    deep: Any = []
    other: Any = []
    for _ in range(100_000):
        deep, other = [deep], [other]
    for text in ("a == b", "a in [b]", "'%s'.format([a])"):
        with pytest.raises(CelError):
            compile_expression(text, ENVIRONMENT)({"a": deep, "b": other, "c": 1})


def shared(levels: int) -> list[Any]:
    """A list that is small in memory, and of 2 to the power of `levels` members where it is written out."""
    value: list[Any] = [1]
    for _ in range(levels):
        value = [value, value]
    return value


@pytest.mark.parametrize("text", ["a == b", "a != b", "b in [a]", "'%s'.format([a])", "[a].distinct() == [b]"])
def test_value_that_holds_itself_many_times_ends_in_bounded_time(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(CelBudgetError):
        compile_expression(text, ENVIRONMENT)({"a": shared(60), "b": shared(60), "c": 1})
    assert time.monotonic() - started < SECONDS


@pytest.mark.parametrize(
    "text", ["a.startsWith('x')", "a.size() == 1", "a + 'x' == ''", "'x' in [a + 'y']", "a < 'x'", "string(a) == ''"]
)
def test_value_that_is_not_what_was_declared_is_no_crash(text: str) -> None:
    run = compile_expression(text, Environment({"a": STRING}, KUBERNETES))
    for value in (1, None, [1], {"b": 1}, 10**400, 1.5):
        _ended(run, {"a": value})


@pytest.mark.parametrize("text", ["a < 1.5", "a == 1.5", "double(a) == 1.0", "a + 1 == 1", "[a].sum() == 1"])
def test_integer_beyond_64_bits_is_no_crash(text: str) -> None:
    with contextlib.suppress(SpecError):
        _ended(compile_expression(text, ENVIRONMENT), {"a": 10**400})


@pytest.mark.parametrize("depth", [5, 15, 38])
def test_deep_nesting_of_every_kind_runs(depth: int) -> None:
    for left, middle, right in (
        ("[1].all(x, ", "true", ")"),
        ("[1].exists(x, a == 1 && ", "x == 1", ")"),
        ("[1].map(x, ", "1", ")"),
        ("(a == 1 ? ", "1", " : 2)"),
        ("(true && (false || ", "true", "))"),
        ("cel.bind(x, 1, ", "x", ")"),
    ):
        nested = depth // 2 if left.startswith("(true") else depth
        text = left * nested + middle + right * nested
        assert compile_expression(text, ENVIRONMENT)(GIVEN) in (1, True) or "map" in left
