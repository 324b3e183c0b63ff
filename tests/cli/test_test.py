"""`bartizan test`: what a policy author sees of a test that passes, fails, or cannot be run."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "policy.yaml": """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: tags}
spec:
  rules:
  - name: no-latest
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate: {message: "a tag, and not latest", pattern: {spec: {containers: [{image: "!*:latest"}]}}}
  - name: approved
    match: {any: [{resources: {kinds: [Pod]}}]}
    context: [{name: tags, configMap: {name: tags, namespace: shop}}]
    validate:
      message: unknown tag
      deny:
        conditions:
          all:
          - {key: "{{ request.object.metadata.labels.tag || '' }}", operator: AnyNotIn, value: "{{ tags.data.known }}"}
""",
    "resources.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: good, labels: {tag: one}}
spec: {containers: [{name: app, image: "app:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bad, labels: {tag: two}}
spec: {containers: [{name: app, image: "app:latest"}]}
""",
    "values.yaml": """\
policies:
- name: tags
  rules:
  - {name: approved, values: {tags.data.known: '["one"]'}}
""",
    "kyverno-test.yaml": """\
apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: {name: tags}
policies: [policy.yaml]
resources: [resources.yaml]
variables: values.yaml
results:
- {policy: tags, rule: no-latest, kind: Pod, resources: [good], result: pass}
- {policy: tags, rule: no-latest, kind: Pod, resources: [bad], result: pass}
- {policy: tags, rule: approved, kind: Pod, resources: [good], result: pass}
- {policy: tags, rule: approved, kind: Pod, resources: [bad], result: fail}
""",
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder with a test of four cases, one of which expects what does not come."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_row_for_each_case_and_a_difference_for_the_wrong_one(suite: Path) -> None:
    done = bartizan("test", suite)
    assert done.code == 1
    marks = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ") and "Pod/default/" in line]
    assert marks == ["pass", "FAIL", "pass", "pass"]
    assert "- pass\n        + fail\n        a tag, and not latest" in done.out
    assert done.out.endswith("3 passed, 1 failed\n")


def test_a_mended_test_passes(suite: Path) -> None:
    file = suite / "kyverno-test.yaml"
    file.write_text(file.read_text().replace("resources: [bad], result: pass", "resources: [bad], result: fail"))
    done = bartizan("test", file)
    assert done.code == 0
    assert "4 passed, 0 failed" in done.out


@pytest.mark.parametrize(
    ("wanted", "number"),
    [("rule=approved", 2), ("resource=Pod/default/good", 2), ("policy=other", 0), ("policy=t*,rule=no-*", 2)],
)
def test_filter(suite: Path, wanted: str, number: int) -> None:
    report = json.loads(bartizan("test", suite, "--filter", wanted, "-o", "json").out)
    assert len(report["cases"]) == number


def test_explain_says_why_what_passes_passes(suite: Path) -> None:
    assert "unknown tag" not in bartizan("test", suite).out
    assert "unknown tag" in bartizan("test", suite, "--explain").out


def test_failures_only(suite: Path) -> None:
    report = json.loads(bartizan("test", suite, "--fail-only", "-o", "json").out)
    (case,) = report["cases"]
    assert (case["rule"], case["expected"], case["result"]) == ("no-latest", "pass", "fail")
    assert report["summary"] == {"passed": 3, "failed": 1, "unsupported": 0}


def test_junit(suite: Path) -> None:
    (group,) = ET.fromstring(bartizan("test", suite, "-o", "junit").out)  # noqa: S314 (our own output)
    assert (group.get("tests"), group.get("failures"), group.get("skipped")) == ("4", "1", "0")
    (failure,) = group.iter("failure")
    assert failure.get("message") == "expected pass, got fail: a tag, and not latest"


def test_strict_wants_an_answer(suite: Path) -> None:
    file = suite / "kyverno-test.yaml"
    file.write_text(file.read_text().replace("rule: approved", "rule: approvd"))
    assert "3 passed, 1 failed" in bartizan("test", suite).out
    assert "1 passed, 3 failed" in bartizan("test", suite, "--strict").out


def test_a_resource_that_is_not_there_fails(suite: Path) -> None:
    file = suite / "kyverno-test.yaml"
    file.write_text(file.read_text().replace("resources: [bad]", "resources: [bed, bad]"))
    done = bartizan("test", suite)
    assert done.code == 1
    assert "no such resource" in done.out


BROKEN = {
    "no test at all": ("kyverno-test.yaml", "[1]\n", "must be a mapping", 1),
    "results that are a text": ("kyverno-test.yaml", "policies: []\nresults: all\n", "`results` must be a list", 2),
    "a policy with a typo": (
        "policy.yaml",
        FILES["policy.yaml"].replace("validate: {message", "validat: {message"),
        "unknown field `validat`",
        8,
    ),
    "values that are no mapping": ("values.yaml", "globalValues: 3\n", "`globalValues` must be a mapping", 1),
    "broken resources": ("resources.yaml", "a: [\n", "", 0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_said_and_the_other_tests_run(suite: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for file, text in FILES.items():
        (other / file).write_text(text)
    changed, text, said, line = BROKEN[name]
    (suite / changed).write_text(text)
    done = bartizan("test", suite, "-o", "json")
    report = json.loads(done.out)
    assert done.code == 2
    assert len(report["cases"]) == 4, "those of the other test"
    (error,) = report["errors"]
    assert said in error["message"]
    assert error["at"].startswith(f"{suite / changed}:{line}" if line else str(suite / changed))
    assert error["hint"]


def test_nothing_to_test_and_a_bad_filter_are_said(tmp_path: Path) -> None:
    assert "no kyverno-test.yaml found" in bartizan("test", tmp_path).err
    done = bartizan("test", tmp_path, "--filter", "rul=x")
    assert (done.code, "bad filter" in done.err) == (2, True)
