"""The peer on the same registry: one run of its command line over every case that it can decide without the network.

Sigstore's roots are on the network for it, so that what is left are keys,
certificates and Notary, and all that policies say beside them.
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
from tests.signatures.test_image_policies import CASES, _named, policy_of
from tests.signatures.test_verify_images import pod, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry.start import RegistryServer

    from bartizan.base.json import JsonObject

_NEVER: Final = "it never counts an attestation in a layer whose log is ignored"
DIFFERENT: Final = {
    "attestations: a provenance by the key, that says what is wanted": _NEVER,
    "attestations: a short name of a type": _NEVER,
    "attestations: a statement of any text is as its maker wrote it": _NEVER,
    "cosign: a key out of an expression that is no key": "it blames the image for it, and not the policy",
    "cosign: annotations that the signature has": "it looks for them beside the signature, where cosign puts none",
    "policies: an attestor that an expression makes up": "it takes it for one who signs nothing",
    "policies: an extractor in place of a known one": "it asks a registry for every image, wanted or not",
    "policies: digests are pinned first, and then there": "its command line pins nothing",
}
"""Cases in which the peer decides something else, and why."""
OTHER_WORDS: Final = {"attestations: a provenance that says something else": _NEVER}
"""Cases in which it fails a resource for something else."""
_KNOWN: Final = ("Pod", "Deployment", "CronJob")


def asked(case: JsonObject) -> list[JsonObject] | None:
    """The policies of a case as the peer is asked; `None` where it would want the network, a cluster or a request."""
    filled = cast().fill({key: case[key] for key in ("spec", "more") if key in case})
    specs = [policy_of(one)["spec"] for one in (filled.get("spec", {}), *filled.get("more", []))]
    outside = {"exceptions", "request", "kind", "secrets"} & set(case)
    if outside or not all(map(_is_local, specs)) or case.get("body", {"kind": "Pod"})["kind"] not in _KNOWN:
        return None
    return specs


def _is_local(spec: JsonObject) -> bool:
    for one in spec.get("attestors", ()):
        cosign = one.get("cosign")
        if cosign is not None and not cosign.get("ctlog", {}).get("insecureIgnoreTlog"):
            return False
    return True


def prepare(folder: Path, server: RegistryServer) -> dict[str, tuple[str, str, str]]:
    """Policies and resources of all cases, in a folder; by the name of the policy the case, its word and message."""
    wanted: dict[str, tuple[str, str, str]] = {}
    for number, param in enumerate(CASES):
        (case,) = param.values
        specs = asked(case)
        if specs is None:
            continue
        name, place = f"case-{number}", f"{server.host}/alike-{number}/app"
        shelf = recorded({"holds": [], **case}).shelf
        shelf.push(server.pusher, f"alike-{number}/app")
        image = f"{place}@{shelf.image.digest}" if case.get("by_digest") else f"{place}:v1"
        body: Any = _named(cast().fill(case.get("body")) or pod(image), image)
        body["metadata"]["namespace"] = name
        _write(folder / "resources" / f"{name}.yaml", body)
        # those that pin are not asked by the peer's command line
        words = case["want"] if isinstance(case["want"], list) else [case["want"]]
        words = [one for one in words if one != "pass: digests are pinned"]
        for index, spec in enumerate(specs):
            own = f"{name}-{index}"
            condition = {"name": "own", "expression": f"request.namespace == '{name}'"}
            document = {
                "apiVersion": "policies.kyverno.io/v1",
                "kind": "ImageValidatingPolicy",
                "metadata": {"name": own},
                "spec": {**spec, "matchConditions": [condition, *spec.get("matchConditions", [])]},
            }
            _write(folder / "policies" / f"{own}.yaml", document)
            word, _, text = str(words[index] if index < len(words) else "none").partition(": ")
            wanted[own] = (str(param.id), word, text.replace("@image;", image))
    return wanted


def _write(path: Path, document: JsonObject) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document))


def test_the_peer_decides_alike(
    tmp_path: Path,
    registry_server: RegistryServer,  # noqa: F811 (the fixture)
) -> None:
    program = peer("kyverno")["kyverno"]
    wanted = prepare(tmp_path, registry_server)
    command = [str(program), "apply", str(tmp_path / "policies"), "--resource", str(tmp_path / "resources")]
    form = ("--registry", "--continue-on-fail", "--policy-report", "--output-format", "json")
    done = subprocess.run([*command, *form], capture_output=True, text=True, timeout=300, check=False)
    start = done.stdout.find('{"')
    assert start >= 0, done.stdout[-2000:] + done.stderr[-2000:]
    report = json.loads(done.stdout[start:])
    said = {result["policy"]: (result["result"], result.get("message", "")) for result in report["results"]}
    assert len(said) > 60
    told = {note: (want, *said.get(name, ("none", ""))) for name, (note, want, _) in wanted.items()}
    odd = {note: one for note, one in told.items() if one[0] != one[1] and note not in DIFFERENT}
    assert odd == {}
    messages = [(note, text, said[name][1]) for name, (note, word, text) in wanted.items() if word == "fail"]
    assert {note for note, ours, theirs in messages if ours not in theirs} == set(OTHER_WORDS)
    assert {note for note in DIFFERENT if told[note][0] == told[note][1]} == set()


@pytest.mark.parametrize("note", [*DIFFERENT, *OTHER_WORDS])
def test_differences_are_of_cases_that_there_are(note: str) -> None:
    assert note in {param.id for param in CASES}
