"""`bartizan policy check`: what an author sees of a policy that is wrong, and what programs read."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.start import ControlPlane

_PATIENCE_S = 60
_POLL_S = 0.1
POLICY = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: ports
spec:
  rules:
  - name: few
    match:
      any:
      - resources:
          kinds: [Deployment]
    validate:
      message: a few
      pattern:
        spec:
          replicas: ">5 & <3"
"""
EXCEPTION = """\
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: web, namespace: shop}
spec:
  exceptions:
  - policyName: ports
    ruleNames: [fwe, autogen-few]
  - policyName: prots
    ruleNames: [few]
  match: {any: [{resources: {kinds: [Deployment]}}]}
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def test_an_error_has_its_place_its_line_and_what_to_do(policies: Path) -> None:
    done = bartizan("policy", "check", "policy.yaml", cwd=policies)
    assert done.code == 1
    assert done.out == (
        "policy.yaml:16:22: error: `>5 & <3` matches nothing: nothing is both in `>5` and `<3` [impossible-amount]\n"
        '   16 |           replicas: ">5 & <3"\n'
        "                             ^\n"
        "  hint: Turn it round, or write `|`.\n"
        "\n"
        "1 policy: 1 error, 0 warnings, 0 notes\n"
    )


def test_a_clean_policy_says_so(policies: Path) -> None:
    (policies / "policy.yaml").write_text(POLICY.replace(">5 & <3", "1-5"))
    done = bartizan("policy", "check", ".", cwd=policies)
    assert (done.code, done.out) == (0, "1 policy: 0 errors, 0 warnings, 0 notes\n")


def test_warnings_fail_only_when_they_are_to(policies: Path) -> None:
    (policies / "policy.yaml").write_text(POLICY.replace('">5 & <3"', "0100"))
    assert bartizan("policy", "check", ".", cwd=policies).code == 0
    assert bartizan("policy", "check", ".", "--strict", cwd=policies).code == 1
    quiet = bartizan("policy", "check", ".", "--strict", "--ignore", "octal-number", cwd=policies)
    assert (quiet.code, "octal-number" in quiet.out) == (0, False)
    assert "octal-number" not in bartizan("policy", "check", ".", "--level", "error", cwd=policies).out


def test_programs_read_it(policies: Path) -> None:
    shape = json.loads(bartizan("policy", "check", ".", "-o", "json", cwd=policies).out)
    assert shape["summary"] == {"policies": 1, "others": 0, "errors": 1, "warnings": 0, "notes": 0}
    (remark,) = shape["remarks"]
    assert (remark["file"], remark["line"], remark["column"], remark["rule"]) == (
        "policy.yaml",
        16,
        22,
        "impossible-amount",
    )
    sarif = json.loads(bartizan("policy", "check", ".", "-o", "sarif", cwd=policies).out)
    (result,) = sarif["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("policy-check/impossible-amount", "error")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 16
    github = bartizan("policy", "check", ".", "-o", "github", cwd=policies).out
    assert github.startswith("::error ")
    assert "file=policy.yaml,line=16,col=22" in github


def test_exceptions_are_held_against_the_policies_beside_them(policies: Path) -> None:
    (policies / "exception.yaml").write_text(EXCEPTION)
    done = bartizan("policy", "check", ".", cwd=policies)
    assert "exception.yaml:7:17: error: policy `ports` has no rule `fwe` [stray-exception]" in done.out
    assert "exception.yaml:8:17: warning: no policy `prots` among those given [stray-exception]" in done.out
    assert "hint: Did you mean `ports`?" in done.out
    assert "autogen-few`" not in done.out
    alone = bartizan("policy", "check", "exception.yaml", cwd=policies)
    assert (alone.code, alone.out) == (0, "1 policy: 0 errors, 0 warnings, 0 notes\n")


def test_a_broken_file_does_not_hide_the_others(policies: Path) -> None:
    (policies / "a-broken.yaml").write_text("apiVersion: kyverno.io/v1\nkind: [ClusterPolicy\nmetadata: {}\n")
    (policies / "number.yaml").write_text("apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: 3\nspec: 4\n")
    done = bartizan("policy", "check", ".", cwd=policies)
    assert done.code == 1
    assert "a-broken.yaml:" in done.out
    assert "number.yaml:" in done.out
    assert "impossible-amount" in done.out


def test_a_policy_that_nests_without_end_is_refused(tmp_path: Path) -> None:
    for depth in (300, 100_000):
        file = tmp_path / f"deep-{depth}.json"
        head = '{"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "a"}, "spec": {"rules": ['
        pattern = '{"a":' * depth + "1" + "}" * depth
        file.write_text(f'{head}{{"name": "a", "validate": {{"pattern": {pattern}}}}}]}}}}')
        done = bartizan("policy", "check", file)
        assert done.code == 1, done.err
        assert "deep" in done.out.replace(str(file), "")


def test_nothing_to_look_at_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    nothing = bartizan("policy", "check", ".", cwd=tmp_path)
    assert (nothing.code, "no policy found" in nothing.err) == (2, True)
    assert bartizan("policy", "check").code == 2
    typo = bartizan("policy", "check", ".", "--ignore", "octal-nummer", cwd=tmp_path)
    assert (typo.code, "Did you mean `octal-number`?" in typo.err) == (2, True)


def test_the_rules_are_listed_with_their_reasons() -> None:
    listed = bartizan("policy", "check", "--list").out.splitlines()
    assert len(listed) > 50
    assert any(line.startswith("impossible-amount") and " error " in line and line.endswith(".") for line in listed)


@pytest.mark.parametrize("deed", ["validate", "mutate", "generate", "verify-images"])
def test_a_created_policy_is_clean(deed: str, tmp_path: Path) -> None:
    assert bartizan("create", "policy", deed, "-o", "policy.yaml", cwd=tmp_path).code == 0
    done = bartizan("policy", "check", "policy.yaml", "--strict", cwd=tmp_path)
    assert (done.code, done.out) == (0, "1 policy: 0 errors, 0 warnings, 0 notes\n")


TYPED = """\
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata:
  name: backups
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [store.example.com], apiVersions: [v1], operations: [CREATE], resources: [databases]}
  validations:
  - message: keep a week
    expression: >-
      object.spec.backup.days >= 7 &&
      object.spec.backup.schedul != ''
"""
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.store.example.com}
spec:
  group: store.example.com
  scope: Namespaced
  names: {kind: Database, plural: databases}
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
            properties:
              backup: {type: object, properties: {days: {type: string}, schedule: {type: string}}}
"""
WARNINGS = (
    "policies/p.yaml:12:31: warning: `>=` does not take (string, int) (store.example.com/v1, Kind=Database) "
    "[unfit-type]\n"
    "   12 |       object.spec.backup.days >= 7 &&\n"
    "                                      ^\n"
    "\n"
    "policies/p.yaml:13:25: warning: unknown field `schedul` (store.example.com/v1, Kind=Database) [unfit-type]\n"
    "   13 |       object.spec.backup.schedul != ''\n"
    "                                ^\n"
    "  hint: Did you mean `schedule`?\n"
    "\n"
)


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.yaml").write_text(TYPED)
    (tmp_path / "crds").mkdir()
    (tmp_path / "crds" / "d.yaml").write_text(DEFINITION)
    return tmp_path


def test_a_definition_says_what_fields_there_are(typed: Path) -> None:
    done = bartizan("policy", "check", "policies", "--openapi", "crds", cwd=typed)
    assert (done.code, done.out, done.err) == (0, WARNINGS + "1 policy: 0 errors, 2 warnings, 0 notes\n", "")
    assert bartizan("policy", "check", "policies", "--openapi", "crds", "--strict", cwd=typed).code == 1
    quiet = bartizan("policy", "check", "policies", "--openapi", "crds", "--ignore", "unfit-type", cwd=typed)
    assert quiet.out == "1 policy: 0 errors, 0 warnings, 0 notes\n"
    without = bartizan("policy", "check", "policies", cwd=typed)
    assert without.out == "1 policy: 0 errors, 0 warnings, 0 notes\n"


def test_a_definition_beside_the_policies_is_enough(typed: Path) -> None:
    done = bartizan("policy", "check", ".", cwd=typed)
    assert done.out == WARNINGS + "1 policy: 0 errors, 2 warnings, 0 notes\n"


def test_schemas_that_are_none_are_refused(typed: Path) -> None:
    (typed / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")
    none = bartizan("policy", "check", "policies", "--openapi", "pod.yaml", cwd=typed)
    assert (none.code, none.err.startswith("error: pod.yaml: no OpenAPI v3 document")) == (2, True), none.err
    (typed / "broken.json").write_text('{"openapi": ')
    broken = bartizan("policy", "check", "policies", "--openapi", "broken.json", cwd=typed)
    assert (broken.code, "broken.json:" in broken.err) == (2, True), broken.err


@pytest.mark.xdist_group("cluster")
def test_a_cluster_says_what_fields_there_are(control_plane: ControlPlane, typed: Path) -> None:
    """The kinds of the server, its own and one that was defined there; and no answer is not the same as no fault."""
    control_plane.apply(DEFINITION)
    _wait_for_schema(control_plane, "databases.spec.backup")
    own = TYPED.replace("store.example.com", "apps").replace("databases", "deployments").replace("backup.", "")
    (typed / "policies" / "q.yaml").write_text(own)
    cluster = ("--kubeconfig", control_plane.kubeconfig, "--context", "test")
    done = bartizan("policy", "check", "policies", *cluster, cwd=typed)
    assert done.code == 0, done.err
    assert "q.yaml:12:18: warning: unknown field `days` (apps/v1, Kind=Deployment) [unfit-type]" in done.out
    assert WARNINGS in done.out
    control_plane.run("delete", "crd", "databases.store.example.com")
    gone = control_plane.user("nobody", server="https://127.0.0.1:1")
    silent = bartizan("policy", "check", "policies", "--kubeconfig", gone, cwd=typed)
    assert (silent.code, "does not answer" in silent.err) == (3, True), silent.err


def _wait_for_schema(control_plane: ControlPlane, field: str) -> None:
    """Wait until the server publishes the schema of a new kind, which it does after it serves the kind."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            control_plane.run("explain", field)
        except subprocess.CalledProcessError:
            if time.monotonic() > until:
                raise
            time.sleep(_POLL_S)
        else:
            return
