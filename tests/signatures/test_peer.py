"""The peer on the same registry: one run of its command line over every case that it can decide without the network.

It is the only program at hand that verifies all kinds of signatures by the
libraries of those who invented them, Notary's among them.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from tests.conformance import peer
from tests.registry.fixtures import registry_server  # noqa: F401 (a fixture)
from tests.signatures.cast import cast
from tests.signatures.test_verify_images import CASES, pod, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry.start import RegistryServer

_PUBLIC: Final = "https://rekor.sigstore.dev"
DIFFERENT: Final = {
    "certificates: a certificate that leads to the policy's chain": "of a chain it always demands a log's timestamp",
    "attestations: names of attestations, denied by what they say together": "a name is the first statement there",
    "cosign: several keys in one text are counted one by one": "it refuses a count above the number of entries",
    "cosign: without a key of the log nothing is decided": "here it is given the key",
    "keyless: without a trusted root nothing is decided": "here it is given the roots",
    "keyless: an expression that is none": "it blames the image for it, and not the rule",
    "keyless: further extensions, by name and by number": "it knows the first six only",
}
"""Cases in which the peer decides something else, and why."""
WORDS: Final = {"pass": 0, "skip": 1, "error": 2, "fail": 3}


def offline(value: Any) -> bool:
    """Give the peer in the policy what we take from the trusted root; whether it can then do without the network."""
    if isinstance(value, list):
        return not [item for item in value if not offline(item)]
    if not isinstance(value, dict):
        return True
    texts = cast().texts()
    keys, keyless = value.get("keys"), value.get("keyless")
    if keys is not None:
        if keys.get("kms") or keys.get("secret") or "k8s://" in keys.get("publicKeys", ""):
            return False
        keys.setdefault("ctlog", {"ignoreSCT": True})
        keys.setdefault("rekor", {"url": _PUBLIC, "pubkey": texts["rekor"]})
    if keyless is not None:
        keyless.setdefault("roots", texts["root"])
        keyless.setdefault("ctlog", {"pubkey": texts["ctlog"]})
        keyless["rekor"] = {"pubkey": texts["rekor"], **keyless.get("rekor", {}), "url": _PUBLIC}
    return offline(list(value.values()))


def asked(case: dict[str, Any]) -> dict[str, Any] | None:
    """The entry as the peer is asked about it; `None` where it would want the network."""
    filled = json.loads(json.dumps(cast().fill(case["entry"])))
    defaults = {"imageReferences": ["*"], "mutateDigest": True, "verifyDigest": True, "required": True}
    entry = {key: value for key, value in {**defaults, **filled}.items() if value is not None}
    is_bundle = entry.get("type") == "SigstoreBundle"
    lacks_attestors = any(not one.get("attestors") for one in entry.get("attestations", ()))
    is_old = "image" in entry  # which cannot say what log to believe
    needs_log = is_bundle and "ignoreTlog" not in json.dumps(entry)
    cannot = is_old or needs_log or (lacks_attestors and entry.get("type") != "Notary")
    return None if cannot or not offline(entry) else {**entry, "useCache": False}


def prepare(folder: Path, server: RegistryServer) -> dict[str, tuple[str, str]]:
    """Policies and pods of all cases, in a folder; wanted results by the name of the policy."""
    wanted: dict[str, tuple[str, str]] = {}
    for number, param in enumerate(CASES):
        (case,) = param.values
        entry = asked(case)
        if entry is None:
            continue
        name, repository = f"case-{number}", f"peer-{number}/app"
        shelf = recorded(case).shelf
        shelf.push(server.pusher, repository)
        match = {"any": [{"resources": {"kinds": ["Pod"], "names": [name]}}]}
        rule = {"name": "check", "match": match, "verifyImages": [entry]}
        place = f"{server.host}/{repository}"
        body = pod(f"{place}@{shelf.image.digest}" if case.get("by_digest") else f"{place}:v1")
        body["metadata"]["name"] = name
        document = {
            "apiVersion": "kyverno.io/v1",
            "kind": "ClusterPolicy",
            "metadata": {"name": name},
            "spec": {"background": False, "validationFailureAction": "Enforce", "rules": [rule]},
        }
        for kind, content in (("policies", document), ("pods", body)):
            (folder / kind).mkdir(exist_ok=True)
            (folder / kind / f"{name}.yaml").write_text(yaml.safe_dump(content))
        wanted[name] = (str(param.id), case["want"].partition(":")[0])
    return wanted


def test_the_peer_decides_alike(
    tmp_path: Path,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    program = peer("kyverno")["kyverno"]
    wanted = prepare(tmp_path, registry_server)
    command = [str(program), "apply", str(tmp_path / "policies"), "--resource", str(tmp_path / "pods"), "--registry"]
    form = ("--policy-report", "--output-format", "json")
    done = subprocess.run([*command, *form], capture_output=True, text=True, timeout=300, check=False)
    start = done.stdout.find("\n{")
    assert start >= 0, done.stdout[-2000:] + done.stderr[-2000:]
    report = json.loads(done.stdout[start:])
    said: dict[str, str] = {}
    for result in report["results"]:
        word, before = result["result"], said.get(result["policy"], "pass")
        said[result["policy"]] = max(word, before, key=lambda one: WORDS.get(one, 3))
    assert len(said) > 90
    told = {note: (want, said.get(name, "none")) for name, (note, want) in wanted.items()}
    odd = {note: pair for note, pair in told.items() if pair[0] != pair[1] and note not in DIFFERENT}
    assert odd == {}
    assert {note for note in DIFFERENT if told[note][0] == told[note][1]} == set()


@pytest.mark.parametrize("note", DIFFERENT)
def test_differences_are_of_cases_that_there_are(note: str) -> None:
    assert note in {param.id for param in CASES}
