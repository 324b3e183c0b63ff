"""`bartizan jp`: what a policy author sees who tries an expression."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

POD = """\
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: a, image: "nginx:1"}, {name: b, image: redis}]}
"""


@pytest.fixture
def pod(tmp_path: Path) -> Path:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    return file


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        pytest.param(["metadata.name"], '"web"\n', id="a text is JSON"),
        pytest.param(["-u", "metadata.name"], "web\n", id="a text is bare where that is wanted"),
        pytest.param(["-c", "metadata"], '{"labels":{"app":"web"},"name":"web"}\n', id="JSON on one line"),
        pytest.param(["-o", "yaml", "metadata"], "name: web\nlabels:\n  app: web\n", id="YAML of an object"),
        pytest.param(["-o", "yaml", "spec.containers[].image"], '- "nginx:1"\n- redis\n', id="YAML of a list"),
        pytest.param(["-o", "yaml", "length(spec.containers)"], "2\n", id="YAML of a number"),
        pytest.param(
            ["metadata.name", "length(spec.containers)"],
            '# metadata.name\n"web"\n# length(spec.containers)\n2\n',
            id="several expressions, each above its result",
        ),
        pytest.param(["-c", "divide('3', '2')"], "1.5\n", id="the functions that Kyverno adds"),
        pytest.param(["metadata.team || 'none'"], '"none"\n', id="another value for a missing key"),
    ],
)
def test_query_prints_what_an_expression_gives(pod: Path, arguments: list[str], out: str) -> None:
    done = bartizan("jp", "query", "-i", pod, *arguments)
    assert (done.code, done.out, done.err) == (0, out, "")


def test_the_input_and_the_expression_may_each_come_from_standard_input(pod: Path, tmp_path: Path) -> None:
    asked = tmp_path / "name.jmespath"
    asked.write_text("metadata.name\n")
    assert bartizan("jp", "query", "-u", "metadata.name", text=POD).out == "web\n"
    assert bartizan("jp", "query", "-u", "-i", "-", "metadata.name", text=POD).out == "web\n"
    assert bartizan("jp", "query", "-u", "-q", asked, text=POD).out == "web\n"
    assert bartizan("jp", "query", "-u", "-i", pod, text="metadata.name\n").out == "web\n"
    both = bartizan("jp", "query", text=POD)
    assert both.code == 2
    assert "hint: Type an expression, or name the input with -i." in both.err


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        pytest.param(
            "metadata.nam",
            "error: unknown key `nam`\n  metadata.nam\n           ^\n  hint: Write `|| 'default'` behind",
            id="a missing key, with its place",
        ),
        pytest.param(
            "metadata.name | trunkate(@, `1`)",
            "  metadata.name | trunkate(@, `1`)\n                  ^\n  hint: Did you mean `truncate`?",
            id="an unknown function",
        ),
        pytest.param("truncate('a')", "  truncate('a')\n  ^\n  hint: Call `truncate(string, number)`.", id="arguments"),
        pytest.param("metadata ||", "  metadata ||\n             ^\n  hint: ", id="an end that comes too early"),
        pytest.param("truncate(`1`, `2`)", "error: `truncate` takes string as argument 1, not number", id="a type"),
    ],
)
def test_an_error_shows_the_place_in_the_expression(pod: Path, expression: str, said: str) -> None:
    done = bartizan("jp", "query", "-i", pod, expression)
    assert done.code == 2
    assert done.out == ""
    assert said in done.err


def test_an_expression_that_fails_does_not_stop_the_others(pod: Path) -> None:
    done = bartizan("jp", "query", "-i", pod, "a.b", "metadata.name")
    assert done.code == 2
    assert done.out == '# a.b\n# metadata.name\n"web"\n'


def test_an_input_that_cannot_be_read_is_said_with_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1\n")
    done = bartizan("jp", "query", "-i", broken, "a")
    assert done.code == 2
    assert f"{broken}:" in done.err
    assert "cannot be read" in bartizan("jp", "query", "-i", tmp_path / "none.yaml", "a").err


def test_parse_shows_the_tree_readable_and_as_json() -> None:
    readable = bartizan("jp", "parse", "a.b | truncate(@, `9`)")
    assert readable.out.splitlines() == [
        "pipe",
        "  subexpression",
        '    field "a"',
        '    field "b"',
        '  function expression "truncate"',
        "    current",
        "    literal 9",
    ]
    tree = json.loads(bartizan("jp", "parse", "-o", "json", text="a[0]").out)
    assert tree == {
        "type": "index_expression",
        "children": [{"type": "field", "value": "a"}, {"type": "index", "value": 0}],
    }


def test_parse_says_where_an_expression_is_broken() -> None:
    done = bartizan("jp", "parse", "a ]")
    assert done.code == 2
    assert "  a ]\n    ^\n" in done.err


def test_function_lists_all_and_explains_one() -> None:
    every = bartizan("jp", "function").out.splitlines()
    assert len(every) == 76
    assert any(line.startswith("truncate(string, number) ") for line in every)
    one = bartizan("jp", "function", "truncate")
    assert yaml.safe_load(one.out.split("\n", 1)[1].split("gives:")[1]) == "deploy"
    typo = bartizan("jp", "function", "trucate")
    assert (typo.code, "Did you mean `truncate`?" in typo.err) == (2, True)


def test_literals_need_no_input() -> None:
    done = bartizan("jp", "query", "length(`[1, 2]`)", text="")
    assert (done.code, done.out) == (0, "2\n")
