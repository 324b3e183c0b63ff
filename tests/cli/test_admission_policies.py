"""Kubernetes' own admission policies at the command line: scanned with, applied, tested."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

_GROUP = "admissionregistration.k8s.io"
_POLICY = f"""\
apiVersion: {_GROUP}/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: few
spec:
  paramKind: {{apiVersion: v1, kind: ConfigMap}}
  matchConstraints:
    resourceRules:
    - {{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}}
  validations:
  - expression: params == null || object.spec.replicas <= int(params.data.most)
    messageExpression: "'at most ' + params.data.most"
"""
_BINDING = f"""\
apiVersion: {_GROUP}/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: everywhere}}
spec:
  policyName: few
  validationActions: [Deny]
  paramRef: {{name: limits, parameterNotFoundAction: Deny}}
"""
_MUTATION = f"""\
apiVersion: {_GROUP}/v1beta1
kind: MutatingAdmissionPolicy
metadata: {{name: counted}}
spec:
  reinvocationPolicy: IfNeeded
  matchConstraints:
    resourceRules:
    - {{apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments]}}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: >-
        Object{{metadata: Object.metadata{{labels: {{'times': object.metadata.?labels.times.orValue('') + 'x'}}}}}}
"""
_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: big
spec:
  replicas: 5
  selector: {matchLabels: {app: big}}
  template:
    metadata: {labels: {app: big}}
    spec: {containers: [{name: main, image: "big:1"}]}
"""
_LIMITS = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: limits}
data: {most: "3"}
"""


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)


def test_a_policy_and_its_binding_stand_in_two_files(tmp_path: Path) -> None:
    _write(tmp_path, policy=_POLICY, binding=_BINDING, resources=_DEPLOYMENT + _LIMITS)
    policies = ("--policy", tmp_path / "policy.yaml", "--policy", tmp_path / "binding.yaml")
    done = bartizan("scan", tmp_path / "resources.yaml", *policies, "-o", "json")
    report = json.loads(done.out)
    (finding,) = report["findings"]
    rule = report["rules"][0]
    assert (rule["policy"], rule["rule"]) == ("few", "everywhere")
    assert (finding["result"], finding["message"]) == ("fail", "at most 3")
    assert report["notes"] == []


def test_a_policy_alone_is_judged_by_and_that_is_noted(tmp_path: Path) -> None:
    _write(tmp_path, policy=_POLICY, resources=_DEPLOYMENT)
    report = json.loads(
        bartizan("scan", tmp_path / "resources.yaml", "--policy", tmp_path / "policy.yaml", "-o", "json").out
    )
    assert report["findings"] == []
    (note,) = report["notes"]
    assert note["kind"] == "admission-policies"
    assert "policy.yaml:2: no binding of ValidatingAdmissionPolicy `few` was given" in note["message"]


def test_parameters_that_must_be_there(tmp_path: Path) -> None:
    _write(tmp_path, policy=f"{_POLICY}---\n{_BINDING}", resources=_DEPLOYMENT)
    report = json.loads(
        bartizan("scan", tmp_path / "resources.yaml", "--policy", tmp_path / "policy.yaml", "-o", "json").out
    )
    (finding,) = report["findings"]
    assert finding["result"] == "error"
    assert finding["message"].startswith("failed to configure binding: no params found")


def test_a_broken_policy_has_its_line(tmp_path: Path) -> None:
    _write(tmp_path, policy=_POLICY.replace("CREATE", "CRATE"), resources=_DEPLOYMENT)
    done = bartizan("scan", tmp_path / "resources.yaml", "--policy", tmp_path / "policy.yaml")
    assert done.code == 2
    assert "policy.yaml:9" in done.out + done.err
    assert "Did you mean `CREATE`?" in done.out + done.err


def test_what_is_mutated_is_written_and_asked_again(tmp_path: Path) -> None:
    _write(tmp_path, policy=_MUTATION, resources=_DEPLOYMENT)
    done = bartizan("apply", tmp_path / "policy.yaml", "-r", tmp_path / "resources.yaml", "-o", "yaml")
    assert done.code == 0
    assert "times: xx\n" in done.out


def test_an_explanation_shows_what_decided(tmp_path: Path) -> None:
    _write(tmp_path, policy=f"{_POLICY}---\n{_BINDING}", resources=_DEPLOYMENT + _LIMITS)
    done = bartizan("explain", tmp_path / "policy.yaml", tmp_path / "resources.yaml", "--resource", "big")
    assert "rule few/everywhere failed on Deployment default/big" in done.out
    assert "message: at most 3" in done.out
    assert "policy.yaml:11:" in done.out
    assert "object.spec.replicas = 5" in done.out
    assert 'params.data.most = "3"' in done.out


def test_an_explanation_of_what_is_skipped_broken_and_mutated(tmp_path: Path) -> None:
    skipping = "  matchConditions: [{name: big, expression: object.spec.replicas > 9}]\n"
    broken = _POLICY.replace("name: few", "name: broken").replace("params == null || ", "")
    texts = (_POLICY + skipping, broken, _MUTATION)
    _write(tmp_path, policy="---\n".join(texts), resources=_DEPLOYMENT)
    done = bartizan("explain", tmp_path / "policy.yaml", tmp_path / "resources.yaml")
    assert "rule few does not apply to Deployment default/big" in done.out
    assert "because `object.spec.replicas > 9` is false" in done.out
    assert "policy.yaml:13:" in done.out
    assert "rule broken" in done.out
    assert "`params.data`: no such key: data" in done.out
    assert "policy.yaml:25:" in done.out
    assert "rule counted passed on" in done.out
    unknown = bartizan("explain", tmp_path / "policy.yaml", tmp_path / "resources.yaml", "--rule", "brken")
    assert unknown.code == 2
    assert "Did you mean `broken`?" in unknown.err
