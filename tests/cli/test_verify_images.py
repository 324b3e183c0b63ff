"""`verifyImages` on the command line: scans that may ask a registry, and those that may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.cli.command import bartizan
from tests.registry.fixtures import registry_server  # noqa: F401 (a fixture)
from tests.signatures.cast import cast
from tests.signatures.test_manifests import MANIFEST, annotations_of
from tests.signatures.test_verify_images import pod

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry.start import RegistryServer


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy that wants alice's signature."""
    entry = {
        "imageReferences": ["*"],
        "attestors": [
            {"entries": [{"keys": {"publicKeys": cast().texts()["alice"], "rekor": {"url": "u", "ignoreTlog": True}}}]}
        ],
    }
    rule = {"name": "check", "match": {"any": [{"resources": {"kinds": ["Pod"]}}]}, "verifyImages": [entry]}
    document = {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "signed"},
        "spec": {"rules": [rule]},
    }
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def image(server: RegistryServer, name: str, *holds: dict[str, Any]) -> str:
    """An image in the registry, with what is beside it."""
    cast().shelf(list(holds)).push(server.pusher, f"cli/{name}")
    return f"{server.host}/cli/{name}:v1"


def write(tmp_path: Path, text: str) -> Path:
    """A manifest with a pod of one image."""
    path = tmp_path / "pod.yaml"
    path.write_text(yaml.safe_dump(pod(text), sort_keys=False))
    return path


def results(out: str) -> list[tuple[str, str]]:
    """Result and message of every finding."""
    return [(item["result"], item["message"]) for item in json.loads(out)["findings"]]


def test_a_signed_image_is_clean(policy: Path, tmp_path: Path, registry_server: RegistryServer) -> None:  # noqa: F811 (the fixture)
    manifest = write(tmp_path, image(registry_server, "signed", {"signature": {"by": "alice"}}))
    done = bartizan("scan", manifest, "-p", policy, "--registry", "-o", "json")
    assert done.code == 0, done.out + done.err
    assert results(done.out) == []


def test_an_unsigned_image_is_found_with_its_line(
    policy: Path,
    tmp_path: Path,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    manifest = write(tmp_path, image(registry_server, "unsigned", {"signature": {"by": "bob"}}))
    done = bartizan("scan", manifest, "-p", policy, "--registry")
    assert done.code == 1
    assert "the signature is not by this key" in " ".join(done.out.split())
    line = next(number for number, text in enumerate(manifest.read_text().splitlines(), 1) if "image:" in text)
    assert f"pod.yaml:{line}" in done.out


def test_without_a_registry_the_rule_is_in_error(policy: Path, tmp_path: Path) -> None:
    manifest = write(tmp_path, "registry.example.com/app:v1")
    done = bartizan("scan", manifest, "-p", policy, "-o", "json")
    assert done.code == 1
    ((result, message),) = results(done.out)
    assert result == "error"
    assert "nothing to ask for the signatures of image `registry.example.com/app:v1`" in message


def test_a_registry_that_is_down_is_an_error_and_no_pass(policy: Path, tmp_path: Path) -> None:
    done = bartizan("scan", write(tmp_path, "127.0.0.1:1/app:v1"), "-p", policy, "--registry", "-o", "json")
    assert done.code == 1
    assert [result for result, _ in results(done.out)] == ["error"]


def test_applying_pins_the_digest(policy: Path, tmp_path: Path, registry_server: RegistryServer) -> None:  # noqa: F811 (the fixture)
    name = image(registry_server, "pinned", {"signature": {"by": "alice"}})
    done = bartizan("apply", policy, "-r", write(tmp_path, name), "--registry", "-o", "yaml")
    assert done.code == 0, done.err
    body = yaml.safe_load(done.out)
    assert body["spec"]["containers"][0]["image"].startswith(f"{name}@sha256:")
    assert '"pass"' in body["metadata"]["annotations"]["kyverno.io/verify-images"]


def test_a_signed_manifest_needs_no_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"by": ["person"], "logged": True}
    keyless = {"subject": "erin@example.com", "issuer": "https://accounts.example.com", "rekor": {"url": "u"}}
    rule = {
        "name": "signed",
        "match": {"any": [{"resources": {"kinds": ["Deployment"]}}]},
        "validate": {"manifests": {"attestors": [{"entries": [{"keyless": keyless}]}]}},
    }
    document = {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "p"},
        "spec": {"rules": [rule]},
    }
    rules, manifest, root = tmp_path / "policy.yaml", tmp_path / "app.yaml", tmp_path / "trusted_root.json"
    rules.write_text(yaml.safe_dump(document))
    metadata = {**MANIFEST["metadata"], "annotations": annotations_of(case)}
    manifest.write_text(yaml.safe_dump({**MANIFEST, "metadata": metadata}))
    root.write_text(json.dumps(cast().sigstore.trusted_root()))
    monkeypatch.setenv("BARTIZAN_TRUSTED_ROOT", str(root))
    assert bartizan("scan", manifest, "-p", rules).code == 0
    monkeypatch.setenv("BARTIZAN_TRUSTED_ROOT", str(manifest))
    broken = bartizan("scan", manifest, "-p", rules, "-o", "json")
    assert [(result, "is no trusted root" in message) for result, message in results(broken.out)] == [("error", True)]
    monkeypatch.delenv("BARTIZAN_TRUSTED_ROOT")
    public = bartizan("scan", manifest, "-p", rules, "-o", "json")
    assert [result for result, _ in results(public.out)] == ["fail"]
