"""What a controller's pods repeat is said once, of the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bartizan.findings import without_copies
from bartizan.model.finding import Finding, RuleId, RuleInfo
from bartizan.model.resource import ResourceId
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from bartizan.findings.copies import Minded

_CONTROLLERS: dict[Minded, tuple[str, str]] = {
    ("Pod", "shop", "web-1-x"): ("ReplicaSet", "web-1"),
    ("ReplicaSet", "shop", "web-1"): ("Deployment", "web"),
    ("Pod", "shop", "odd"): ("Rollout", "odd"),
    ("Pod", "shop", "a"): ("Pod", "b"),
    ("Pod", "shop", "b"): ("Pod", "a"),
}


def _finding(resource: str, policy: str = "root-user", rule: str = "", origin: str = "check") -> Finding:
    kind, _, name = resource.partition("/")
    info = RuleInfo(RuleId(policy, rule or policy), title="", severity=Severity.MEDIUM, origin=origin)
    return Finding(info, ResourceId("", "v1", kind, "shop", name), "fail", Severity.MEDIUM, "")


@pytest.mark.parametrize(
    ("findings", "kept"),
    [
        pytest.param(["Pod/web-1-x", "ReplicaSet/web-1", "Deployment/web"], ["Deployment/web"], id="the top one stays"),
        pytest.param(["Pod/web-1-x", "Deployment/web"], ["Deployment/web"], id="over a link without findings"),
        pytest.param(["Pod/web-1-x"], ["Pod/web-1-x"], id="the pod has more than its template"),
        pytest.param(["Pod/odd"], ["Pod/odd"], id="its controller was not judged"),
        pytest.param(["Pod/free", "Deployment/web"], ["Pod/free", "Deployment/web"], id="no controller"),
        pytest.param(["Pod/a", "Pod/b"], ["Pod/a", "Pod/b"], id="a circle has no top"),
    ],
)
def test_copies(findings: list[str], kept: list[str]) -> None:
    said = without_copies([_finding(name) for name in findings], _CONTROLLERS)
    assert [f"{one.resource.kind}/{one.resource.name}" for one in said.kept] == kept
    assert bool(said.notes) is (len(kept) < len(findings))


def test_another_check_is_another_finding_and_the_generated_rule_is_the_same_check() -> None:
    pod = _finding("Pod/web-1-x")
    assert without_copies([pod, _finding("Deployment/web", "host-network")], _CONTROLLERS).kept[0] is pod
    assert pod not in without_copies([pod, _finding("Deployment/web", rule="autogen-x")], _CONTROLLERS).kept


def test_policies_that_people_bring_report_as_in_the_cluster() -> None:
    findings = [_finding("Pod/web-1-x", origin="kyverno"), _finding("Deployment/web", origin="kyverno")]
    assert without_copies(findings, _CONTROLLERS).kept == findings
