"""The `sigstore` package as the judge of ours: what it accepts we accept, and what it refuses we refuse."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sigstore.errors import Error
from sigstore.models import Bundle, InvalidBundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity as TheirIdentity
from tests.signatures.authority import NOW
from tests.signatures.cast import OIDC, WORKFLOW, cast
from tests.signatures.cosign import bundle

from bartizan.app.images.trusted_root import trusted_root
from bartizan.engines.policy.signatures.bundle import verify_bundle
from bartizan.engines.policy.signatures.demand import Demand
from bartizan.engines.policy.signatures.identity import Identity
from bartizan.engines.policy.signatures.refusal import RefusedError
from bartizan.engines.policy.signatures.trust import read_trusted_root

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = f"sha256:{'a' * 64}"
BUNDLES: dict[str, dict[str, Any]] = {
    "good": {"by": "ci"},
    "by somebody else": {"by": "person"},
    "by another authority": {"by": "stranger"},
    "by a certificate that had expired": {"by": "ci-of-yesterday"},
    "by a certificate of yesterday, yesterday": {"by": "ci-of-yesterday", "at": NOW - timedelta(hours=22, minutes=58)},
    "by a certificate that was not good yet": {"by": "ci", "at": NOW - timedelta(hours=1)},
    "by a certificate that no log has seen": {"by": "unlogged"},
    "by a certificate that another log has seen": {"by": "logged-elsewhere"},
    "by a certificate for web servers": {"by": "web-server"},
    "logged elsewhere": {"by": "ci", "logged": cast().other_sigstore},
}
SPOILS = {
    "payload": ["dsseEnvelope", "payload"],
    "signature": ["dsseEnvelope", "signatures", 0, "sig"],
    "certificate": ["verificationMaterial", "certificate", "rawBytes"],
    "log entry": ["verificationMaterial", "tlogEntries", 0, "canonicalizedBody"],
    "promise": ["verificationMaterial", "tlogEntries", 0, "inclusionPromise", "signedEntryTimestamp"],
    "root hash": ["verificationMaterial", "tlogEntries", 0, "inclusionProof", "rootHash"],
    "tree size": ["verificationMaterial", "tlogEntries", 0, "inclusionProof", "treeSize"],
    "index": ["verificationMaterial", "tlogEntries", 0, "inclusionProof", "logIndex"],
    "time": ["verificationMaterial", "tlogEntries", 0, "integratedTime"],
    "log id": ["verificationMaterial", "tlogEntries", 0, "logId", "keyId"],
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    """Their verifier, believing the test's Sigstore."""
    path = tmp_path_factory.mktemp("trust") / "trusted_root.json"
    path.write_text(json.dumps(cast().sigstore.trusted_root()))
    logging.getLogger("sigstore").setLevel(logging.ERROR)
    return Verifier(trusted_root=TrustedRoot.from_file(str(path)))


def they_accept(verifier: Verifier, data: bytes) -> bool:
    """Whether the package accepts a bundle by the workflow."""
    try:
        verifier.verify_dsse(Bundle.from_json(data), TheirIdentity(identity=WORKFLOW, issuer=OIDC))
    except (Error, InvalidBundle, ValueError):
        return False
    return True


def we_accept(data: bytes) -> bool:
    """Whether we do."""
    trust = read_trusted_root(cast().sigstore.trusted_root())
    demand = Demand(
        now=NOW,
        authorities=trust.authorities,
        identity=Identity(subject=WORKFLOW, issuer=OIDC),
        transparency_logs=trust.transparency_logs,
        certificate_logs=trust.certificate_logs,
    )
    try:
        verify_bundle(data, DIGEST, demand)
    except RefusedError:
        return False
    return True


@pytest.mark.parametrize("name", BUNDLES)
def test_both_say_the_same_of_a_bundle(theirs: Verifier, name: str) -> None:
    details = dict(BUNDLES[name])
    data = bundle(DIGEST, cast().signers[details.pop("by")], **{"logged": cast().sigstore, **details})
    assert (
        we_accept(data) == they_accept(theirs, data) == (name in ("good", "by a certificate of yesterday, yesterday"))
    )


@pytest.mark.parametrize("part", SPOILS)
def test_both_refuse_a_bundle_with_a_part_of_another(theirs: Verifier, part: str) -> None:
    one, other = (
        json.loads(
            bundle(
                DIGEST, cast().signers[who], "t", {who: who}, logged=cast().sigstore, at=NOW - timedelta(seconds=age)
            )
        )
        for who, age in (("ci", 0), ("person", 1))
    )
    *steps, last = SPOILS[part]
    target, source = one, other
    for step in steps:
        target, source = target[step], source[step]
    replaced = (
        source[last] if source[last] != target[last] else str(int(target[last]) - 1) if target[last].isdecimal() else ""
    )
    target[last] = replaced
    data = json.dumps(one).encode()
    assert not they_accept(theirs, data)
    assert not we_accept(data)


def test_the_public_root_is_read_as_they_read_it() -> None:
    theirs = TrustedRoot(_inner())
    ours = read_trusted_root(trusted_root({}))
    found = {one.der for authority in ours.authorities for one in (*authority.roots, *authority.between)}
    from cryptography.hazmat.primitives.serialization import Encoding

    assert found == {one.public_bytes(Encoding.DER) for one in theirs.get_fulcio_certs()}
    assert len(ours.timestamp_authorities) == len(theirs.get_timestamp_authorities())


def _inner() -> Any:
    from sigstore_models.trustroot.v1 import TrustedRoot as Inner

    return Inner.from_json(json.dumps(trusted_root({})).encode())


def test_a_trusted_root_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "trusted_root.json"
    path.write_text(json.dumps(cast().sigstore.trusted_root()))
    assert trusted_root({"BARTIZAN_TRUSTED_ROOT": str(path)}) == cast().sigstore.trusted_root()
