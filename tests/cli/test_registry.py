"""`bartizan scan --registry`, as people run it, against a real registry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.cli.command import bartizan
from tests.registry.fixtures import registry_server
from tests.registry.images import build_image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry.start import RegistryServer

__all__ = ["registry_server"]
POLICY = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: image-user
spec:
  validationFailureAction: Audit
  rules:
  - name: not-root
    match:
      any:
      - resources:
          kinds: [Pod]
    validate:
      message: "{{ element.image }} runs as {{ image.configData.config.User }}"
      foreach:
      - list: request.object.spec.containers
        context:
        - name: image
          imageRegistry:
            reference: "{{ element.image }}"
        deny:
          conditions:
            any:
            - key: "{{ image.configData.config.User || '0' }}"
              operator: Equals
              value: "0"
"""
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: NAME
spec:
  containers:
  - name: app
    image: HOST/cli/TAG
---
"""


@pytest.fixture
def manifests(registry_server: RegistryServer, tmp_path: Path) -> Path:
    """A folder of a policy and three pods: one runs as root by its image's config, one does not, one has no image."""
    for tag, user in (("root", "0"), ("plain", "1000")):
        built = build_image(tag, config={"config": {"User": user}})
        registry_server.pusher.push(f"cli/{tag}", "latest", built)
    pods = "".join(
        POD.replace("NAME", name).replace("HOST", registry_server.host).replace("TAG", name)
        for name in ("root", "plain", "missing")
    )
    (tmp_path / "pods.yaml").write_text(pods)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def results(out: str) -> dict[str, tuple[str, str]]:
    return {item["resource"]["name"]: (item["result"], item["message"]) for item in json.loads(out)["findings"]}


def test_a_registry_is_asked(manifests: Path, registry_server: RegistryServer) -> None:
    pods, policy = manifests / "pods.yaml", manifests / "policy.yaml"
    done = bartizan("scan", pods, "-p", policy, "--registry", "-o", "json")
    found = results(done.out)
    assert done.code == 1
    assert set(found) == {"root", "missing"}
    assert found["root"][0] == "fail"
    assert found["missing"][0] == "error"
    assert f"registry `{registry_server.host}` has no such thing in `cli/missing`" in found["missing"][1]


def test_no_registry_is_asked_unless_that_is_wanted(manifests: Path) -> None:
    done = bartizan("scan", manifests / "pods.yaml", "-p", manifests / "policy.yaml", "-o", "json")
    found = results(done.out)
    assert {result for result, _ in found.values()} == {"error"}
    assert "nothing to ask for image" in found["plain"][1]


def test_credentials_that_cannot_be_read(manifests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (manifests / "config.json").write_text("[]")
    monkeypatch.setenv("DOCKER_CONFIG", str(manifests))
    done = bartizan("scan", manifests / "pods.yaml", "-p", manifests / "policy.yaml", "--registry")
    assert done.code == 2
    assert "config.json` is no JSON object" in done.err


def test_processes_that_share_the_work_ask_each_for_themselves(
    manifests: Path, registry_server: RegistryServer
) -> None:
    """A scan of many pods by two processes finds what one finds."""
    one = POD.replace("metadata:", f"metadata:\n  annotations: {{a: {'x' * 1000}}}").replace(
        "HOST", registry_server.host
    )
    pods = "".join(
        one.replace("NAME", f"p{number}").replace("TAG", "plain" if number % 2 else "root") for number in range(400)
    )
    (manifests / "pods.yaml").write_text(pods)
    found = [
        results(bartizan("scan", manifests / "pods.yaml", "-p", manifests / "policy.yaml", "--registry", *more).out)
        for more in (("-o", "json", "--workers", "2"), ("-o", "json", "--workers", "1"))
    ]
    assert found[0] == found[1]
    assert set(found[0]) == {f"p{number}" for number in range(0, 400, 2)}
    assert {result for result, _ in found[0].values()} == {"fail"}
