"""No false alarms: policies that are known to be good have no errors, and warnings only that were read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.conformance import conformance_dir

from bartizan.app.policy_check import check_policies

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.policy_check import Checked

KNOWN_WARNINGS = Counter(
    {
        # `|| ""`: an empty name where an empty text was meant; it happens to give null
        ("other/add-certificates-volume/add-certificates-volume.yaml", "undefined-variable"): 1,
        # about Pods, silently about nothing that makes them
        ("other/add-labels/add-labels.yaml", "pods-only"): 1,
        ("other/add-tolerations/add-tolerations.yaml", "pods-only"): 1,
        ("other/remove-serviceaccount-token/remove-serviceaccount-token.yaml", "pods-only"): 1,
        # writes an annotation into whatever there is
        ("other/record-creation-details/record-creation-details.yaml", "every-kind"): 1,
        # `X(fluxcd.io/*): "*?"` looks as if it compared something
        ("other/restrict-annotations/restrict-annotations.yaml", "lost-value"): 1,
        # PodSecurityPolicies are gone since 1.25, which is what the policy is about
        ("best-practices-vpol/check-deprecated-apis/check-deprecated-apis.yaml", "unknown-resource"): 1,
        # a Pod without a priority class is an error, and no pass
        ("other-vpol/allowed-pod-priorities/allowed-pod-priorities.yaml", "unguarded-field"): 1,
        # left over
        ("other-vpol/block-cluster-admin-from-ns/block-cluster-admin-from-ns.yaml", "unused-variable"): 1,
    }
)


@pytest.fixture(scope="module")
def checked() -> tuple[Path, Checked]:
    folder = conformance_dir("kyverno-policies")
    return folder, check_policies([folder])


def test_good_policies_have_no_errors(checked: tuple[Path, Checked]) -> None:
    folder, result = checked
    assert result.policies > 300
    errors = [f"{item.at}: {item.message}" for item in result.remarks if item.level == "error"]
    assert not [error for error in errors if error.startswith(str(folder))], "\n".join(errors)


def test_warnings_on_good_policies_are_the_ones_that_were_read(checked: tuple[Path, Checked]) -> None:
    folder, result = checked
    found = Counter(
        (item.at.file.removeprefix(f"{folder}/"), item.rule) for item in result.remarks if item.level == "warning"
    )
    assert found == KNOWN_WARNINGS


def test_what_cannot_loop_is_no_loop() -> None:
    file = conformance_dir("kyverno-e2e") / "generate" / "validation" / "policy" / "prevent-loop" / "policy.yaml"
    assert not check_policies([file]).remarks


@pytest.mark.parametrize(
    ("file", "rule"),
    [
        ("policy-validation/cluster-policy/deprecated-operations/policy-invalid-operator.yaml", "unknown-operator"),
        ("policy-validation/cluster-policy/target-context/policy-1.yaml", "undefined-variable"),
        ("policy-validation/cluster-policy/target-context/policy-2.yaml", "undefined-variable"),
        ("policy-validation/policy/admission-disabled/policy-verify-image.yaml", "audited-digest"),
        (
            "validate/clusterpolicy/standard/audit/background-match-clusterRoles/chainsaw-step-02-error-1-1.yaml",
            "user-in-background",
        ),
        (
            "validate/clusterpolicy/standard/audit/background-vars-roles/chainsaw-step-02-error-1-1.yaml",
            "user-in-background",
        ),
    ],
)
def test_what_the_peer_refuses_is_said(file: str, rule: str) -> None:
    path = conformance_dir("kyverno-e2e") / file
    if not path.is_file():
        pytest.skip(f"{file} is not in this part of the suite")
    assert rule in {item.rule for item in check_policies([path]).remarks}
