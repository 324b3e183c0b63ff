"""Keys and certificates made for a test: authorities like Fulcio, with logs like Rekor and CT."""

from __future__ import annotations

import struct
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

NOW: Final = datetime.now(UTC).replace(microsecond=0)
"""When the test run began: certificates are good around it."""
FULCIO: Final = "1.3.6.1.4.1.57264.1."
_SCTS: Final = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """A key on a curve, P-256 where none is named."""
    return ec.generate_private_key(curve or ec.SECP256R1())


def public_pem(key: PrivateKey) -> str:
    """The public key as policies hold it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: PrivateKey) -> bytes:
    """The key itself, for programs that sign."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def spki(key: PrivateKey) -> bytes:
    """The public key in DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(key: PrivateKey, data: bytes, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
    """A signature as cosign makes it."""
    hashed = algorithm or hashes.SHA256()
    if isinstance(key, rsa.RSAPrivateKey):
        from cryptography.hazmat.primitives.asymmetric import padding

        return key.sign(data, padding.PKCS1v15(), hashed)
    return key.sign(data, ec.ECDSA(hashed))


@dataclass(frozen=True)
class Issued:
    """A certificate with its key and the chain above it, the root last."""

    certificate: x509.Certificate
    key: PrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def chain_pem(self) -> str:
        """What is above it."""
        return "".join(one.public_bytes(Encoding.PEM).decode() for one in self.above)

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)


def _der(content: bytes, tag: int) -> bytes:
    size = len(content)
    head = bytes([tag, size]) if size < 128 else bytes([tag, 0x82]) + size.to_bytes(2, "big")
    return head + content


@dataclass(frozen=True)
class CtLog:
    """A log of certificates."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    def stamp(self, before: bytes, issuer_key: bytes, at: datetime) -> x509.UnrecognizedExtension:
        """The extension for a certificate whose to-be-signed part without it is `before`."""
        milliseconds = int(at.timestamp() * 1000)
        head = struct.pack("!BBQH", 0, 0, milliseconds, 1) + sha256(issuer_key).digest()
        signature = sign(self.key, head + len(before).to_bytes(3, "big") + before + b"\0\0")
        body = b"\0" + sha256(spki(self.key)).digest() + struct.pack("!QH", milliseconds, 0)
        body += b"\4\3" + struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!H", len(body) + 2) + struct.pack("!H", len(body)) + body
        return x509.UnrecognizedExtension(_SCTS, _der(listed, 0x04))


def issue(  # noqa: PLR0913 (a certificate has this many sides)
    name: str,
    issuer: Issued | None = None,
    *,
    ca: bool = False,
    key: PrivateKey | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    usages: tuple[ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,),
    subject: str = "",
    fulcio: dict[str, str] | None = None,
    log: CtLog | None = None,
    critical_usage: bool = False,
    extra: tuple[tuple[Any, bool], ...] = (),
) -> Issued:
    """A certificate, issued by itself where no issuer is named."""
    own = key or new_key()
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, "AQ"), x509.NameAttribute(NameOID.COMMON_NAME, name or "none")]
    named = x509.Name(parts if name else [])
    start = start or (NOW - timedelta(days=30) if ca else NOW - timedelta(minutes=5))
    builder = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(issuer.certificate.subject if issuer else named)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end or start + timedelta(days=400 if ca else 1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(_usage(ca=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
    )
    signer = issuer.key if issuer else own
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    if usages and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=critical_usage)
    if subject:
        kind = x509.UniformResourceIdentifier if "://" in subject else x509.RFC822Name
        builder = builder.add_extension(x509.SubjectAlternativeName([kind(subject)]), critical=True)
    for number, text in (fulcio or {}).items():
        # the first extensions are plain text, the later ones DER
        value = text.encode() if int(number) < 8 else _der(text.encode(), 0x0C)
        extension = x509.UnrecognizedExtension(ObjectIdentifier(f"{FULCIO}{number}"), value)
        builder = builder.add_extension(extension, critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    if log is not None:
        before = builder.sign(signer, hashes.SHA256()).tbs_certificate_bytes
        builder = builder.add_extension(log.stamp(before, spki(signer), start), critical=False)
    above = (issuer.certificate, *issuer.above) if issuer else ()
    return Issued(builder.sign(signer, hashes.SHA256()), own, above)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True)
class Sigstore:
    """A whole Sigstore for a test: an authority with an intermediate, a log of certificates and a transparency log."""

    root: Issued = field(default_factory=lambda: issue("test root", ca=True))
    log: CtLog = field(default_factory=CtLog)
    rekor: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    between: Issued | None = None

    @property
    def fulcio(self) -> Issued:
        """The intermediate that issues."""
        if self.between is None:
            object.__setattr__(self, "between", issue("test intermediate", self.root, ca=True))
        assert self.between is not None
        return self.between

    def issue(self, subject: str, oidc: str, **more: Any) -> Issued:
        """A certificate for somebody, good for most of an hour around now."""
        end = more.pop("end", (more.get("start") or NOW - timedelta(minutes=5)) + timedelta(minutes=50))
        given = {"1": oidc, "8": oidc, **more.pop("fulcio", {})}
        return issue("", self.fulcio, subject=subject, fulcio=given, log=more.pop("log", self.log), end=end, **more)

    def trusted_root(self) -> dict[str, Any]:
        """The document that says to believe all of it."""

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            return {
                "baseUrl": "https://log.example.com",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": b64encode(spki(key)).decode(),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": {"start": "2020-01-01T00:00:00Z"},
                },
                "logId": {"keyId": b64encode(sha256(spki(key)).digest()).decode()},
            }

        certificates = [self.fulcio.certificate, self.root.certificate]
        raw = [{"rawBytes": b64encode(one.public_bytes(Encoding.DER)).decode()} for one in certificates]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.rekor)],
            "ctlogs": [log(self.log.key)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "test", "commonName": "test"},
                    "uri": "https://fulcio.example.com",
                    "certChain": {"certificates": raw},
                    "validFor": {"start": "2020-01-01T00:00:00Z"},
                }
            ],
            "timestampAuthorities": [],
        }
