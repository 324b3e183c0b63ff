"""`bartizan apply`, as people run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

LABEL = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: label}
spec:
  rules:
    - name: team
      match: {any: [{resources: {kinds: [Pod]}}]}
      mutate: {patchStrategicMerge: {metadata: {labels: {+(team): "{{ teamname || 'none' }}"}}}}
    - name: no-latest
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        message: "labelled {{ request.object.metadata.labels.team }}, but latest"
        pattern: {spec: {containers: [{image: "!*:latest"}]}}
"""
PODS = """\
# two pods
apiVersion: v1
kind: Pod
metadata:
  name: good
spec:
  containers: [{name: a, image: "x:1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: bad, labels: {team: red}}
spec:
  containers: [{name: a, image: "x:latest"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy and the pods it is applied to."""
    (tmp_path / "policy.yaml").write_text(LABEL)
    (tmp_path / "pods.yaml").write_text(PODS)
    return tmp_path


def test_difference_and_what_the_rules_said(folder: Path) -> None:
    done = bartizan("apply", "policy.yaml", "-r", "pods.yaml", cwd=folder)
    assert done.code == 1
    assert "--- pod-default-good\n+++ pod-default-good\n" in done.out
    assert "+  labels:\n+    team: none\n" in done.out
    assert "pod-default-bad" not in done.out
    assert "fail  label/no-latest: labelled red, but latest\n      Pod bad\n" in done.err
    assert "2 resources: 1 mutated; pass 2, fail 1, warn 0, error 0, skip 1" in done.err


def test_yaml_is_what_admission_would_keep(folder: Path) -> None:
    done = bartizan("apply", "policy.yaml", "-r", "pods.yaml", "-o", "yaml", "--set", "teamname=blue", cwd=folder)
    (pod,) = yaml.safe_load_all(done.out)
    assert pod == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "good", "labels": {"team": "blue"}},
        "spec": {"containers": [{"name": "a", "image": "x:1"}]},
    }


def test_everything_from_standard_input_as_json(folder: Path) -> None:
    done = bartizan("apply", "policy.yaml", "-r", "-", "-o", "json", "--all", text=PODS, cwd=folder)
    names = [json.loads(line)["metadata"]["name"] for line in done.out.splitlines()]
    assert names == ["good", "bad"]
    assert "pass  label/team: mutated Pod default/good" in done.err


def test_a_file_for_each_object(folder: Path) -> None:
    done = bartizan("apply", "policy.yaml", "-r", "pods.yaml", "--to", "out", cwd=folder)
    assert done.out == ""
    assert [file.name for file in (folder / "out").iterdir()] == ["pod-default-good.yaml"]
    again = bartizan("apply", "policy.yaml", "-r", "out", "-o", "summary", cwd=folder)
    assert (again.code, again.out) == (0, "")
    assert "nothing changed" in again.err


def test_the_same_said_of_many_is_told_once(folder: Path) -> None:
    pod = PODS.split("---")[1]
    (folder / "many.yaml").write_text("---".join(pod.replace("name: bad", f"name: bad{n}") for n in range(9)))
    done = bartizan("apply", "policy.yaml", "-r", "many.yaml", cwd=folder)
    assert done.err.count("label/no-latest") == 1
    assert "Pod bad0, Pod bad1, Pod bad2 and 6 more" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["policy.yaml"], "no resources"),
        (["policy.yaml", "-r", "none.yaml"], "none.yaml: cannot be read"),
        (["none.yaml", "-r", "pods.yaml"], "none.yaml: cannot be read"),
        (["policy.yaml", "-r", "pods.yaml", "--set", "x"], "bad setting `x`"),
        (["pods.yaml", "-r", "pods.yaml"], "no policy found"),
    ],
)
def test_bad_input_says_what_to_do(folder: Path, arguments: list[str], says: str) -> None:
    done = bartizan("apply", *arguments, cwd=folder)
    assert done.code == 2
    assert says in done.err
    assert "hint: " in done.err
    assert "Traceback" not in done.err


def test_a_folder_that_cannot_be_written_leaves_nothing_half_done(folder: Path) -> None:
    (folder / "out").write_text("a file")
    done = bartizan("apply", "policy.yaml", "-r", "pods.yaml", "--to", "out", cwd=folder)
    assert done.code == 3
    assert "cannot write" in done.err
    assert (folder / "out").read_text() == "a file"
