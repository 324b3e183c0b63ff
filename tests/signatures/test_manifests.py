"""`validate.manifests` on manifests signed here, and on the ones that the peer's own suite has signed."""

from __future__ import annotations

import gzip
import io
import tarfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.signatures.authority import Issued, public_pem, sign
from tests.signatures.cast import cast
from tests.signatures.cosign import b64, hashed_entry, log_annotation
from tests.signatures.shelf import Recorded, Shelf
from tests.signatures.test_verify_images import NAMES

from bartizan.app.ambient import ambient
from bartizan.engines.policy.dialects.kyverno import compile_policy, expression_compiler
from bartizan.model.outcome import Failed, Outcome, Passed
from bartizan.model.request import Request
from bartizan.model.resource import resource_from

CASES = [
    pytest.param(case, id=case["note"])
    for case in yaml.safe_load((Path(__file__).parents[1] / "cases" / "verify_images" / "manifests.yml").read_text())
]
MANIFEST: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "app", "labels": {"app.kubernetes.io/name": "app"}},
    "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "app", "image": "nginx:1.2"}]}}},
}


def message_of(case: dict[str, Any]) -> bytes:
    """What is signed."""
    text = yaml.safe_dump(MANIFEST).encode()
    other = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"
    if not case.get("archive"):
        return other + b"---\n" + text
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in (("other.yaml", other), ("notes.txt", b"{"), ("dir/app.yml", text)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def annotations_of(case: dict[str, Any]) -> dict[str, str]:
    """The annotations that carry message and signatures."""
    if not case["by"]:
        return {}
    domain, message = case.get("domain", "cosign.sigstore.dev"), message_of(case)
    made = {f"{domain}/message": b64(gzip.compress(message))}
    for number, name in enumerate(case["by"]):
        signer, suffix = cast().signers[name], f"_{number}" if number else ""
        key = signer.key if isinstance(signer, Issued) else signer
        signature = sign(key, message)
        made[f"{domain}/signature{suffix}"] = b64(signature)
        if name in ("person", "ci"):
            assert isinstance(signer, Issued)
            chain = (signer.pem + signer.chain_pem).encode()
            made[f"{domain}/certificate{suffix}"] = b64(gzip.compress(chain))
        if case.get("logged"):
            pem = signer.pem if isinstance(signer, Issued) else public_pem(signer)
            entry = log_annotation(cast().sigstore.rekor, hashed_entry(message, signature, pem))
            made[f"{domain}/bundle{suffix}"] = b64(gzip.compress(entry.encode()))
    return made


def over(value: Any, change: Any) -> Any:
    """A document with another put over it."""
    if isinstance(value, dict) and isinstance(change, dict):
        return value | {key: over(value.get(key), item) for key, item in change.items()}
    return change


def judge(manifests: dict[str, Any], body: dict[str, Any], **request: Any) -> Outcome | None:
    """What a rule says of a resource."""
    rule = {
        "name": "signed",
        "match": {"any": [{"resources": {"kinds": [body["kind"]]}}]},
        "validate": {"manifests": manifests},
    }
    policy = compile_policy(
        {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}, "spec": {"rules": [rule]}},
        expression_compiler(ambient()),
    )
    assert not policy.problems, policy.problems
    lookup = Recorded(Shelf(), cast().sigstore.trusted_root())
    return policy.rules[0].run(Request(resource=resource_from(body), **request), lookup)


@pytest.mark.parametrize("case", CASES)
def test_case_gets_its_verdict(case: dict[str, Any]) -> None:
    body = over(deepcopy(MANIFEST), case.get("change", {}))
    body["metadata"]["annotations"] = annotations_of(case)
    outcome = judge(cast().fill(case["manifests"]), body)
    result, _, words = case["want"].partition(": ")
    words, _, pointer = words.partition(" at /")
    said = getattr(outcome, "message", None) or getattr(outcome, "error", "")
    assert NAMES[type(outcome)] == result, said
    assert words in said
    if pointer:
        assert isinstance(outcome, Failed)
        assert outcome.pointer == f"/{pointer}"


def test_a_dry_run_and_a_deletion_are_let_be() -> None:
    rule = cast().fill({"attestors": [{"entries": [{"keys": {"publicKeys": "$alice;"}}]}]})
    assert isinstance(judge(rule, MANIFEST, dry_run=True), Passed)
    assert judge(rule, MANIFEST, operation="DELETE") is None


def test_rules_without_attestors_are_refused_when_they_are_loaded() -> None:
    with pytest.raises(AssertionError, match="needs attestors"):
        judge({}, MANIFEST)
