"""`bartizan scan` and the definitions of custom resources: wherever they stand, and whoever reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.command import ROOT, bartizan
from tests.conformance import built

from bartizan.app.definitions import read_definitions
from bartizan.app.supply import Live, Supply
from bartizan.model.report import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.start import ControlPlane

_DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things, singular: thing}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, maximum: 5}
              name: {type: string, maxLength: 9}
            x-kubernetes-validations:
            - rule: "!has(self.name) || self.name != 'bad'"
              message: a bad name
              fieldPath: .name
"""
_THING = """\
apiVersion: example.com/v1
kind: Thing
metadata:
  name: {name}
  namespace: shop
spec:
  size: 9
  name: bad
  sise: 1
---
"""
_SAID = {
    ("crd/things.example.com", "schema", "fail", "/spec/size"),
    ("crd/things.example.com", "unknown-fields", "warn", "/spec/sise"),
    ("crd/things.example.com", "v1.spec#1", "fail", "/spec/name"),
}


def _scan(*arguments: str | Path, text: str | None = None, code: int = 1) -> dict[str, Any]:
    done = bartizan("scan", *arguments, "--check", "latest-image", "--fail-on", "info", "-o", "json", text=text)
    assert done.code == code, done.err
    report: dict[str, Any] = json.loads(done.out)
    return report


def _said(report: dict[str, Any], name: str = "one") -> set[tuple[str, str, str, str]]:
    return {
        (item["policy"], item["rule"], item["result"], item["path"])
        for item in report["findings"]
        if item["resource"]["name"] == name
    }


def test_a_definition_may_come_after_its_resources(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(_THING.format(name="one"))
    (tmp_path / "z.yaml").write_text(_DEFINITION)
    report = _scan(tmp_path)
    assert _said(report) == _SAID
    places = {item["path"]: item["location"]["line"] for item in report["findings"]}
    assert places == {"/spec/size": 7, "/spec/name": 8, "/spec/sise": 9}
    assert all(item["location"]["file"].endswith("a.yaml") for item in report["findings"])


def test_standard_input_and_lists() -> None:
    assert _said(_scan("-", text=f"{_THING.format(name='one')}{_DEFINITION}")) == _SAID
    indented = "\n".join(f"  {line}" for line in _DEFINITION.splitlines())
    text = f"apiVersion: v1\nkind: List\nitems:\n- {indented.strip()}\n---\n{_THING.format(name='one')}"
    assert _said(_scan("-", text=text)) == _SAID


def test_several_workers_say_the_same(tmp_path: Path) -> None:
    for number in range(4):
        things = "".join(_THING.format(name=f"n{number}-{index}") for index in range(800))
        (tmp_path / f"{number}.yaml").write_text(things)
    (tmp_path / "z.yaml").write_text(_DEFINITION)
    alone, shared = (_scan(tmp_path, "--workers", str(workers)) for workers in (1, 3))
    assert alone["findings"] == shared["findings"]
    assert len(alone["findings"]) == 3 * 4 * 800


def test_what_is_wrong_with_a_definition_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "crd.yaml").write_text(_DEFINITION.replace("self.name != 'bad'", "self.nam != 'bad'"))
    report = _scan(tmp_path, code=2)
    (problem,) = report["problems"]
    assert "unknown field `nam`" in problem["message"]
    assert problem["location"]["line"] == 24
    assert "self.nam " in problem["excerpt"]


def test_without_definitions_nothing_is_read_or_brought(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(_THING.format(name="one"))
    assert not _scan(tmp_path, code=0)["findings"]
    program = (
        "import sys; sys.argv = ['bartizan', 'scan', sys.argv[1], '--check', 'latest-image']\n"
        "from bartizan.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert not [name for name in sys.modules if 'kubernetes.crd' in name or 'lang.cel' in name]\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, env={"PYTHONPATH": str(ROOT / "src")})


def test_a_chart_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm = built("helm")["helm"].parent
    monkeypatch.setenv("PATH", os.pathsep.join([str(helm), os.environ["PATH"]]))
    (tmp_path / "crds").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: things\nversion: 1.0.0\n")
    (tmp_path / "crds" / "things.yaml").write_text(_DEFINITION)
    (tmp_path / "templates" / "one.yaml").write_text(_THING.format(name="one"))
    assert _said(_scan(tmp_path)) == _SAID


def test_what_a_cluster_does_not_tell_is_a_note() -> None:
    """A scan of one namespace must not fail for want of a right that it hardly needs; but it says so."""
    refused = Problem("world", "`customresourcedefinitions` is unknown: forbidden")
    live = Live("prod", tuple, dict, _Nobody(), lambda: None, lambda: [refused])
    found = read_definitions(Supply((), None, live, 1), live)
    assert not found.rules
    assert not found.problems
    (note,) = found.notes
    assert note.kind == "unknown-definitions"
    assert "forbidden" in note.message


class _Nobody:
    """Answers nothing, for nobody asks."""

    def answer(self, question: object) -> object:
        raise AssertionError(question)


@pytest.mark.xdist_group("cluster")
def test_a_cluster_brings_its_own(control_plane: ControlPlane, tmp_path: Path) -> None:
    """Manifests are checked against what the cluster would say, and a file counts before the cluster."""
    control_plane.apply(_DEFINITION.replace("example.com", "live.example.com"))
    thing = _THING.format(name="one").replace("example.com", "live.example.com")
    (tmp_path / "a.yaml").write_text(thing)
    cluster = ("--kubeconfig", control_plane.kubeconfig, "--context", "test", "--kind", "namespaces")
    expected = {(policy.replace("example", "live.example"), *rest) for policy, *rest in _SAID}
    assert _said(_scan(tmp_path, *cluster)) == expected
    looser = _DEFINITION.replace("example.com", "live.example.com").replace("maximum: 5", "maximum: 50")
    (tmp_path / "z.yaml").write_text(looser)
    assert {rule for _, rule, _, _ in _said(_scan(tmp_path, *cluster))} == {"unknown-fields", "v1.spec#1"}
