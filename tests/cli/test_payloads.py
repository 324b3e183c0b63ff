"""JSON and requests judged by policies, as people run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path


def _policy(name: str, mode: str, *expressions: str) -> str:
    spec = {"evaluation": {"mode": mode}, "validations": [{"expression": text} for text in expressions]}
    return yaml.safe_dump(
        {
            "apiVersion": "policies.kyverno.io/v1",
            "kind": "ValidatingPolicy",
            "metadata": {"name": name},
            "spec": spec,
        }
    )


_ANYTHING = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: anything}
spec:
  rules:
    - name: labelled
      match: {any: [{resources: {kinds: ["*"]}}]}
      validate: {message: no label, pattern: {metadata: {labels: {a: b}}}}
"""

_ADMISSION = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: everything}
spec:
  matchConstraints: {resourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"]}]}
  validations: [{expression: has(object.metadata)}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: everything}
spec: {policyName: everything, validationActions: [Deny]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Policies of every mode, and something for each."""
    envoy = 'object.attributes.request.http.method == "GET" ? envoy.Allowed().Response() : envoy.Denied(405).Response()'
    http = 'object.attributes.path == "/admin" ? http.Denied("not here").Response() : null'
    plan = 'object.resources.all(r, r.acl == "private")'
    policies = [_policy("gets", "Envoy", envoy), _policy("paths", "HTTP", http), _policy("buckets", "JSON", plan)]
    (tmp_path / "policies.yaml").write_text("---\n".join([*policies, _ANYTHING, _ADMISSION]))
    (tmp_path / "requests").mkdir()
    for method in ("GET", "POST"):
        body = {"attributes": {"request": {"http": {"method": method}}}}
        (tmp_path / "requests" / f"{method}.json").write_text(json.dumps(body))
    (tmp_path / "admin.json").write_text('{"attributes": {"path": "/admin"}}')
    (tmp_path / "plan.json").write_text('{"resources": [{"acl": "private"}]}')
    return tmp_path


def test_requests_of_a_folder(folder: Path) -> None:
    done = bartizan("apply", "policies.yaml", "--envoy-payload", "requests", "--all", "-o", "summary", cwd=folder)
    assert done.code == 1
    assert "pass  gets: request allowed\n      requests/GET.json\n" in done.err
    assert "fail  gets: request denied with status code 405\n      requests/POST.json\n" in done.err
    assert "pass 1, fail 1, warn 0, error 0, skip 0" in done.err, "no other policy says anything of it"


def test_payloads_of_all_kinds_at_once(folder: Path) -> None:
    given = ("--http-payload", "admin.json", "--json", "plan.json", "--envoy-payload", "requests/GET.json")
    done = bartizan("apply", "policies.yaml", *given, "--all", "-o", "summary", cwd=folder)
    assert done.code == 1
    assert "fail  paths: request denied, reason: not here\n      admin.json\n" in done.err
    assert "3 resources" in done.err
    assert "pass 2, fail 1, warn 0, error 0, skip 0" in done.err


def test_nothing_objects(folder: Path) -> None:
    done = bartizan("apply", "policies.yaml", "--json", "plan.json", cwd=folder)
    assert (done.code, done.out) == (0, "")
    assert "pass 1, fail 0" in done.err


def test_payloads_beside_resources(folder: Path) -> None:
    (folder / "pod.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {a: b}}, resources: []}")
    done = bartizan("apply", "policies.yaml", "-r", "pod.yaml", "--json", "plan.json", "--all", cwd=folder)
    assert "pass  anything/labelled" in done.err, "what is written for kinds says nothing of JSON"
    assert "Pod a, plan.json" in done.err, "a policy of mode JSON takes an object for the JSON that it is"
    assert (done.code, done.err.count("plan.json")) == (0, 1)


def test_from_standard_input(folder: Path) -> None:
    text = '{"attributes": {"path": "/admin"}}\n---\n{"attributes": {"path": "/"}}'
    done = bartizan("apply", "policies.yaml", "--http-payload", "-", "--all", "-o", "summary", text=text, cwd=folder)
    assert "fail  paths: request denied, reason: not here\n      standard input\n" in done.err
    assert "skip  paths: request does not match\n      standard input#2\n" in done.err


def test_standard_input_is_one_thing(folder: Path) -> None:
    done = bartizan("apply", "policies.yaml", "--json", "-", "-r", "-", text="{}", cwd=folder)
    assert done.code == 2
    assert "`-` is named twice" in done.err


MALFORMED = [
    ("--envoy-payload", '{"attributes": {"request": {"http": {"methud": "GET"}}}}', "1:38", "unknown field `methud`"),
    ("--envoy-payload", '{"attributes":\n  {"request": 7}}', "2:4", "Request must be an object, not a number"),
    ("--http-payload", '{"attributes": {"body": "!"}}', "1:17", "no base64"),
    ("--json", "[1]", "1:1", "a payload must be an object"),
    ("--json", '{"a": 1,', "2:1", ""),
    ("--json", '{"a": 1, "a": 2}', "1", "duplicate key `a`"),
]


@pytest.mark.parametrize(("option", "text", "place", "said"), MALFORMED)
def test_what_cannot_be_read_is_said_with_its_line(folder: Path, option: str, text: str, place: str, said: str) -> None:
    (folder / "given.json").write_text(text)
    for command in (("apply", "policies.yaml"), ("scan", "-p", "policies.yaml")):
        done = bartizan(*command, option, "given.json", "--json", "plan.json", cwd=folder)
        assert done.code == 2, "bad input counts before all else"
        assert said in done.out + done.err
        assert f"given.json:{place}" in done.out + done.err
        assert "pass 1," in done.err or "1 passed" in done.out, "the others are judged"


def test_a_file_that_is_not_there(folder: Path) -> None:
    done = bartizan("apply", "policies.yaml", "--json", "nowhere.json", cwd=folder)
    assert done.code == 2
    assert "nowhere.json: cannot be read" in done.err


def test_a_scan_has_findings(folder: Path) -> None:
    (folder / "plan.json").write_text('{"resources": [\n  {"acl": "public"}]}')
    done = bartizan("scan", "-p", "policies.yaml", "--json", "plan.json", "-o", "json", cwd=folder)
    report = json.loads(done.out)
    (finding,) = report["findings"]
    assert done.code == 1
    assert (finding["policy"], finding["resource"]["name"], report["sources"]) == (
        "buckets",
        "plan.json",
        ["plan.json"],
    )
    assert finding["location"]["file"] == "plan.json"


def test_a_scan_that_finds_nothing(folder: Path) -> None:
    done = bartizan("scan", "-p", "policies.yaml", "--envoy-payload", "requests/GET.json", cwd=folder)
    assert done.code == 0
    assert "1 passed" in done.out


def test_a_scan_needs_policies_for_payloads(folder: Path) -> None:
    done = bartizan("scan", "--json", "plan.json", cwd=folder)
    assert done.code == 2
    assert "Name policies with --policy." in done.err


def test_every_format_has_what_has_no_kind(folder: Path) -> None:
    (folder / "plan.json").write_text('{"resources": [{"acl": "public"}]}')
    for form in ("terminal", "summary", "sarif", "junit", "github", "markdown", "html", "policyreport", "openreports"):
        done = bartizan("scan", "-p", "policies.yaml", "--json", "plan.json", "-o", form, cwd=folder)
        assert done.code == 1, form
        assert "buckets" in done.out or form == "summary", form
