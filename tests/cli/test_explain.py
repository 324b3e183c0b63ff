"""`bartizan explain`: the tree that people read, the same as JSON, and what is said where nothing can be explained."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cli.command import ROOT, bartizan
from tests.golden.compare import assert_golden

if TYPE_CHECKING:
    from pathlib import Path

CASES = ROOT / "tests" / "cases" / "explain"
IN_CEL = ("in-cel.yaml", "pods.yaml")
GIVEN = ("policy.yaml", "resources.yaml", "--values", "values.yaml")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param("explain.txt", GIVEN, id="folded"),
        pytest.param("explain-all.txt", (*GIVEN, "--resource", "Pod/shop/web", "--all"), id="unfolded"),
        pytest.param("explain-cel.txt", IN_CEL, id="in CEL"),
        pytest.param("explain-cel-all.txt", (*IN_CEL, "--resource", "Pod/shop/web", "--all"), id="in CEL, unfolded"),
        pytest.param("explain-cel-source.txt", ("in-cel.yaml", "--source", "--rule", "counted"), id="source of CEL"),
        pytest.param("explain-source.txt", ("policy.yaml", "--source", "--rule", "limits"), id="generated source"),
    ],
)
def test_tree_is_as_reviewed(name: str, arguments: tuple[str, ...], pytestconfig: pytest.Config) -> None:
    done = bartizan("explain", *arguments, cwd=CASES)
    assert done.code == 0, done.err
    assert_golden(pytestconfig, name, done.out)


def test_json_has_the_same_reasons_and_places() -> None:
    done = bartizan("explain", *GIVEN, "--rule", "limits", "-o", "json", cwd=CASES)
    (found,) = json.loads(done.out)
    assert found["rule"] == "shop-rules/limits"
    assert found["verdict"] == "failed"
    assert found["reasons"] == ["`/spec/containers/1/imagePullPolicy` is `Never`, not `Always | IfNotPresent`"]
    assert [(place["of"], place["line"]) for place in found["places"]] == [("policy", 48), ("resource", 12)]
    assert found["tree"]["decided"]


def test_why_a_rule_that_is_named_is_not_about_a_resource() -> None:
    done = bartizan("explain", *GIVEN, "--rule", "limits", "--resource", "infra", cwd=CASES)
    assert done.code == 0
    assert "does not apply to Pod kube-system/infra" in done.out
    assert "namespaces asks for `shop`, and this is `kube-system`" in done.out


def test_rules_that_are_about_nothing_here_are_named() -> None:
    done = bartizan("explain", *GIVEN, "--resource", "infra", cwd=CASES)
    assert "Not about these resources: shop-rules/limits." in done.out


def test_a_deployment_points_at_the_line_the_author_wrote(tmp_path: Path) -> None:
    shutil.copy(CASES / "policy.yaml", tmp_path)
    (tmp_path / "web.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  template:\n    spec:\n"
        "      containers:\n      - name: web\n        imagePullPolicy: Never\n"
    )
    done = bartizan("explain", "policy.yaml", "web.yaml", "--rule", "limits", cwd=tmp_path)
    assert "`/spec/template/spec/containers/0/imagePullPolicy` is `Never`" in done.out
    assert "policy.yaml:48:13 (policy)" in done.out
    assert "web.yaml:9:9 (resource)" in done.out


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("policy.yaml", "resources.yaml", "--rule", "limit"), "no rule `limit`", "Did you mean `limits`?"),
        (
            ("policy.yaml", "resources.yaml", "--resource", "Pod/shop/wep"),
            "no resource",
            "Did you mean `Pod/shop/web`?",
        ),
        (("writable-rot", "resources.yaml"), "no built-in check", "Did you mean `writable-root`?"),
        (("gone.yaml", "resources.yaml"), "is no file", "Check the name."),
        (("policy.yaml", "gone.yaml"), "cannot be read", "Check the name"),
        (("policy.yaml",), "no resource found", "Name a file"),
        (("resources.yaml", "resources.yaml"), "no policy found", "Name a file that holds"),
        (("dangling-service", "resources.yaml"), "judges none of these", "It judges Service."),
        (("dangling-service", "--source"), "is not generated", "It is written in Python"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_explained_is_an_error_with_a_hint(arguments: tuple[str, ...], said: str, hint: str) -> None:
    done = bartizan("explain", *arguments, cwd=CASES)
    assert done.code == 2
    assert said in done.err
    assert hint in done.err
    assert "Traceback" not in done.err


def test_a_built_in_check_is_explained_by_its_id() -> None:
    done = bartizan("explain", "writable-root", "resources.yaml", "--resource", "web", cwd=CASES)
    assert "rule writable-root failed on Pod shop/web" in done.out
    assert "is missing" in done.out


def test_a_check_that_compares_resources_shows_what_it_knows(tmp_path: Path) -> None:
    (tmp_path / "service.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec:\n  selector: {app: gone}\n"
    )
    done = bartizan("explain", "dangling-service", "service.yaml", "--all", cwd=tmp_path)
    assert "rule dangling-service failed on Service shop/web" in done.out
    assert "selects no pods" in done.out
    assert "service.yaml:5:3 (resource)" in done.out


def test_standard_input_is_read() -> None:
    done = bartizan(
        "explain", "policy.yaml", "-", "--rule", "limits", text=(CASES / "resources.yaml").read_text(), cwd=CASES
    )
    assert "failed on Pod shop/web" in done.out


def test_nothing_from_a_file_moves_the_cursor(tmp_path: Path) -> None:
    shutil.copy(CASES / "policy.yaml", tmp_path)
    (tmp_path / "pod.json").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "a\u001b[2J", "namespace": "shop"},
                "spec": {"containers": [{"name": "x\u202e", "imagePullPolicy": "\u001b]0;title\u0007"}]},
            }
        )
    )
    done = bartizan("explain", "policy.yaml", "pod.json", "--all", cwd=tmp_path)
    assert done.code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", done.out)


def test_nothing_from_a_policy_is_code_in_its_source(tmp_path: Path) -> None:
    policy = yaml.safe_load((CASES / "policy.yaml").read_text())
    rules = policy["spec"]["rules"]
    rules[0]["validate"]["message"] = "{{ split('\u001b[2J\u202e', '\u0007') }}"
    rules[1]["validate"]["pattern"]["spec"]["\u001b[2J\nimport os"] = "\u202e"
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    done = bartizan("explain", "policy.json", "--source", cwd=tmp_path)
    assert done.code == 0, done.err
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", done.out)
