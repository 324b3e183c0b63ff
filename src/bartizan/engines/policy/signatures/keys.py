"""Public keys in PEM, and signatures checked by them: ECDSA, RSA and Ed25519, as cosign signs."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from bartizan.engines.policy.signatures.refusal import RefusedError

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "": hashes.SHA256(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""The values of `signatureAlgorithm`."""
SHA256: Final = HASHES["sha256"]

_END: Final = "-----END PUBLIC KEY-----"
_BEGINS: Final = re.compile(r"-----BEGIN [A-Z ]*PUBLIC KEY-----")
_MIN_RSA_BITS: Final = 2048
_MAX_PEM_CHARS: Final = 1 << 16


def split_keys(text: str) -> list[str]:
    """The keys of a text that holds several in PEM; a text that holds none is one, and a reference."""
    keys = [f"{part}{_END}".strip() for part in text.split(_END)[:-1]]
    return keys or [text.strip()]


def is_pem(text: str) -> bool:
    """Whether a text is a key itself, and not a reference to one."""
    return _BEGINS.match(text.strip()) is not None


def read_key(pem: str | bytes) -> PublicKey:
    """Read one public key.

    Raises:
        RefusedError: it is none, or of a kind that nobody signs images with.
    """
    data = pem.encode() if isinstance(pem, str) else pem
    if len(data) > _MAX_PEM_CHARS:
        raise RefusedError("the public key is far too long")
    try:
        key = load_pem_public_key(data.strip())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RefusedError("the public key is malformed") from error
    return usable(key)


def usable(key: object) -> PublicKey:
    """A key of a kind that is trusted.

    Raises:
        RefusedError: another kind, or too short.
    """
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
        raise RefusedError(f"an RSA key of {key.key_size} bits is too short to be trusted")
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        return key
    raise RefusedError("the public key is neither ECDSA, RSA nor Ed25519")


def is_signed_by(key: PublicKey, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm = SHA256) -> bool:
    """Whether `signature` is the key's over `data`; of RSA in the form PKCS#1 v1.5."""
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, data, ec.ECDSA(algorithm))
            case rsa.RSAPublicKey():
                key.verify(signature, data, padding.PKCS1v15(), algorithm)
            case ed25519.Ed25519PublicKey():
                key.verify(signature, data)
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def spki(key: PublicKey) -> bytes:
    """The key as the DER form that logs know it by."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def log_id(key: PublicKey) -> bytes:
    """What a transparency log with this key is known by: the SHA-256 of the key (RFC 6962, 3.2)."""
    digest = hashes.Hash(SHA256)
    digest.update(spki(key))
    return digest.finalize()
