"""`bartizan cel`: what a policy author sees who tries an expression."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 3, image: "nginx:1"}
"""
OTHER = DEPLOYMENT.replace("web", "api").replace("replicas: 3", "replicas: 1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.yaml"
    path.write_text(DEPLOYMENT)
    return path


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        pytest.param(["object.spec.replicas > 1"], "true\n", id="a condition"),
        pytest.param(["object.metadata.name"], "'web'\n", id="a text as the language has it"),
        pytest.param(["[duration('90s'), duration('1h')]"], '[duration("90s"), duration("3600s")]\n', id="times"),
        pytest.param(["object.?spec.paused"], "optional.none()\n", id="nothing"),
        pytest.param(["-o", "json", "object.metadata"], '{\n  "name": "web",\n  "namespace": "shop"\n}\n', id="JSON"),
        pytest.param(["-o", "json", "duration('90s')"], '"90s"\n', id="a time as JSON"),
        pytest.param(["-o", "json", "optional.of(b'abc')"], '"YWJj"\n', id="bytes as JSON"),
        pytest.param(["-o", "json", "{1: true, false: null}"], None, id="members of different types are refused"),
        pytest.param(["-o", "yaml", "object.metadata"], "name: web\nnamespace: shop\n", id="YAML"),
        pytest.param(["--type", "object.spec.replicas > 1"], "true\ntype: bool\n", id="with the type"),
        pytest.param(["--cost", "object.spec.replicas > 1"], "true\ncost: 4 of 1,000,000\n", id="with the cost"),
        pytest.param(["request.operation"], "'CREATE'\n", id="the request is a create"),
        pytest.param(["--user", "jo", "--group", "dev", "request.userInfo.groups"], "['dev']\n", id="who asks"),
        pytest.param(["namespaceObject.metadata.name"], "'shop'\n", id="the namespace is known by its name"),
        pytest.param(
            ["--variable", "n=object.spec.replicas", "--variable", "m=variables.n * 2", "variables.m + 1"],
            "7\n",
            id="variables see those before them",
        ),
    ],
)
def test_value(file: Path, arguments: list[str], out: str | None) -> None:
    done = bartizan("cel", *arguments, file)
    assert (done.code, done.out) == ((0, out) if out else (2, ""))


def test_trace_shows_what_decided(file: Path) -> None:
    text = "object.spec.replicas > 5 && object.spec.image == 'x' || has(object.spec.image)"
    done = bartizan("cel", "--trace", "--cost", text, file)
    assert done.out == (
        "> object.spec.replicas > 5 && object.spec.image == 'x' || has(o… = true  (cost 6)\n"
        "    object.spec.replicas > 5 && object.spec.image == 'x' = false  (cost 4)\n"
        "      object.spec.replicas > 5 = false  (cost 4)\n"
        "        object.spec.replicas = 3  (cost 3)\n"
        "·     object.spec.image == 'x' not evaluated\n"
        ">   has(object.spec.image) = true  (cost 2)\n"
        "cost: 6 of 1,000,000\n"
    )


def test_trace_as_json(file: Path) -> None:
    made = json.loads(bartizan("cel", "--trace", "-o", "json", "object.spec.replicas > 5", file).out)
    assert made == {
        "value": False,
        "trace": {
            "kind": "call",
            "text": "object.spec.replicas > 5",
            "column": 22,
            "value": False,
            "cost": 4,
            "decided": True,
            "children": [
                {
                    "kind": "field",
                    "text": "object.spec.replicas",
                    "column": 12,
                    "value": 3,
                    "cost": 3,
                    "decided": False,
                }
            ],
        },
    }


def test_several_documents_have_names(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(f"{DEPLOYMENT}---\n{OTHER}---\nplain: true\n")
    done = bartizan("cel", "object.?spec.replicas.orValue(0)", path)
    assert done.out == (f"# Deployment shop/web ({path}:1)\n3\n# Deployment shop/api ({path}:6)\n1\n# {path}:11\n0\n")
    made = yaml.safe_load(bartizan("cel", "-o", "yaml", "object.?spec.replicas.orValue(0)", path).out)
    assert [item["value"] for item in made] == [3, 1, 0]


def test_error_of_one_document_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(f"plain: true\n---\n{DEPLOYMENT}")
    done = bartizan("cel", "object.spec.replicas", path)
    assert done.code == 2
    assert done.out.endswith("\n3\n")
    assert done.err == f"error: {path}:1: no such key: spec\n  object.spec.replicas\n         ^\n"


def test_change_parameters_and_request_come_from_files(file: Path, tmp_path: Path) -> None:
    old, params, request = tmp_path / "old.yaml", tmp_path / "params.yaml", tmp_path / "request.yaml"
    old.write_text(OTHER)
    params.write_text("most: 2\n")
    request.write_text("request: {operation: UPDATE, userInfo: {username: ada}}\n")
    text = (
        "oldObject.spec.replicas < params.most && params.most < object.spec.replicas && request.operation == 'UPDATE'"
    )
    assert bartizan("cel", "--old", old, "--params", params, text, file).out == "true\n"
    assert bartizan("cel", "--request", request, "request.userInfo.username", file).out == "'ada'\n"
    assert bartizan("cel", "--old", old, "object == null && oldObject != null && request.operation").code == 2
    assert bartizan("cel", "--old", old, "object == null && request.operation == 'DELETE'").out == "true\n"


def test_namespace_is_an_object_where_it_is_given(file: Path, tmp_path: Path) -> None:
    namespace = tmp_path / "namespace.yaml"
    namespace.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n")
    done = bartizan("cel", "--namespace-object", namespace, "namespaceObject.metadata.labels.team", file)
    assert done.out == "'a'\n"


def test_the_expression_and_the_object_may_each_come_from_standard_input(file: Path, tmp_path: Path) -> None:
    rule = tmp_path / "rule.cel"
    rule.write_text("object.metadata.name +\n  '!'\n")
    assert bartizan("cel", "-f", rule, file).out == "'web!'\n"
    assert bartizan("cel", "-f", "-", file, text="object.metadata.name").out == "'web'\n"
    assert bartizan("cel", "object.metadata.name", "-", text=DEPLOYMENT).out == "'web'\n"
    assert bartizan("cel", "1 + 1").out == "2\n"
    assert bartizan("cel", "--type", "quantity('1Gi').asInteger()").out == "int\n"


@pytest.mark.parametrize(
    ("text", "err"),
    [
        pytest.param(
            "object.spec. > 1", "error: unexpected `>`\n  object.spec. > 1\n               ^\n", id="malformed"
        ),
        pytest.param(
            "objekt.spec",
            "error: unknown name `objekt`\n  objekt.spec\n  ^\n  hint: Did you mean `object`?\n",
            id="unknown name",
        ),
        pytest.param(
            "object.spec.gone == 1 && true",
            "error: no such key: gone\n  object.spec.gone == 1 && true\n              ^\n",
            id="missing field, at its place",
        ),
        pytest.param(
            "true &&\n  object.spec.image.x",
            "error: no such key: x\n    object.spec.image.x\n                      ^\n",
            id="on the second line",
        ),
        pytest.param(
            "object.spec.replicas.startsWith('x')",
            "error: no such overload\n  object.spec.replicas.startsWith('x')\n                       ^\n",
            id="an operation that is not there",
        ),
    ],
)
def test_error_shows_the_place(file: Path, text: str, err: str) -> None:
    done = bartizan("cel", text, file)
    assert (done.code, done.out) == (2, "")
    assert done.err == err


def test_cost_beyond_the_limit_is_an_error() -> None:
    done = bartizan("cel", "--cost", "lists.range(80000).map(i, i + 1).size() == 80000")
    assert done.code == 2
    assert "operation cancelled: actual cost limit exceeded" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "no expression", id="no expression"),
        pytest.param(["1", "/nonexistent/file.yaml"], "cannot be read", id="no such file"),
        pytest.param(["-f", "/nonexistent/file.cel"], "cannot be read", id="no such expression file"),
        pytest.param(["--variable", "x", "1"], "is no variable", id="a variable without a value"),
        pytest.param(["--variable", "x=1 +", "1"], "ends too early", id="a variable that does not compile"),
    ],
)
def test_bad_usage(arguments: list[str], said: str) -> None:
    done = bartizan("cel", *arguments)
    assert done.code == 2
    assert said in done.err


def test_control_characters_are_made_visible(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text('name: "\\e[31mred"\n')
    done = bartizan("cel", "object.name", path)
    assert "\x1b" not in done.out
    assert "\x1b" not in bartizan("cel", "--trace", "object.name", path).out
