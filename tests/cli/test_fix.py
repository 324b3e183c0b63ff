"""`bartizan fix`, as people run it."""

from __future__ import annotations

import codecs
import json
import os
import random
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.command import ROOT, bartizan
from tests.conformance import conformance_dir

from bartizan.app.writing import replace_file
from bartizan.base.errors import SourceError

POD = """\
# a pod
apiVersion: v1
kind: Pod
metadata:
  name: web   # the name
  namespace: shop
spec:
  hostNetwork: true # why?
  containers:
  # the program
  - name: 'app'
    image: registry.example/app:1.4.2

    securityContext: {}  # nothing yet
"""
FIXED = POD.replace(
    "securityContext: {}  # nothing yet\n",
    "securityContext:  # nothing yet\n      allowPrivilegeEscalation: false\n",
)
POLICY = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: labels
spec:
  rules:
  - name: team
    match: {any: [{resources: {kinds: [Pod]}}]}
    mutate:
      patchStrategicMerge:
        metadata:
          labels:
            +(team): "yes"
"""
ENDLESS = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: endless
spec:
  rules:
  - name: grow
    match: {any: [{resources: {kinds: [Pod]}}]}
    mutate:
      patchesJson6902: |-
        - {op: add, path: /spec/containers/-, value: {name: more, image: more}}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    return file


def count(paths: Path) -> int:
    report = json.loads(bartizan("scan", paths, "-o", "json").out)
    return len(report["findings"])


def test_difference_is_shown_and_nothing_is_written(manifest: Path) -> None:
    done = bartizan("fix", "pod.yaml", "--check", "privilege-escalation", cwd=manifest.parent)
    assert done.code == 1
    assert done.out.splitlines() == [
        "--- a/pod.yaml",
        "+++ b/pod.yaml",
        "@@ -11,4 +11,5 @@",
        "   - name: 'app'",
        "     image: registry.example/app:1.4.2",
        " ",
        "-    securityContext: {}  # nothing yet",
        "+    securityContext:  # nothing yet",
        "+      allowPrivilegeEscalation: false",
    ]
    assert "1 finding would be fixed in 1 file\n" in done.err
    assert manifest.read_text() == POD


def test_written_file_keeps_everything_else(manifest: Path) -> None:
    assert bartizan("fix", manifest, "--check", "privilege-escalation", "--write").code == 0
    assert manifest.read_text() == FIXED


def test_fixing_twice_changes_nothing(manifest: Path) -> None:
    assert bartizan("fix", manifest, "--risky", "--write").code == 0
    once = manifest.read_bytes()
    assert bartizan("fix", manifest, "--risky").code == 0
    assert bartizan("fix", manifest, "--risky", "--write").code == 0
    assert manifest.read_bytes() == once


@pytest.mark.skipif(shutil.which("patch") is None, reason="`patch` is not installed")
@pytest.mark.parametrize(
    "text", [POD, POD.removesuffix("\n"), POD.replace("\n", "\r\n")], ids=["plain", "no end", "dos"]
)
def test_difference_is_a_patch(manifest: Path, text: str) -> None:
    manifest.write_bytes(text.encode())
    difference = subprocess.run(
        [Path(sys.executable).with_name("bartizan"), "fix", "pod.yaml", "--risky"],
        cwd=manifest.parent,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    ).stdout
    bartizan("fix", manifest, "--risky", "--write")
    wanted = manifest.read_bytes()
    manifest.write_bytes(text.encode())
    patch = subprocess.run(
        [shutil.which("patch") or "patch", "-p1", "--binary"],
        input=difference,
        cwd=manifest.parent,
        capture_output=True,
        check=False,
    )
    assert patch.returncode == 0, patch.stdout
    assert manifest.read_bytes() == wanted


def test_risk_is_taken_only_when_asked_for(manifest: Path) -> None:
    done = bartizan("fix", manifest)
    assert "hostNetwork" not in "".join(line for line in done.out.splitlines() if line.startswith("-"))
    assert "--risky" in done.err
    assert "-  hostNetwork: true # why?" in bartizan("fix", manifest, "--risky").out
    assert "-  hostNetwork: true # why?" in bartizan("fix", manifest, "--check", "host-network").out


def test_framework_does_not_take_the_risk(manifest: Path) -> None:
    assert "-  hostNetwork" not in bartizan("fix", manifest, "--framework", "pod-security").out


def test_standard_input_goes_to_standard_output() -> None:
    done = bartizan("fix", "-", "--check", "privilege-escalation", text=POD)
    assert (done.code, done.out) == (0, FIXED)
    assert bartizan("fix", "-", "--check", "host-ipc", text=POD).out == POD


def test_findings_of_the_example_application_fall(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", folder)
    before = count(folder)
    assert bartizan("fix", folder, "--write", "-q").code == 0
    plain = count(folder)
    assert bartizan("fix", folder, "--write", "--risky", "-q").code == 0
    assert count(folder) < plain < before
    assert bartizan("fix", folder, "--risky").code == 0


def test_mutate_rules_are_applied_and_not_the_checks(manifest: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policies" / "labels.yaml"
    policy.parent.mkdir()
    policy.write_text(POLICY)
    done = bartizan("fix", manifest, "-p", policy, "--write")
    assert done.code == 0
    assert "labels/team" in done.err
    assert manifest.read_text() == POD.replace("  namespace: shop\n", "  namespace: shop\n  labels:\n    team: 'yes'\n")
    assert bartizan("fix", manifest, "-p", policy).code == 0


def test_patched_element_stays_where_it_is(manifest: Path, tmp_path: Path) -> None:
    """A merge puts the elements that it patches first; in a file that would move them, comments and all."""
    policy = tmp_path / "policy.txt"
    merge = "spec: {containers: [{name: b, image: b:2}, {name: new, image: new:1}]}"
    policy.write_text(POLICY.replace('metadata:\n          labels:\n            +(team): "yes"', merge))
    text = POD.partition("  - name: 'app'")[0] + "  - {name: a, image: a}\n  # about b\n  - name: b\n    image: b:1\n"
    manifest.write_text(text)
    assert bartizan("fix", manifest, "-p", policy, "--write").code == 0
    assert manifest.read_text() == text.replace("b:1\n", "b:2\n  - name: new\n    image: new:1\n")


def test_rule_that_never_rests_is_left(manifest: Path, tmp_path: Path) -> None:
    policy = tmp_path / "endless.txt"
    policy.write_text(ENDLESS)
    done = bartizan("fix", manifest, "-p", policy)
    assert done.code == 0
    assert "changes its own result each time it runs: endless/grow" in done.err


def test_waived_finding_is_not_fixed(manifest: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml.txt"
    waivers.write_text(
        "waivers:\n- {id: w1, reason: old, owner: me, until: 2999-01-01, policy: privilege-escalation}\n"
    )
    done = bartizan("fix", manifest, "--check", "privilege-escalation", "--waivers", waivers)
    assert done.code == 0, done.err
    assert "accepted by waiver `w1`" in done.err


def test_mode_is_kept_and_link_is_followed(manifest: Path) -> None:
    manifest.chmod(0o640)
    link = manifest.parent / "link.yaml"
    link.symlink_to(manifest.name)
    assert bartizan("fix", link, "--check", "host-network", "--write").code == 0
    assert link.is_symlink()
    assert stat.S_IMODE(manifest.stat().st_mode) == 0o640
    assert "hostNetwork" not in manifest.read_text()
    assert sorted(path.name for path in manifest.parent.iterdir()) == ["link.yaml", "pod.yaml"]


def test_file_reached_by_two_names_is_fixed_once(manifest: Path) -> None:
    link = manifest.parent / "link.yaml"
    link.symlink_to(manifest.name)
    assert bartizan("fix", manifest.parent, "--check", "host-network").out.count("+++") == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encoding_stays(manifest: Path, encoding: str) -> None:
    manifest.write_bytes(POD.encode(encoding))
    assert bartizan("fix", manifest, "--check", "privilege-escalation", "--write").code == 0
    written = manifest.read_bytes()
    assert written.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    assert written.decode(encoding) == FIXED


def test_documents_around_the_fixed_one_stay(manifest: Path) -> None:
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 'b'}\n"
    text = f"# head\n---\n{other}---\n{POD}---\n# nothing\n---\n{other}"
    manifest.write_text(text)
    assert bartizan("fix", manifest, "--check", "privilege-escalation", "--write").code == 0
    assert manifest.read_text() == text.replace(POD, FIXED)


def test_elements_of_a_list_are_fixed(manifest: Path) -> None:
    items = "".join(f"- {line}\n" if n == 0 else f"  {line}\n" for n, line in enumerate(POD.splitlines()[1:]))
    manifest.write_text(
        f"apiVersion: v1\nkind: PodList\nitems:\n{items}".replace("- apiVersion: v1\n  kind: Pod\n", "-\n")
    )
    before = manifest.read_text()
    assert bartizan("fix", manifest, "--check", "host-network", "--write").code == 0
    assert manifest.read_text() == before.replace("    hostNetwork: true # why?\n", "")


def test_broken_document_is_named_and_the_others_are_fixed(manifest: Path) -> None:
    manifest.write_text(f"{POD}---\na: [\n")
    done = bartizan("fix", manifest, "--check", "host-network", "--write")
    assert done.code == 2
    assert "hostNetwork" not in manifest.read_text()
    assert manifest.read_text().endswith("---\na: [\n")
    assert str(manifest) in done.err


@pytest.mark.parametrize("depth", [150, 600])
def test_deep_document_is_fixed_or_named(manifest: Path, depth: int) -> None:
    text = '{"apiVersion": "v1", "kind": "Pod", "x": ' + "[" * depth + "]" * depth + ', "spec": {"hostNetwork": true}}'
    manifest.write_text(text)
    done = bartizan("fix", manifest, "--check", "host-network", "--write")
    assert done.code == (0 if depth < 200 else 2)
    assert manifest.read_text() == (text.replace('"hostNetwork": true', "") if depth < 200 else text)


def test_read_only_file_is_named_and_left(manifest: Path) -> None:
    manifest.chmod(0o444)
    if os.access(manifest, os.W_OK):
        pytest.skip("who runs this may write anything")
    done = bartizan("fix", manifest, "--check", "host-network", "--write")
    assert done.code == 3
    assert manifest.read_text() == POD


def test_disk_that_takes_no_more_leaves_the_file_as_it_was(manifest: Path) -> None:
    """A limit on the size of files stands in for a full disk: every write to one fails."""
    program = Path(sys.executable).with_name("bartizan")
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 0; '{program}' fix '{manifest}' --check host-network --write 2>&1 | cat"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert "cannot write" in done.stdout
    assert "0 findings fixed" in done.stdout
    assert manifest.read_text() == POD
    assert [path.name for path in manifest.parent.iterdir()] == ["pod.yaml"]


def test_file_that_changed_meanwhile_is_left(manifest: Path) -> None:
    with pytest.raises(SourceError, match="has changed"):
        replace_file(manifest, b"what was read", b"what is to be")
    assert manifest.read_text() == POD


def test_mutate_rules_of_a_suite_come_to_rest(tmp_path: Path) -> None:
    """Policies that mutate, on their own resources: after one run nothing is left to do."""
    tried = 0
    for policy in sorted(conformance_dir("kyverno-policies").rglob("*.yaml")):
        text = policy.read_text(errors="replace")
        resources = policy.parent / ".kyverno-test" / "resource.yaml"
        if "\n    mutate:" not in f"{text}" or "kind: ClusterPolicy" not in text or not resources.is_file():
            continue
        if tried == 12:
            break
        copy = tmp_path / f"{tried}.yaml"
        shutil.copy(resources, copy)
        bartizan("fix", copy, "-p", policy, "--write")
        assert bartizan("fix", copy, "-p", policy, "-q").out == ""
        tried += 1
    assert tried > 5


def test_charts_and_kustomizations_are_named_and_left(tmp_path: Path) -> None:
    for folder, file in (("chart", "Chart.yaml"), ("overlay", "kustomization.yaml")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("name: x\n")
        (tmp_path / folder / "pod.yaml").write_text(POD)
    done = bartizan("fix", tmp_path, "--risky", "--write")
    assert done.code == 0
    assert "a chart: mend its templates and values" in done.err
    assert "a kustomization: name the files that it is built from" in done.err
    assert (tmp_path / "chart" / "pod.yaml").read_text() == POD
    assert (tmp_path / "overlay" / "pod.yaml").read_text() == POD


def test_resource_gets_no_namespace_it_did_not_have(manifest: Path) -> None:
    manifest.write_text(POD.replace("  namespace: shop\n", ""))
    assert bartizan("fix", manifest, "--risky", "--write").code == 0
    assert "namespace" not in manifest.read_text()


@pytest.mark.parametrize("arguments", [["--check", "nothing"], ["--framework", "nothing"], ["-p", "nothing.yaml"]])
def test_what_does_not_exist_is_bad_input(manifest: Path, arguments: list[str]) -> None:
    assert bartizan("fix", manifest, *arguments).code == 2


def test_resources_of_a_suite_are_fixed_for_good(tmp_path: Path) -> None:
    """After one run nothing is left to do, and no finding of a check that was fixed is left."""
    files = sorted(conformance_dir("kyverno-policies").rglob("*resource*.yaml"))
    for number, file in enumerate(random.Random(7).sample(files, 60)):
        shutil.copy(file, tmp_path / f"{number:03}.yaml")
    first = bartizan("fix", tmp_path, "--risky", "--write", "-q")
    assert " fixed in " in first.err
    again = bartizan("fix", tmp_path, "--risky", "-q")
    assert again.out == ""
    assert "0 findings would be fixed" in again.err


def test_catalogue_shows_and_exports_fixes(manifest: Path, tmp_path: Path) -> None:
    """An exported fix does as a policy what the check's own fix does."""
    assert "`bartizan fix` does it" in bartizan("catalog", "show", "privilege-escalation").out
    assert "Mind: " in bartizan("catalog", "show", "writable-root").out
    assert "By hand" in bartizan("catalog", "show", "untagged-image").out
    assert bartizan("catalog", "export", "--fix", "untagged-image").code == 2
    policy = tmp_path / "policy.txt"
    policy.write_text(bartizan("catalog", "export", "--fix", "privilege-escalation").out)
    assert bartizan("fix", manifest, "-p", policy, "--write").code == 0
    assert manifest.read_text() == FIXED


def test_rule_may_ask_about_the_other_files(manifest: Path, tmp_path: Path) -> None:
    """Its context is answered from the objects that stand beside the one it changes."""
    teams = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: teams, namespace: shop}\ndata: {team: storefront}\n"
    (tmp_path / "teams.yaml").write_text(teams)
    context = "    context: [{name: teams, configMap: {name: teams, namespace: shop}}]\n    mutate:"
    policy = tmp_path / "policy.txt"
    policy.write_text(POLICY.replace("    mutate:", context).replace('"yes"', "'{{ teams.data.team }}'"))
    assert bartizan("fix", tmp_path, "-p", policy, "--write").code == 0
    assert "    team: storefront\n" in manifest.read_text()
    assert (tmp_path / "teams.yaml").read_text() == teams
