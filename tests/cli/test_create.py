"""`bartizan create`: every skeleton is read back by what reads such files, and does what it says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.command import bartizan

from bartizan.app.ambient import ambient
from bartizan.app.user_info import read_user_info
from bartizan.app.values import read_values
from bartizan.engines.policy.dialects.kyverno import compile_policy, decode_exception, expression_compiler
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.findings.waiver_file import read_waivers
from bartizan.sources.yaml import parse_yaml_text

if TYPE_CHECKING:
    from pathlib import Path

RESOURCES = """\
apiVersion: v1
kind: Pod
metadata: {name: good, labels: {team: one}}
spec: {containers: [{name: app, image: "app:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bad}
spec: {containers: [{name: app, image: "app:latest"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: app, image: "app:latest"}]}}}
"""


def made(*arguments: str) -> Any:
    """The skeleton, read back."""
    done = bartizan("create", *arguments)
    assert done.code == 0, done.err
    assert done.out.startswith("# ")
    return parse_yaml_text(done.out)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["validate"], id="validate"),
        pytest.param(["validate", "--kind", "Pod", "--kind", "Service", "--enforce"], id="validate several kinds"),
        pytest.param(["validate", "--namespace", "shop", "--name", "no: yes"], id="validate in one namespace"),
        pytest.param(["mutate", "--kind", "ConfigMap"], id="mutate"),
        pytest.param(["generate"], id="generate for namespaces"),
        pytest.param(["generate", "--kind", "Deployment"], id="generate for another kind"),
        pytest.param(["verify-images"], id="verify images"),
        pytest.param(["verify-images", "--enforce", "--image", "ghcr.io/me/*"], id="verify images and refuse"),
    ],
)
def test_a_policy_compiles(arguments: list[str]) -> None:
    policy = compile_policy(made("policy", *arguments), expression_compiler(ambient()))
    assert policy.problems == ()
    assert policy.rules


@pytest.mark.parametrize("deed", ["validate", "mutate", "generate", "cleanup"])
@pytest.mark.parametrize("more", [[], ["--kind", "Deployment", "--kind", "Widget"], ["--namespace", "shop"]])
def test_a_policy_in_cel_compiles(deed: str, more: list[str]) -> None:
    assert compile_cel_policy(made("policy", deed, "--cel", *more), ambient()).rules


def test_what_was_said_of_a_policy_is_in_it(tmp_path: Path) -> None:
    key = tmp_path / "cosign.pub"
    key.write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    document = made("policy", "verify-images", "-n", "mine", "--image", "a/*", "--key", str(key), "--namespace", "shop")
    rule = document["spec"]["rules"][0]["verifyImages"][0]
    assert (document["kind"], document["metadata"]["name"], document["metadata"]["namespace"]) == (
        "Policy",
        "mine",
        "shop",
    )
    assert rule["imageReferences"] == ["a/*"]
    assert rule["attestors"][0]["entries"][0]["keys"]["publicKeys"] == key.read_text().strip()
    cleanup = made("policy", "cleanup", "--schedule", "5 4 * * *", "--kind", "Job")
    assert cleanup["spec"]["schedule"] == "5 4 * * *"
    assert cleanup["spec"]["match"]["any"][0]["resources"]["kinds"] == ["Job"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["policy", "mutate", "--enforce"], "a mutate policy refuses nothing", id="mutate does not refuse"),
        pytest.param(
            ["policy", "validate", "--schedule", "* * * * *"], "It is for `create policy cleanup`.", id="no schedule"
        ),
        pytest.param(["exception", "--any", "kinds=Pod"], "Did you mean `kind`?", id="an unknown filter"),
        pytest.param(["exception", "--any", "kind=Pod", "--all", "kind=Pod"], "`any` or `all`, not both", id="both"),
        pytest.param(["exception", "--policy-rules", "p"], "Write `policy,rule`", id="an exception without a rule"),
        pytest.param(["values", "--rule", "p,k=v"], "Write `name,name,key=value`.", id="values without a rule"),
        pytest.param(["values", "-g", "k"], "no `key=value` in `k`", id="a value without a name"),
        pytest.param(["test", "--pass", "p,r"], "Write `policy,rule,resource`", id="an expectation without a resource"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(arguments: list[str], said: str) -> None:
    done = bartizan("create", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_an_exception_is_read_as_one_and_lifts_what_it_names() -> None:
    document = made(
        "exception", "web", "--namespace", "shop", "--policy-rules", "p,r1,r2", "--any", "kind=Pod,kind=Job,name=web-*"
    )
    spec = decode_exception(document)
    assert (spec.exceptions[0].policy_name, spec.exceptions[0].rule_names) == ("p", ["r1", "r2"])
    assert spec.match is not None
    assert document["spec"]["match"]["any"] == [{"resources": {"kinds": ["Pod", "Job"], "names": ["web-*"]}}]
    decode_exception(made("exception"))


def test_values_are_read_as_they_were_said() -> None:
    values = read_values(
        made("values", "-g", "request.mode=dev", "-n", "prod,env=prod", "--rule", "p,r,a=b", "--resource", "p,web,c=d")
    )
    assert values.for_rule("p", "r", "web") == {"request.mode": "dev", "a": "b", "c": "d"}
    assert values.namespace_labels == {"prod": {"env": "prod"}}
    assert read_values(made("values")).everywhere == {"request.operation": "CREATE"}


def test_a_user_is_read_as_said() -> None:
    user = read_user_info(made("user-info", "-u", "molly", "-g", "dev", "-r", "shop:edit", "-c", "view"))
    assert (user.username, user.groups, user.roles, user.cluster_roles) == (
        "molly",
        ("dev",),
        ("shop:edit",),
        ("view",),
    )


def test_a_waiver_ends_and_is_read_as_one() -> None:
    (waiver,) = read_waivers(made("waiver", "old", "--policy", "p", "--until", "2027-01-31", "--owner", "me"))
    assert (waiver.id, waiver.policy, waiver.until, waiver.owner) == ("old", "p", date(2027, 1, 31), "me")
    (waiver,) = read_waivers(made("waiver"))
    days = waiver.until - date.today()  # noqa: DTZ011 (the day of whoever types it)
    assert timedelta(89) <= days <= timedelta(91)


def test_a_test_from_files_passes_and_is_run_by_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "resources.yaml").write_text(RESOURCES)
    bartizan("create", "policy", "validate", "-o", "policies/label.yaml", cwd=tmp_path)
    (tmp_path / "tests").mkdir()
    done = bartizan("create", "test", "--from", ".", "-o", "tests/kyverno-test.yaml", cwd=tmp_path)
    assert (done.code, done.err) == (0, "wrote tests/kyverno-test.yaml\n")
    document = parse_yaml_text((tmp_path / "tests" / "kyverno-test.yaml").read_text())
    assert document["policies"] == ["../policies/label.yaml"]
    assert document["resources"] == ["../resources.yaml"]
    assert [(row["kind"], row["resources"], row["result"]) for row in document["results"]] == [
        ("Pod", ["default/good"], "pass"),
        ("Pod", ["default/bad"], "fail"),
        ("Deployment", ["shop/web"], "fail"),
    ]
    tested = bartizan("test", "--strict", "tests", cwd=tmp_path)
    assert "3 passed, 0 failed" in tested.out


@pytest.mark.parametrize(("deed", "made"), [("validate", ""), ("mutate", "patched-*"), ("generate", "generated-*")])
def test_a_test_of_a_policy_in_cel_names_no_rule(deed: str, made: str, tmp_path: Path) -> None:
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    (tmp_path / "resources.yaml").write_text(namespace if deed == "generate" else RESOURCES)
    bartizan("create", "policy", deed, "--cel", "-o", "policy.yaml", cwd=tmp_path)
    done = bartizan("create", "test", "--from", ".", "-o", "kyverno-test.yaml", cwd=tmp_path)
    assert (done.code, "cannot pin" in done.err) == (0, False), done.err
    rows = parse_yaml_text((tmp_path / "kyverno-test.yaml").read_text())["results"]
    assert rows
    assert not any("rule" in row for row in rows)
    assert not made or list(tmp_path.glob(made))
    assert " 0 failed" in bartizan("test", "--strict", ".", cwd=tmp_path).out


def test_a_test_of_a_patch_has_the_resources_as_they_must_become(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text(RESOURCES)
    bartizan("create", "policy", "mutate", "-o", "policy.yaml", cwd=tmp_path)
    done = bartizan("create", "test", "--from", ".", "-o", "kyverno-test.yaml", cwd=tmp_path)
    assert (done.code, "cannot pin" in done.err) == (0, False), done.err
    patched = parse_yaml_text((tmp_path / "patched-add-team-label-pod-default-bad.yaml").read_text())
    assert patched["metadata"]["labels"] == {"team": "unknown"}
    assert " 0 failed" in bartizan("test", "--strict", ".", cwd=tmp_path).out
    twice = bartizan("create", "test", "--from", ".", "-o", "kyverno-test.yaml", "--force", cwd=tmp_path)
    assert (twice.err, twice.code) == (done.err, 0), "what is expected is no resource to begin with"
    (tmp_path / "patched-add-team-label-pod-default-bad.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\n"
    )
    assert bartizan("test", "--strict", ".", cwd=tmp_path).code == 1, "the patched file is compared"
    again = bartizan(
        "create", "test", "--from", "policy.yaml", "--from", "resources.yaml", "-o", "again.yaml", cwd=tmp_path
    )
    assert (again.code, (tmp_path / "again.yaml").exists()) == (2, False), "all of the files, or none"
    shown = bartizan("create", "test", "--from", "policy.yaml", "--from", "resources.yaml", cwd=tmp_path)
    assert "with --output only" in shown.err


def test_a_test_of_what_is_generated_has_the_object_as_it_must_be(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    bartizan("create", "policy", "generate", "-o", "policy.yaml", cwd=tmp_path)
    done = bartizan("create", "test", "--from", ".", "-o", "kyverno-test.yaml", cwd=tmp_path)
    assert (done.code, "cannot pin" in done.err) == (0, False), done.err
    file = tmp_path / "generated-default-deny-networkpolicy-shop-default-deny.yaml"
    assert parse_yaml_text(file.read_text())["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert "1 passed, 0 failed" in bartizan("test", "--strict", ".", cwd=tmp_path).out
    file.write_text(file.read_text().replace("Egress", "Other"))
    assert bartizan("test", "--strict", ".", cwd=tmp_path).code == 1, "the generated object is compared"


def test_a_test_from_what_was_said_passes(tmp_path: Path) -> None:
    (tmp_path / "resources.yaml").write_text(RESOURCES)
    bartizan("create", "policy", "validate", "-o", "policy.yaml", cwd=tmp_path)
    rule = "require-team-label,require-team-label"
    said = ["--pass", f"{rule},good", "--fail", f"{rule},web,shop,Deployment"]
    files = ["-p", "policy.yaml", "-r", "resources.yaml", "-o", "kyverno-test.yaml"]
    assert bartizan("create", "test", *files, *said, cwd=tmp_path).code == 0
    assert "2 passed, 0 failed" in bartizan("test", "--strict", ".", cwd=tmp_path).out


def test_a_test_from_a_broken_policy_says_where(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: a}\nspc: {}\n"
    )
    (tmp_path / "resources.yaml").write_text(RESOURCES)
    done = bartizan("create", "test", "--from", ".", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "policy.yaml:4:1: unknown field `spc`" in done.err


def test_a_file_is_written_over_only_when_told_and_never_half(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("mine\n")
    refused = bartizan("create", "values", "-o", file)
    assert (refused.code, file.read_text()) == (2, "mine\n")
    assert "--force" in refused.err
    assert bartizan("create", "values", "-o", file, "--force").code == 0
    assert "kind: Values" in file.read_text()
    nowhere = bartizan("create", "values", "-o", tmp_path / "none" / "values.yaml")
    assert (nowhere.code, "cannot write" in nowhere.err) == (3, True)
    assert [item.name for item in tmp_path.iterdir()] == ["values.yaml"]
