"""Signatures as notation makes them: JWS and COSE envelopes over an image's descriptor."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from tests.signatures.authority import NOW, Issued, PrivateKey

if TYPE_CHECKING:
    from collections.abc import Callable

_STAMP: Final = "io.cncf.notary.timestampSignature"
_SCHEME: Final = "io.cncf.notary.signingScheme"
_ALGORITHMS: Final = {256: "ES256", 384: "ES384", 521: "ES512", 2048: "PS256", 3072: "PS384", 4096: "PS512"}
_COSE: Final = {"ES256": -7, "ES384": -35, "ES512": -36, "PS256": -37, "PS384": -38, "PS512": -39}


def url64(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_sign(key: PrivateKey, data: bytes) -> bytes:
    """A signature as JOSE and COSE have it."""
    algorithm = _ALGORITHMS[key.key_size if isinstance(key, rsa.RSAPrivateKey) else key.curve.key_size]
    hashed = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PSS(padding.MGF1(hashed), hashed.digest_size), hashed)
    half = (key.curve.key_size + 7) // 8
    return b"".join(number.to_bytes(half, "big") for number in decode_dss_signature(key.sign(data, ec.ECDSA(hashed))))


def algorithm_of(key: PrivateKey) -> str:
    """The name of the algorithm that goes with a key."""
    return _ALGORITHMS[key.key_size if isinstance(key, rsa.RSAPrivateKey) else key.curve.key_size]


def payload_of(target: dict[str, Any]) -> bytes:
    """What is signed: the descriptor of the target."""
    return json.dumps({"targetArtifact": target}).encode()


def headers_of(signer: Issued, *, expiry: datetime | None = None, **more: Any) -> dict[str, Any]:
    """The protected headers."""
    made: dict[str, Any] = {
        "alg": algorithm_of(signer.key),
        "cty": "application/vnd.cncf.notary.payload.v1+json",
        "crit": [_SCHEME],
        _SCHEME: "notary.x509",
        "io.cncf.notary.signingTime": (NOW - timedelta(minutes=1)).isoformat(),
    }
    if expiry:
        made["crit"] = [_SCHEME, "io.cncf.notary.expiry"]
        made["io.cncf.notary.expiry"] = expiry.isoformat()
    return made | more


def jws(
    target: dict[str, Any],
    signer: Issued,
    *,
    expiry: datetime | None = None,
    stamp: Callable[[bytes], bytes] | None = None,
    **more: Any,
) -> bytes:
    """A JWS envelope; `stamp` makes a timestamp of the signature."""
    protected = url64(json.dumps(headers_of(signer, expiry=expiry, **more)).encode())
    payload = url64(payload_of(target))
    chain = [signer.der, *(one.public_bytes(Encoding.DER) for one in signer.above)]
    signature = raw_sign(signer.key, f"{protected}.{payload}".encode())
    header = {"x5c": [b64encode(one).decode() for one in chain], "io.cncf.notary.signingAgent": "test"}
    if stamp:
        header[_STAMP] = b64encode(stamp(signature)).decode()
    return json.dumps(
        {"payload": payload, "protected": protected, "header": header, "signature": url64(signature)}
    ).encode()


def cose(
    target: dict[str, Any],
    signer: Issued,
    *,
    expiry: datetime | None = None,
    stamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """A COSE envelope; `stamp` makes a timestamp of the signature."""
    headers = headers_of(signer, expiry=expiry)
    times = {"io.cncf.notary.signingTime", "io.cncf.notary.expiry"}
    protected = {
        1: _COSE[headers.pop("alg")],
        2: headers.pop("crit"),
        3: headers.pop("cty"),
        **{key: datetime.fromisoformat(value) if key in times else value for key, value in headers.items()},
    }
    inner, payload = cbor(protected), payload_of(target)
    chain = [signer.der, *(one.public_bytes(Encoding.DER) for one in signer.above)]
    signature = raw_sign(signer.key, cbor(["Signature1", inner, b"", payload]))
    unprotected: dict[Any, Any] = {33: chain, "io.cncf.notary.signingAgent": "test"}
    if stamp:
        unprotected[_STAMP] = stamp(signature)
    return b"\xd2" + cbor([inner, unprotected, payload, signature])


def cbor(value: Any) -> bytes:
    """A value in CBOR; times are tag 1."""
    match value:
        case datetime():
            return b"\xc1" + cbor(int(value.timestamp()))
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
        case _:
            raise TypeError(type(value))


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for size, low in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | low]) + number.to_bytes(size, "big")
    raise ValueError(number)
