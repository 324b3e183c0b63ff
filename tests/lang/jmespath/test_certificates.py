"""`x509_decode` against what the peer decodes, and on keys that the peer refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from tests.lang.jmespath.answers import ask

CASES = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "cases" / "jmespath" / "certificates" / "rsa.yaml").read_text()
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_decoded(case: dict[str, Any]) -> None:
    assert ask("x509_decode(@)", case["pem"]) == {"result": case["decoded"]}


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        pytest.param(ec.generate_private_key(ec.SECP256R1()), (3, 10), id="elliptic curve"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), (4, 16), id="Edwards curve"),
    ],
)
def test_other_keys(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, algorithms: tuple[int, int]) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    answer = ask("x509_decode(@).[Subject.CommonName, NotAfter, PublicKeyAlgorithm, SignatureAlgorithm]", pem)
    assert answer == {"result": ["shop", "2027-01-01T00:00:00Z", *algorithms]}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("abc", id="no PEM"),
        pytest.param("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----", id="no certificate in the PEM"),
        pytest.param("-----BEGIN CERTIFICATE REQUEST-----", id="cut off"),
    ],
)
def test_refused(text: str) -> None:
    assert ask("x509_decode(@)", text) == {"error": "`x509_decode` takes a certificate, or a request for one, in PEM"}
