"""`bartizan scan`, as people run it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cli.command import ROOT, bartizan
from tests.laws import examples

if TYPE_CHECKING:
    from pathlib import Path

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  hostNetwork: true
  containers:
  - name: app
    image: app:latest
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    return file


def test_finding_has_its_line(manifest: Path) -> None:
    report = json.loads(bartizan("scan", manifest, "--check", "latest-image", "-o", "json").out)
    (finding,) = report["findings"]
    assert (finding["location"]["line"], finding["location"]["column"]) == (10, 5)
    assert finding["excerpt"] == "    image: app:latest"


def test_exit_codes_follow_the_threshold(manifest: Path) -> None:
    assert bartizan("scan", manifest, "--check", "latest-image", "--fail-on", "high").code == 0
    assert bartizan("scan", manifest, "--check", "latest-image", "--fail-on", "medium").code == 1
    assert bartizan("scan", manifest, "--check", "latest-image", "--fail-on", "never").code == 0


def test_standard_input_and_lists(manifest: Path) -> None:
    del manifest
    items = "".join(f"- {line}\n" if n == 0 else f"  {line}\n" for n, line in enumerate(POD.splitlines()))
    text = f"apiVersion: v1\nkind: List\nitems:\n{items}"
    report = json.loads(bartizan("scan", "-", "--check", "latest-image", "-o", "json", text=text).out)
    (finding,) = report["findings"]
    assert finding["location"]["line"] == 13


def test_several_formats_at_once(manifest: Path, tmp_path: Path) -> None:
    sarif, page = tmp_path / "out.sarif", tmp_path / "out.html"
    done = bartizan("scan", manifest, "-o", "summary", "-o", f"sarif={sarif}", "-o", f"html={page}")
    assert "findings" in done.out
    assert json.loads(sarif.read_text())["version"] == "2.1.0"
    assert page.read_text().startswith("<!doctype html>")


def test_workers_change_nothing(tmp_path: Path) -> None:
    documents = [POD.replace("name: web", f"name: web-{number}") for number in range(2_000)]
    file = tmp_path / "many.yaml"
    file.write_text("---\n".join(documents))
    one, two = (json.loads(bartizan("scan", file, "--workers", n, "-o", "json").out) for n in ("1", "2"))
    one.pop("at")
    two.pop("at")
    assert len(one["resources"]) == 2_000
    assert one == two


def test_baseline_shows_only_what_is_new(manifest: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    bartizan("scan", manifest, "-o", f"json={baseline}")
    assert bartizan("scan", manifest, "--baseline", baseline).code == 0
    manifest.write_text(POD + "    securityContext: {privileged: true}\n")
    report = json.loads(bartizan("scan", manifest, "--baseline", baseline, "-o", "json").out)
    assert [item["policy"] for item in report["findings"]] == ["privileged-container"]


WAIVERS = """\
waivers:
- id: W-1
  reason: the node agent needs it
  owner: platform
  until: {until}
  policy: host-network
  kind: Pod
  name: web
"""


def test_waiver_holds_until_its_day(manifest: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(WAIVERS.format(until="2999-12-31"))
    held = bartizan("scan", manifest, "--check", "host-network", "--waivers", waivers)
    waivers.write_text(WAIVERS.format(until="2020-01-01"))
    expired = bartizan("scan", manifest, "--check", "host-network", "--waivers", waivers)
    assert (held.code, expired.code) == (0, 1)
    assert "W-1" in expired.out


EXCEPTION = """\
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: agent, namespace: shop}
spec:
  exceptions: [{policyName: no-latest, ruleNames: [tags]}]
  match: {any: [{resources: {kinds: [Pod], names: [web]}}]}
"""
POLICY = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: no-latest}
spec:
  rules:
  - name: tags
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      message: "no latest for {{ request.object.metadata.name }}"
      pattern: {spec: {containers: [{image: "!*:latest"}]}}
"""


def test_policies_and_their_exceptions(manifest: Path, tmp_path: Path) -> None:
    policy, exception = tmp_path / "policy.yaml", tmp_path / "exception.yaml"
    policy.write_text(POLICY)
    exception.write_text(EXCEPTION)
    plain = json.loads(bartizan("scan", manifest, "-p", policy, "-o", "json").out)
    assert [item["message"] for item in plain["findings"]] == ["no latest for web"]
    assert bartizan("scan", manifest, "-p", policy, "--exception", exception).code == 0


def test_pod_security_levels(manifest: Path) -> None:
    report = json.loads(bartizan("scan", manifest, "--pod-security", "baseline@v1.35", "-o", "json").out)
    assert [item["rule"] for item in report["findings"]] == ["hostNamespaces"]


def test_example_application_has_findings_and_clean_resources() -> None:
    report = json.loads(bartizan("scan", "examples", "-o", "json", cwd=ROOT).out)
    named = {item["policy"] for item in report["findings"]}
    assert {"latest-image", "dangling-service", "blocked-disruption", "cluster-admin-binding"} <= named
    assert report["problems"] == []


def test_version_and_help_import_no_command() -> None:
    code = "import sys; from bartizan.cli.main import main\ntry: main(['--version'])\nexcept SystemExit: pass\n"
    code += "print([name for name in ('yaml', 'orjson', 'rich', 'bartizan.app') if name in sys.modules])"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", [(), ("scan",), ("test",), ("catalog",), ("completion",)])
def test_help_teaches(command: tuple[str, ...]) -> None:
    done = bartizan(*command, "--help")
    assert done.code == 0
    assert "Usage: bartizan" in done.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "_BARTIZAN_COMPLETE" in bartizan("completion", shell).out


def test_catalog_exports_policies_that_give_the_same_findings(manifest: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported.yaml"
    exported.write_text(bartizan("catalog", "export", "latest-image", "host-network").out)
    report = json.loads(bartizan("scan", manifest, "-p", exported, "-o", "json").out)
    assert {item["policy"] for item in report["findings"]} == {"latest-image", "host-network"}


@examples(25)
@given(st.text(max_size=200))
def test_no_text_is_a_bug(text: str) -> None:
    """Whatever is piped in, the answer is a report or a problem, never a traceback."""
    from bartizan.sources.manifests import read_bytes

    for item in read_bytes(text.encode("utf-8", "surrogatepass"), "input"):
        assert item is not None
