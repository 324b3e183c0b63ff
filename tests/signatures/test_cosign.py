"""What the real cosign signs, verified; skips where it is not built, for its build takes minutes."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conformance import peer
from tests.registry.fixtures import registry_server  # noqa: F401 (a fixture)
from tests.registry.images import build_image
from tests.signatures.authority import new_key, public_pem
from tests.signatures.test_verify_images import judge, pod

from bartizan.app.images.registry import RegistryLookup
from bartizan.engines.policy.lookup import Offline
from bartizan.model.outcome import Failed, Passed
from bartizan.sources.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry.start import RegistryServer

_OTHER = public_pem(new_key())
SLSA = "https://slsa.dev/provenance/v0.2"


@pytest.fixture(scope="module")
def cosign() -> Path:
    """The program, where it is built."""
    return peer("cosign")["cosign"]


class Signed:
    """An image, its signer's folder, and its place."""

    def __init__(self, program: Path, folder: Path, place: str, form: str) -> None:
        self._program, self._folder, self._form = program, folder, form
        self.place = place
        self.run("generate-key-pair")
        self.key = (folder / "cosign.pub").read_text()

    def run(self, *arguments: str) -> None:
        """Run the program in the folder."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "COSIGN_PASSWORD": ""}
        command = [str(self._program), *arguments]
        subprocess.run(command, cwd=self._folder, env=environment, check=True, capture_output=True, timeout=60)

    def sign(self, verb: str, *arguments: str) -> None:
        """Sign without any service of the public Sigstore."""
        quiet = ("--use-signing-config=false", "--tlog-upload=false", f"--new-bundle-format={self._form}", "-y")
        self.run(verb, "--key", "cosign.key", *quiet, *arguments, self.place)

    def entry(self, key: str = "", **attestor: Any) -> list[dict[str, Any]]:
        """A set of attestors with the key."""
        logs = {"rekor": {"url": "u", "ignoreTlog": True}, "ctlog": {"ignoreSCT": True}}
        return [{"entries": [{"keys": {"publicKeys": key or self.key, **logs}, **attestor}]}]


@pytest.fixture(params=["false", "true"], ids=["layers", "bundles"])
def signed(
    request: pytest.FixtureRequest,
    cosign: Path,
    tmp_path: Path,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> Signed:
    """An image that nobody has signed yet."""
    repository = f"real-{request.param}-{abs(hash(request.node.nodeid)) % 10**6}/app"
    digest = registry_server.pusher.push(repository, "v1", build_image("real"))
    return Signed(cosign, tmp_path, f"{registry_server.host}/{repository}@{digest}", request.param)


def verdict(signed: Signed, **entry: Any) -> object:
    """What we say."""
    kind = "SigstoreBundle" if signed._form == "true" else "Cosign"  # noqa: SLF001 (the fixture's own)
    with Registry() as registry:
        return judge({"type": kind, **entry}, pod(signed.place), RegistryLookup(Offline(), lambda: registry))


def test_signature_verifies(signed: Signed) -> None:
    assert isinstance(verdict(signed, attestors=signed.entry()), Failed)
    signed.sign("sign", "-a", "team=red")
    assert isinstance(verdict(signed, attestors=signed.entry(annotations={"team": "red"})), Passed)
    assert isinstance(verdict(signed, attestors=signed.entry(annotations={"team": "blue"})), Failed)
    assert isinstance(verdict(signed, attestors=signed.entry(_OTHER)), Failed)


def test_attestation_verifies(signed: Signed, tmp_path: Path) -> None:
    (tmp_path / "predicate.json").write_text('{"builder": {"id": "https://builder.example.com"}, "buildType": "x"}')
    signed.sign("attest", "--type", "slsaprovenance", "--predicate", "predicate.json")

    def attested(builder: str, key: str = "") -> object:
        condition = {"key": "{{ builder.id }}", "operator": "Equals", "value": builder}
        wanted = {"type": SLSA, "attestors": signed.entry(key), "conditions": [{"all": [condition]}]}
        return verdict(signed, attestations=[wanted])

    assert isinstance(attested("https://builder.example.com"), Passed)
    assert isinstance(attested("https://another.example.com"), Failed)
    assert isinstance(attested("https://builder.example.com", _OTHER), Failed)
