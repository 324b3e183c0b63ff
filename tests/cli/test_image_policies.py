"""Image policies in CEL on the command line: scans, what is pinned on the way into a cluster, and tests of policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from tests.cli.command import bartizan
from tests.cli.test_verify_images import image, results, write
from tests.registry.fixtures import registry_server  # noqa: F401 (a fixture)
from tests.signatures.cast import cast
from tests.signatures.test_image_policies import policy_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry.start import RegistryServer

_ALICE = {"name": "them", "cosign": {"key": {"data": "$alice;"}, "ctlog": {"insecureIgnoreTlog": True}}}


def policies(tmp_path: Path, *specs: dict[str, Any]) -> Path:
    """A file with policies; without any, with one that wants alice's signature."""
    wanted = specs or ({"attestors": [_ALICE]},)
    documents = [policy_of(cast().fill(spec), f"images-{index}") for index, spec in enumerate(wanted)]
    path = tmp_path / "policies.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return path


def test_a_signed_image_is_clean(tmp_path: Path, registry_server: RegistryServer) -> None:  # noqa: F811 (the fixture)
    manifest = write(tmp_path, image(registry_server, "cel-signed", {"signature": {"by": "alice"}}))
    done = bartizan("scan", manifest, "-p", policies(tmp_path), "--registry", "-o", "json")
    assert done.code == 0, done.out + done.err
    assert results(done.out) == []


def test_an_unsigned_image_is_found_with_its_line_and_the_reason(
    tmp_path: Path,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    manifest = write(tmp_path, image(registry_server, "cel-unsigned", {"signature": {"by": "bob"}}))
    done = bartizan("scan", manifest, "-p", policies(tmp_path), "--registry", "-o", "json")
    assert done.code == 1
    assert results(done.out) == [("fail", "not signed")]
    assert "attestor `them`: the signature is not by this key" in done.out
    line = next(number for number, text in enumerate(manifest.read_text().splitlines(), 1) if "image:" in text)
    assert f'"line":{line}' in done.out.replace(" ", "")


def test_without_a_registry_the_rule_is_in_error(tmp_path: Path) -> None:
    done = bartizan("scan", write(tmp_path, "r.example.com/app:v1"), "-p", policies(tmp_path), "-o", "json")
    assert done.code == 1
    ((result, message),) = results(done.out)
    assert result == "error"
    assert "nothing to ask for the digest of image `r.example.com/app:v1`" in message


def test_one_policy_requires_what_another_verifies(
    tmp_path: Path,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    manifest = write(tmp_path, image(registry_server, "cel-company", {"signature": {"by": "alice"}}))
    asking = policies(tmp_path, {"validations": [{"expression": "true"}]}, {"attestors": [_ALICE]})
    done = bartizan("scan", manifest, "-p", asking, "--registry", "-o", "json")
    assert results(done.out) == []
    alone = policies(tmp_path, {"validations": [{"expression": "true"}]})
    done = bartizan("scan", manifest, "-p", alone, "--registry", "-o", "json")
    ((result, message),) = results(done.out)
    assert (result, "no policy performed a signature" in message) == ("fail", True)


def test_applying_pins_the_digest(tmp_path: Path, registry_server: RegistryServer) -> None:  # noqa: F811 (the fixture)
    name = image(registry_server, "cel-pinned", {"signature": {"by": "alice"}})
    asking = policies(tmp_path, {"attestors": [_ALICE], "validationConfigurations": {}})
    done = bartizan("apply", asking, "-r", write(tmp_path, name), "--registry", "-o", "yaml")
    assert done.code == 0, done.out + done.err
    assert yaml.safe_load(done.out)["spec"]["containers"][0]["image"].startswith(f"{name}@sha256:")


def test_what_a_registry_says_of_an_image_is_there_for_expressions(
    tmp_path: Path,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    manifest = write(tmp_path, image(registry_server, "cel-data"))
    asking = policies(
        tmp_path,
        {
            "validationConfigurations": {"mutateDigest": False, "verifyDigest": False, "required": False},
            "validations": [
                {"expression": "images.containers.all(i, getImageData(i).config.architecture == 'amd64')"},
                {"expression": "images.containers.all(i, getImageData(i).digest.startsWith('sha256:'))"},
                {"expression": "images.containers.all(i, getImageData(i).tag == 'v2')", "message": "another tag"},
            ],
        },
    )
    done = bartizan("scan", manifest, "-p", asking, "--registry", "-o", "json")
    assert results(done.out) == [("fail", "another tag")]


def test_a_test_of_a_policy_judges_images_as_they_stand(tmp_path: Path) -> None:
    policies(tmp_path, {"validationConfigurations": {}, "validations": [{"expression": "true"}]})
    write(tmp_path, "r.example.com/app:v1")
    row = {"policy": "images-0", "kind": "Pod", "resources": ["app"], "result": "fail", "isImageValidatingPolicy": True}
    document = {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Test",
        "metadata": {"name": "images"},
        "policies": ["policies.yaml"],
        "resources": ["pod.yaml"],
        "results": [row],
    }
    (tmp_path / "kyverno-test.yaml").write_text(yaml.safe_dump(document))
    done = bartizan("test", tmp_path)
    assert done.code == 0, done.out + done.err
