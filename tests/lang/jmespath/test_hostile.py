"""Hostile expressions and values: they are refused or answered in bounded time, and never become code."""

from __future__ import annotations

import ast
import builtins
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.lang.jmespath.answers import FUNCTIONS, ask
from tests.lang.jmespath.expressions import EXPRESSIONS
from tests.laws import examples

from bartizan.base.errors import SpecError
from bartizan.lang.jmespath import JmesPathError, compile_expression, runtime
from bartizan.lang.jmespath.emit import emit
from bartizan.lang.jmespath.parse import MAX_CHARS, MAX_DEPTH, MAX_NODES, parse

SECONDS = 5.0  # far above what any of these takes; what it catches is unbounded
NASTY = st.text(
    st.one_of(st.sampled_from("\"'\\\n\r\0{}[]()`#;:=%$@_.\u2028\u202e"), st.characters(exclude_categories=["Cs"])),
    max_size=30,
)
WORDS = st.sampled_from(
    [
        *("__import__", "__class__", "__builtins__", "__globals__", "eval", "exec", "value", "expression"),
        *("NotFoundError", "is_false", "t1", "c1", "part1", "None", "lambda", "import os", "{value}", "%s", "'''"),
        *('"""', "\\", "\\N{BULLET}", "]\n    import os\n", "a'];import os;b['a", "\n\n\ndef expression(value): pass"),
    ]
)


def _quoted(key: str) -> str:
    escaped = "".join(f"\\u{ord(letter):04x}" if ord(letter) < 0x20 else letter for letter in key)
    return '"' + escaped.replace("\\u", "\0").replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\\u") + '"'


def _raw(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"


@examples(500)
@given(st.one_of(NASTY, WORDS))
@example("]\n    import os\n")
@example("a'];import os;b['a")
def test_key_finds_its_member_and_nothing_else(key: str) -> None:
    try:
        function = compile_expression(f"a.{_quoted(key)}.b", FUNCTIONS)
    except SpecError:
        return  # refused by the parser, which is as good
    assert function({"a": {key: {"b": 1}}}) == 1
    with pytest.raises(JmesPathError):
        function({"a": {"another": {"b": 1}}})


@examples(500)
@given(st.one_of(NASTY, WORDS))
def test_text_comes_back_as_it_is(text: str) -> None:
    try:
        function = compile_expression(_raw(text), FUNCTIONS)
    except SpecError:
        return
    value = function({})
    assert isinstance(value, str)
    assert value.replace("\\", "") == text.replace("\\", "")


@examples(1000)
@given(st.one_of(EXPRESSIONS, NASTY, WORDS.map(_quoted), st.builds("{}.{}".format, EXPRESSIONS, WORDS.map(_quoted))))
def test_source_names_nothing_but_its_own(text: str) -> None:
    try:
        source, constants = emit(parse(text), FUNCTIONS, strict=True)
    except (SpecError, KeyError):  # a call of what is not there is refused before anything is written
        return
    tree = ast.parse(source)
    made = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert len(made) == len(tree.body), "only functions stand at the top"
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert loaded <= made | stored | set(runtime.NAMES) | set(constants) | {"value", "missing"}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert attributes <= {"append", "values", "args"}
    assert not any(isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Lambda) for node in ast.walk(tree))


def test_no_builtin_is_reachable() -> None:
    function: Any = compile_expression("a[?b > `1`].c | length(@)", FUNCTIONS)
    assert function.__globals__["__builtins__"] == {}
    reachable = {name for name in dir(builtins) if name in function.__globals__}
    assert reachable == {"KeyError", "TypeError", "dict", "isinstance", "len", "list", "type"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 60_000, id="open parentheses"),
        pytest.param("!" * 60_000, id="not, again and again"),
        pytest.param("a." * 30_000 + "a", id="a long path"),
        pytest.param("[" + "a," * 30_000 + "a]", id="a wide list"),
        pytest.param("a|" * 30_000 + "a", id="many pipes"),
        pytest.param("a||" * 20_000 + "a", id="many alternatives"),
        pytest.param("length(" * 9000, id="nested calls"),
        pytest.param("[" * (MAX_DEPTH + 1) + "a" + "]" * (MAX_DEPTH + 1), id="one level too deep"),
        pytest.param("`" + "[" * 20_000 + "]" * 20_000 + "`", id="a deep literal"),
        pytest.param("`" + "9" * 5000 + "`", id="a huge number"),
        pytest.param("'" + "x" * MAX_CHARS + "'", id="too many characters"),
        pytest.param("a[?b]" * MAX_NODES, id="too many parts"),
        pytest.param("`foo`", id="a bare literal"),
        pytest.param("", id="nothing"),
        pytest.param("\0", id="a null character"),
        pytest.param("a[::0]", id="no step"),
        pytest.param("lenght(@)", id="a misspelt function"),
        pytest.param("length(@, @)", id="too many arguments"),
        pytest.param("__import__('os')", id="a builtin of Python"),
    ],
)
def test_refused_with_a_hint(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(SpecError) as caught:
        compile_expression(text, FUNCTIONS)
    assert time.perf_counter() - start < SECONDS
    assert caught.value.hint
    assert len(caught.value.message) < 500


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    "text",
    ["a == b", "to_string(a)", "contains([a], b)", "a[] | length(@)", "type(a)", "[a, b] | sort(@)"],
)
def test_deep_values_end_in_an_answer(text: str) -> None:
    answer = ask(text, {"a": _deep(2000), "b": _deep(2000)})
    assert answer.keys() <= {"result", "error"}


@pytest.mark.parametrize(
    "text",
    [
        "random('[a-z]{1000}{1000}')",
        "random('((a{100}){100}){100}')",
        "random('(((((a*)*)*)*)*)*')",
        "regex_match('(a*)*b', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
        "regex_match('(a{1000}){1000}', 'a')",
        "multiply('1e9999', `1e308`)",
        "divide('1e9999', '1e-9999')",
        "round(`1e308`, `308`)",
        "to_number('9e999999999')",
        "semver_compare('1.2.3', '>=99999999999999999999999.0.0')",
        "time_add('9999-12-31T23:59:59Z', '2562047h')",
        "parse_yaml('a: [&x [1], *x, *y]')",
        "parse_json('[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[')",
    ],
)
def test_hostile_arguments_end_in_an_answer(text: str) -> None:
    start = time.perf_counter()
    assert ask(text, {}).keys() <= {"result", "error"}
    assert time.perf_counter() - start < SECONDS
