"""`bartizan cleanup` on manifests, as people use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.cli.command import Done, bartizan

if TYPE_CHECKING:
    from pathlib import Path

_POLICY = """\
apiVersion: kyverno.io/v2
kind: ClusterCleanupPolicy
metadata:
  name: small-deployments
  creationTimestamp: "2026-11-01T00:00:00Z"
spec:
  match:
    any:
    - resources:
        kinds: [Deployment]
  conditions:
    any:
    - key: "{{ target.spec.replicas }}"
      operator: LessThan
      value: 2
  schedule: "0 3 * * *"
status:
  lastExecutionTime: "2026-11-20T03:00:00Z"
"""
_OBJECTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: small, namespace: shop}
spec: {replicas: 1}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: large, namespace: shop}
spec: {replicas: 3}
---
apiVersion: v1
kind: Secret
metadata:
  name: token
  namespace: shop
  creationTimestamp: "2026-11-20T00:00:00Z"
  labels: {cleanup.kyverno.io/ttl: 12h}
---
apiVersion: v1
kind: Secret
metadata: {name: draft, namespace: other, labels: {cleanup.kyverno.io/ttl: soon}}
"""


_SOON = "`soon` is no duration such as `2h`, no day such as `2027-01-31` and no `2027-01-31T120000Z`"


def _run(folder: Path, *arguments: str, policy: str = _POLICY, objects: str = _OBJECTS) -> Done:
    (folder / "policy.yaml").write_text(policy)
    (folder / "objects.yaml").write_text(objects)
    return bartizan("cleanup", "-p", "policy.yaml", "objects.yaml", *arguments, cwd=folder)


def test_text_says_what_would_go_when_and_why(tmp_path: Path) -> None:
    done = _run(tmp_path, "--at", "2026-11-20T14:00:00Z")
    assert done.code == 1
    assert done.out.splitlines() == [
        "ClusterCleanupPolicy small-deployments  0 3 * * *",
        "  last  2026-11-20T03:00:00Z",
        "  next  2026-11-21T03:00:00Z, in 13h 0m",
        "    - Deployment shop/small  it matches `/spec/match/any/0`, and the conditions hold",
        "",
        "Times to live",
        "  - Secret shop/token  12h was over 2026-11-20T12:00:00Z, 2h 0m ago",
        f"  ? Secret other/draft  never ends: {_SOON}",
        "",
        "2 objects to delete.",
    ]


def test_a_missed_run_is_late(tmp_path: Path) -> None:
    done = _run(tmp_path, "--at", "2026-11-22T05:00:00Z")
    assert "  late  2026-11-21T03:00:00Z, 1d 2h ago: it runs as soon as it can" in done.out.splitlines()
    assert "  next  2026-11-23T03:00:00Z, in 22h 0m" in done.out.splitlines()


def test_what_has_time_left_is_not_to_delete(tmp_path: Path) -> None:
    done = _run(tmp_path, "--at", "2026-11-20T11:00:00Z")
    assert "    Secret shop/token  12h ends 2026-11-20T12:00:00Z, in 1h 0m" in done.out.splitlines()
    assert done.out.endswith("1 object to delete.\n")


def test_nothing_to_delete_is_clean(tmp_path: Path) -> None:
    done = _run(tmp_path, "--no-ttl", policy=_POLICY.replace("value: 2", "value: 1"))
    assert done.code == 0
    assert done.out.endswith("0 objects to delete.\n")


def test_namespaces_can_be_chosen(tmp_path: Path) -> None:
    done = _run(tmp_path, "-n", "other")
    assert done.code == 0
    assert "shop/" not in done.out


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_forms_for_programs(tmp_path: Path, form: str) -> None:
    done = _run(tmp_path, "--at", "2026-11-20T14:00:00Z", "-o", form)
    said: dict[str, Any] = json.loads(done.out) if form == "json" else yaml.safe_load(done.out)
    (policy,) = said["policies"]
    assert (policy["last"], policy["due"], policy["next"]) == (
        "2026-11-20T03:00:00Z",
        "2026-11-21T03:00:00Z",
        "2026-11-21T03:00:00Z",
    )
    small = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "small"}
    assert [item["resource"] for item in policy["delete"]] == [small]
    assert [(item["resource"]["name"], item["over"]) for item in said["ttl"]] == [("token", True), ("draft", False)]
    assert "deleted" not in said


def test_an_object_that_cannot_be_judged_stays_and_is_said(tmp_path: Path) -> None:
    done = _run(tmp_path, "--no-ttl", objects=_OBJECTS.replace("{replicas: 3}", "{}"))
    assert "    not judged: failed to resolve `target.spec.replicas`" in done.out
    assert "(an object, which stays)" in done.out
    assert done.code == 1


def test_manifests_that_a_policy_asks_for(tmp_path: Path) -> None:
    """A global context entry beside the policy is answered from the manifests."""
    entry = """\
---
apiVersion: kyverno.io/v2beta1
kind: GlobalContextEntry
metadata: {name: secrets}
spec:
  kubernetesResource: {version: v1, resource: secrets}
  projections: [{name: names, jmesPath: "[].metadata.name"}]
"""
    asking = _POLICY.replace(
        "  conditions:", "  context:\n  - name: names\n    globalReference: {name: secrets.names}\n  conditions:"
    )
    asking = asking.replace("{{ target.spec.replicas }}", "{{ length(names) }}").replace("value: 2", "value: 3")
    done = _run(tmp_path, "--no-ttl", policy=asking + entry)
    assert "2 objects to delete" in done.out, done


def test_policies_in_cel_and_their_exceptions(tmp_path: Path) -> None:
    policy = """\
apiVersion: policies.kyverno.io/v1
kind: DeletingPolicy
metadata: {name: small, creationTimestamp: "2026-11-01T00:00:00Z"}
spec:
  schedule: "0 3 * * *"
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], resources: [deployments]}
  conditions:
  - {name: small, expression: object.spec.replicas < 4}
---
apiVersion: policies.kyverno.io/v1
kind: PolicyException
metadata: {name: large, namespace: shop}
spec:
  policyRefs: [{name: small, kind: DeletingPolicy}]
  matchConditions:
  - {name: large, expression: object.metadata.name == "large"}
"""
    done = _run(tmp_path, "--no-ttl", "--at", "2026-11-20T14:00:00Z", policy=policy)
    assert done.code == 1
    assert done.out.splitlines() == [
        "DeletingPolicy small  0 3 * * *",
        "  last  not known",
        "  late  2026-11-01T03:00:00Z, 19d 11h ago: it runs as soon as it can",
        "  next  2026-11-21T03:00:00Z, in 13h 0m",
        "    - Deployment shop/small  it matches `/spec/matchConstraints`, and the conditions hold",
        "",
        "1 object to delete.",
    ]


BAD: list[tuple[str, tuple[str, ...], str, str]] = [
    (
        "a schedule that never comes",
        (),
        _POLICY.replace("0 3 * * *", "0 3 30 2 *"),
        "policy.yaml:16:3: the schedule `0 3 30 2 *` never comes",
    ),
    ("an unknown field", (), _POLICY.replace("schedule:", "shedule:"), "unknown field `shedule`"),
    ("no policy", (), "apiVersion: v1\nkind: ConfigMap\n", "no clean-up policy found"),
    ("broken YAML", (), "a: [", "policy.yaml:"),
    ("a moment that is none", ("--at", "tomorrow"), _POLICY, "`tomorrow` is no moment"),
    ("a deletion without a cluster", ("--delete",), _POLICY, "no cluster to delete from"),
    ("a deletion at another time", ("--delete", "--at", "2027-01-01"), _POLICY, "--delete with --at"),
    ("manifests and a cluster", ("--context", "prod"), _POLICY, "manifests and a cluster at once"),
]


@pytest.mark.parametrize(("name", "arguments", "policy", "says"), BAD, ids=[case[0] for case in BAD])
def test_bad_input_is_said(tmp_path: Path, name: str, arguments: tuple[str, ...], policy: str, says: str) -> None:
    del name
    done = _run(tmp_path, *arguments, policy=policy)
    assert done.code == 2
    assert says in done.err
    assert "Traceback" not in done.err


def test_manifests_by_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(_POLICY)
    done = bartizan("cleanup", "-p", "policy.yaml", "-", text=_OBJECTS, cwd=tmp_path)
    assert "Deployment shop/small" in done.out


def test_nothing_named_is_said() -> None:
    done = bartizan("cleanup")
    assert done.code == 2
    assert "nothing to look at" in done.err
