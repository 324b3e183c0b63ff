"""Bad input: a clear message with its place, everything else still judged, the right exit code."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.command import bartizan

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop}
spec:
  containers:
  - {name: app, image: "app:latest"}
"""

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)

MANIFESTS = {
    "broken YAML in one document of many": (f"{GOOD}---\nkind: Pod\n  bad: [\n---\n{GOOD}", "mapping values", 9),
    "duplicate keys": (f"{GOOD}---\napiVersion: v1\nkind: Pod\nkind: Service\n", "duplicate key `kind`", 10),
    "duplicate keys in JSON": ('{"apiVersion": "v1", "kind": "Pod", "kind": "Pod"}', "duplicate key `kind`", 1),
    "alias bomb": (f"{GOOD}---\n{BOMB}", "nodes, aliases written out", None),
    "deep nesting": (f"{GOOD}---\na: {'[' * 5000}{']' * 5000}\n", "nests deeper", 8),
    "deep nesting in JSON": ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nests", None),
    "a tab for indentation": (f"{GOOD}---\na:\n\tb: 1\n", "cannot start any token", 9),
    "no Kubernetes object": ("just: settings\n", "no Kubernetes object", 1),
    "infinity": (f"{GOOD}---\napiVersion: v1\nkind: Pod\nspec: {{a: .inf}}\n", "cannot be written in JSON", 10),
}


def scan(file: Path, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Scan one file and read the report."""
    done = bartizan("scan", file, "-o", "json", *arguments)
    assert done.out, done.err
    return done.code, json.loads(done.out)


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest(tmp_path: Path, name: str) -> None:
    text, said, line = MANIFESTS[name]
    file = tmp_path / "app.yaml"
    file.write_text(text)
    code, report = scan(file)
    assert code == 2
    problem = next(item for item in report["problems"] if said in item["message"])
    assert problem["location"]["file"] == str(file)
    if line is not None:
        assert problem["location"]["line"] == line
    assert problem["hint"]
    judged = {item["name"] for item in report["resources"]}
    assert judged == ({"good"} if "name: good" in text else set())


def test_binary_file(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_bytes(b"\x7fELF\0\0\0" + bytes(range(256)) * 10)
    code, report = scan(file)
    assert code == 2
    assert "binary file" in report["problems"][0]["message"]


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_bytes(b"apiVersion: v1\nkind: Pod\nmetadata: {name: caf\xe9}\n")
    code, report = scan(file)
    assert code == 2
    assert "not UTF-8: byte 0xe9" in report["problems"][0]["message"]
    assert (report["problems"][0]["location"]["line"], report["problems"][0]["location"]["column"]) == (3, 21)


def test_file_of_a_hundred_megabytes(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    filler = "# " + "x" * 1020 + "\n"
    with file.open("w") as out:
        for number in range(100):
            out.write(f"---\n{GOOD.replace('name: good', f'name: pod-{number:03}')}")
            out.writelines([filler] * 1024)
    assert file.stat().st_size > 100_000_000
    code, report = scan(file, "--check", "latest-image")
    assert code == 1
    assert len(report["resources"]) == 100
    last = next(item for item in report["findings"] if item["resource"]["name"] == "pod-099")
    assert last["location"]["line"] == 99 * (1024 + 7) + 7


def test_document_of_a_hundred_megabytes(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("w") as out:
        out.write(f"{GOOD}---\nkind: ConfigMap\napiVersion: v1\ndata:\n")
        out.writelines(f"  key-{number:09}: {'x' * 80}\n" for number in range(1_100_000))
    code, report = scan(file, "--check", "latest-image")
    assert code == 2
    assert "MiB" in report["problems"][0]["message"]
    assert [item["name"] for item in report["resources"]] == ["good"]


def test_unreadable_file(tmp_path: Path) -> None:
    """A link to itself cannot be read by anybody, not even by root, whom permissions do not stop."""
    good, loop = tmp_path / "good.yaml", tmp_path / "loop.yaml"
    good.write_text(GOOD)
    loop.symlink_to(loop)
    code, report = scan(loop, good)
    assert code == 2
    assert "symbolic links" in report["problems"][0]["message"]
    assert report["problems"][0]["location"]["file"] == str(loop)
    assert [item["name"] for item in report["resources"]] == ["good"]


def test_missing_file_and_a_pipe_beside_a_good_one(tmp_path: Path) -> None:
    good, pipe = tmp_path / "good.yaml", tmp_path / "pipe.yaml"
    good.write_text(GOOD)
    os.mkfifo(pipe)
    code, report = scan(good, tmp_path / "missing.yaml", pipe)
    assert code == 2
    assert [item["name"] for item in report["resources"]] == ["good"]
    said = " ".join(item["message"] for item in report["problems"])
    assert "no such file" in said
    assert "neither a file nor a folder" in said


def test_folder_that_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "again").symlink_to(tmp_path)
    code, report = scan(tmp_path)
    assert code == 1
    assert len(report["resources"]) == 1


POLICY = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: p}}
spec:
  rules:
  - name: good
    match: {{any: [{{resources: {{kinds: [Pod]}}}}]}}
    validate:
      message: no latest
      pattern: {{spec: {{containers: [{{image: "!*:latest"}}]}}}}
  - name: bad
    match: {{any: [{{resources: {{kinds: [Pod]}}}}]}}
{bad}
"""

POLICIES = {
    "typo in a field of a rule": ("    validat: {message: x}", "unknown field `validat`", "`validate`", 13),
    "typo in validate": ("    validate: {patern: {a: b}}", "unknown field `patern`", "`pattern`", 13),
    "bad JMESPath": (
        "    validate: {deny: {conditions: {all: [{key: '{{ request.object.[ }}', operator: Equals, value: 1}]}}}",
        "bad JMESPath",
        "",
        13,
    ),
    "unknown function": (
        "    validate: {deny: {conditions: {all: [{key: '{{ lenght(request) }}', operator: Equals, value: 1}]}}}",
        "unknown function `lenght`",
        "`length`",
        13,
    ),
    "unknown operator": (
        "    validate: {deny: {conditions: {all: [{key: a, operator: Equalz, value: 1}]}}}",
        "unknown operator `Equalz`",
        "`Equal`",
        13,
    ),
    "nothing to validate by": ("    validate: {message: x}", "nothing to validate by", "", 13),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policy(tmp_path: Path, name: str) -> None:
    bad, said, hint, line = POLICIES[name]
    manifest, policy = tmp_path / "app.yaml", tmp_path / "policy.yaml"
    manifest.write_text(GOOD)
    policy.write_text(POLICY.format(bad=bad))
    code, report = scan(manifest, "-p", policy)
    assert code == 2
    problem = report["problems"][0]
    assert said in problem["message"]
    assert hint in problem["hint"]
    assert (problem["location"]["file"], problem["location"]["line"]) == (str(policy), line)
    assert [item["rule"] for item in report["findings"]] == ["good"], "the other rule still runs"


def test_a_kind_that_is_a_list_is_named_with_its_line(tmp_path: Path) -> None:
    manifest, policy = tmp_path / "app.yaml", tmp_path / "policy.yaml"
    manifest.write_text(GOOD)
    policy.write_text("apiVersion: kyverno.io/v1\nkind: []\n")
    done = bartizan("apply", policy, "-r", manifest)
    assert done.code == 2
    assert f"{policy}:2:1: unsupported construct `[]`" in done.err


def test_bad_regular_expression_is_an_error_finding(tmp_path: Path) -> None:
    manifest, policy = tmp_path / "app.yaml", tmp_path / "policy.yaml"
    manifest.write_text(GOOD)
    key = "{{ regex_match('(', request.object.metadata.name) }}"
    bad = f'    validate: {{deny: {{conditions: {{all: [{{key: "{key}", operator: Equals, value: true}}]}}}}}}'
    policy.write_text(POLICY.format(bad=bad))
    code, report = scan(manifest, "-p", policy)
    assert code == 1
    errors = [item for item in report["findings"] if item["result"] == "error"]
    assert [item["rule"] for item in errors] == ["bad"]
    assert "bad regular expression" in errors[0]["message"]


def test_what_nobody_can_answer_is_never_a_pass(tmp_path: Path) -> None:
    manifest, policy = tmp_path / "app.yaml", tmp_path / "policy.yaml"
    manifest.write_text(GOOD)
    expression = "authorizer.group('').resource('pods').check('get').allowed()"
    policy.write_text(POLICY.format(bad=f'    validate: {{cel: {{expressions: [{{expression: "{expression}"}}]}}}}'))
    _, report = scan(manifest, "-p", policy)
    (message,) = [item["message"] for item in report["findings"] if "authorizer" in item["message"]]
    assert "nobody asks in a scan" in message


USAGE = {
    "nothing to scan": ((), "nothing to scan"),
    "unknown format": (("x.yaml", "-o", "sarf"), "`sarif`"),
    "unknown check": (("x.yaml", "--check", "latest-imag"), "`latest-image`"),
    "unknown framework": (("x.yaml", "--framework", "nsa-cis"), "`nsa-cisa`"),
    "unknown level": (("x.yaml", "--pod-security", "restriced"), "`restricted`"),
    "bad version": (("x.yaml", "--pod-security", "baseline@1"), "bad Pod Security version"),
    "two formats on one stream": (("x.yaml", "-o", "json", "-o", "sarif"), "two formats"),
    "missing values file": (("x.yaml", "--values", "none.yaml"), "cannot be read"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(tmp_path: Path, name: str) -> None:
    arguments, said = USAGE[name]
    done = bartizan("scan", *arguments, cwd=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_unknown_command_names_the_nearest() -> None:
    done = bartizan("scna")
    assert done.code == 2
    assert "`scan`" in done.err


OPTIONS = {
    "values that are a list": ("--values", "globalValues:\n- a\n", "`globalValues` must be a mapping", 1),
    "values of a rule that are a number": (
        "--values",
        "policies:\n- name: p\n  rules:\n  - name: r\n    values: 3\n",
        "`values` must be a mapping",
        5,
    ),
    "values that are broken YAML": ("--values", "globalValues: {a: [}\n", "expected node content", 1),
    "a Pod for values": ("--values", "apiVersion: v1\nkind: Pod\n", "a Values document is wanted", 2),
    "values for a user": ("--user-info", "kind: Values\n", "a UserInfo document is wanted", 1),
    "a user whose groups are no list": ("--user-info", "userInfo:\n  groups: admins\n", "`groups` must be a list", 2),
    "a waiver without an owner": ("--waivers", "waivers:\n- id: a\n  reason: r\n", "waiver `a` has no `owner`", 2),
    "a waiver until no day": (
        "--waivers",
        "waivers:\n- {id: a, reason: r, owner: o, until: 2026-02-30, policy: x}\n",
        "`until` of waiver `a` is no day",
        2,
    ),
    "a baseline that is no report": ("--baseline", "a: 1\n", "", 0),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_file_of_an_option(tmp_path: Path, name: str) -> None:
    option, text, said, line = OPTIONS[name]
    good, file = tmp_path / "good.yaml", tmp_path / "option.yaml"
    good.write_text(GOOD)
    file.write_text(text)
    done = bartizan("scan", good, option, file)
    assert done.code == 2
    assert said in done.err
    assert f"{file}:{line}" in done.err if line else str(file) in done.err
    assert "hint:" in done.err
    assert "Traceback" not in done.err
