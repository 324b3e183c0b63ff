"""Cases of policies about requests, kept as data: read, and made into documents."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from functools import lru_cache
from typing import Any

import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.conformance import ROOT

_FOLDER = ROOT / "tests" / "cases" / "kyverno" / "authorization"
_RESPONSES = {
    "Envoy": ("envoy.Allowed().Response()", "envoy.Denied(403).Response()"),
    "HTTP": ("http.Allowed().Response()", 'http.Denied("no").Response()'),
}
_TOKEN = {"name": "token", "expression": 'object.attributes.request.http.headers["authorization"]'}


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file, each with what the file says of all."""
    table = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text())
    whole = {key: value for key, value in table.items() if key != "cases"}
    return [{"gives": "pass", **whole, **case, "name": f"{name}: {case['name']}"} for case in table["cases"]]


def policy_of(case: dict[str, Any], name: str = "p") -> dict[str, Any]:
    """The policy of a case, as a document."""
    allowed, denied = _RESPONSES[case["mode"]]
    given = [f"{case['if']} ? {allowed} : {denied}"] if "if" in case else case["validations"]
    variables = {"variables": [_TOKEN]} if "token" in case or "text" in case else {}
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": name},
        "spec": {
            "evaluation": {"mode": case["mode"]},
            **variables,
            **case.get("spec", {}),
            "validations": [{"expression": text} for text in given],
        },
    }


def exceptions_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The exceptions of a case, as documents."""
    return [
        {
            "apiVersion": "policies.kyverno.io/v1",
            "kind": "PolicyException",
            "metadata": {"name": f"e{index}", "namespace": "n"},
            "spec": {"policyRefs": [{"name": "p", "kind": "ValidatingPolicy"}], **spec},
        }
        for index, spec in enumerate(case.get("exceptions", []))
    ]


def payload_of(case: dict[str, Any]) -> dict[str, Any]:
    """The request of a case, as JSON."""
    if "message" in case and "mode" in case and isinstance(case["message"], dict | list):
        body = b64encode(json.dumps(case["message"]).encode()).decode()
        return {"attributes": {"method": "POST", "body": body}}
    if "token" in case or "text" in case:
        text = case["text"] if "text" in case else token_of(**case["token"])
        return {"attributes": {"request": {"http": {"headers": {"authorization": text}}}}}
    payload: dict[str, Any] = case["payload"]
    return payload


def message_of(case: dict[str, Any]) -> str:
    """What the result of a case must say, in part."""
    said = case.get("message", "")
    return said if isinstance(said, str) else ""


# tokens


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def token_of(head: dict[str, Any], claims: Any, by: str) -> str:
    """A token, signed as its header says, by a secret in quotes or a key of that name."""
    signed = ".".join(_text(json.dumps(part).encode()) for part in (head, claims))
    return f"{signed}.{_text(_signature(head, by, signed.encode()))}"


def _signature(head: dict[str, Any], by: str, data: bytes) -> bytes:
    bits = str(head.get("alg"))[-3:]
    bits = bits if bits in ("256", "384", "512") else "256"
    if by.startswith("'"):
        return hmac.digest(by.strip("'").encode(), data, f"sha{bits}")
    key = keys().get("ec" if by == "der" else by)
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[bits]
    match key:
        case rsa.RSAPrivateKey() if str(head["alg"]).startswith("PS"):
            return key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        case rsa.RSAPrivateKey():
            return key.sign(data, padding.PKCS1v15(), digest)
        case ec.EllipticCurvePrivateKey():
            made = key.sign(data, ec.ECDSA(digest))
            size = (key.key_size + 7) // 8
            return made if by == "der" else b"".join(half.to_bytes(size, "big") for half in decode_dss_signature(made))
        case ed25519.Ed25519PrivateKey():
            return key.sign(data)
        case _:
            return b""


@lru_cache(maxsize=1)
def keys() -> dict[str, Any]:
    """The private keys of the tests."""
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "other": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
    }


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


def _public(name: str) -> dict[str, Any]:
    key = keys()[name].public_key()
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return {"kty": "RSA", "kid": name, "n": _number(numbers.n), "e": _number(numbers.e)}
        case ec.EllipticCurvePublicKey():
            point = key.public_numbers()
            curve = {"ec": "P-256", "p384": "P-384"}[name]
            return {"kty": "EC", "kid": name, "crv": curve, "x": _number(point.x), "y": _number(point.y)}
        case _:
            return {"kty": "OKP", "kid": name, "crv": "Ed25519", "x": _text(key.public_bytes_raw())}


@lru_cache(maxsize=1)
def key_sets() -> dict[str, dict[str, Any]]:
    """What services answer, by the last part of their addresses."""
    known = _public("rsa")
    odd = [
        {**known, "kid": "only256", "alg": "RS256"},
        {**known, "kid": "enc", "use": "enc"},
        {**known, "kid": "short", "n": _number(2**1023 + 1)},
        {**known, "kid": "even", "e": _number(2)},
        {"kty": "XYZ", "kid": "unknown"},
        {"kty": "RSA", "kid": "empty"},
        {"kty": "EC", "kid": "point", "crv": "P-256", "x": _number(1), "y": _number(1)},
    ]
    shared = {"kty": "oct", "kid": "oct", "k": _text(b"shared")}
    every = [*(_public(name) for name in ("rsa", "ec", "p384", "ed")), shared]
    return {
        "all": {"statusCode": 200, "keys": every},
        "ec": {"statusCode": 200, "keys": [_public("ec")]},
        "odd": {"statusCode": 200, "keys": odd},
        "held": {"statusCode": 200, "body": {"keys": [_public("ec")]}},
        "text": {"statusCode": 200, "body": json.dumps({"keys": [_public("ec")]})},
        "alone": {"statusCode": 200, **_public("ec")},
        "none": {"statusCode": 200, "body": "hello"},
        "403": {"statusCode": 403},
    }
