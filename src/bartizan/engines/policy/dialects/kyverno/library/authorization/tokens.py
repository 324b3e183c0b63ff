"""JSON Web Tokens (RFC 7519), signed, and the keys they are checked by (RFC 7517).

A token says itself by which algorithm it is signed, which whoever forges
one may choose. So the key decides: each kind of key has its algorithms, a
secret is never a public key, and `none` is no algorithm. Encrypted tokens
and those whose header demands what is not known here are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hmac import HMAC

from bartizan.engines.policy.signatures.decoding import decode_base64url, decode_json
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject

MAX_CHARS: Final = 256 * 1024
"""The longest token: a proxy takes headers of 60 KiB in all, so that a longer one is an attack."""
MAX_KEYS: Final = 1000
_MIN_RSA_BITS: Final = 2048
_MAX_RSA_BITS: Final = 16384
_MAX_EXPONENT: Final = 2**32
_CURVES: Final[Mapping[str, tuple[Callable[[], ec.EllipticCurve], int, str]]] = {
    "P-256": (ec.SECP256R1, 32, "ES256"),
    "P-384": (ec.SECP384R1, 48, "ES384"),
    "P-521": (ec.SECP521R1, 66, "ES512"),
    "secp256k1": (ec.SECP256K1, 32, "ES256K"),
}
"""The curves of keys: how many bytes a coordinate has, and the one algorithm that goes with each (RFC 7518, 3.4)."""
_HASHES: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}

Verify: TypeAlias = "Callable[[str, bytes, bytes], None]"
"""Checks a signature by an algorithm: of the data, in this order; or raises `InvalidSignature`."""


class Key(NamedTuple):
    """A key: which algorithms it is for, and how it checks."""

    algorithms: frozenset[str]
    verify: Verify


class KeySet:
    """Keys as a server publishes them, each read when a token names it."""

    __slots__ = ("keys",)
    type_name: ClassVar[str] = "jwk.Set"

    def __init__(self, keys: list[JsonObject]) -> None:
        self.keys = keys


def read_key_set(body: Json) -> KeySet:
    """Read a key set, or a single key.

    Raises:
        RefusedError: it is none.
    """
    if isinstance(body, dict) and "kty" in body and "keys" not in body:
        return KeySet([body])
    keys = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise RefusedError("no key set: there is no list of `keys`")
    if len(keys) > MAX_KEYS:
        raise RefusedError(f"a key set of more than {MAX_KEYS} keys")
    return KeySet(keys)


def secret_key(secret: str) -> Key:
    """A shared secret, as it is written.

    Raises:
        RefusedError: it is empty, or a public key, which everybody knows and could sign with.
    """
    if not secret:
        raise RefusedError("an empty secret")
    if "-----BEGIN " in secret:
        raise RefusedError("a public key or certificate is no secret: give a key set")
    return _shared(secret.encode())


def verified_claims(token: str, keys: Key | KeySet) -> JsonObject:
    """The claims of a token that one of the keys signed.

    Raises:
        RefusedError: it is malformed, or signed otherwise.
    """
    text = token.strip()
    if len(text) > MAX_CHARS:
        raise RefusedError(f"a token of more than {MAX_CHARS} characters")
    parts = text.split(".")
    if len(parts) != 3:
        raise RefusedError("no signed token: it must have three parts")
    head = decode_json(decode_base64url(parts[0], "the token's header"), "the token's header")
    if not isinstance(head, dict):
        raise RefusedError("the token's header is no object")
    if "crit" in head:
        raise RefusedError("the token's header demands extensions that are not known")
    signature = decode_base64url(parts[2], "the token's signature")
    data = f"{parts[0]}.{parts[1]}".encode()
    _verify(head, keys, signature, data)
    claims = decode_json(decode_base64url(parts[1], "the token's claims"), "the token's claims")
    if not isinstance(claims, dict):
        raise RefusedError("the token's claims are no object")
    return claims


def _verify(head: JsonObject, keys: Key | KeySet, signature: bytes, data: bytes) -> None:
    algorithm = head.get("alg")
    if not isinstance(algorithm, str):
        raise RefusedError("the token names no algorithm")
    key = keys if isinstance(keys, Key) else _chosen(keys, head.get("kid"))
    if algorithm not in key.algorithms:
        raise RefusedError(f"the token's algorithm `{algorithm[:20]}` is none of the key's")
    try:
        key.verify(algorithm, signature, data)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise RefusedError("the token is not signed by the key") from error


def _chosen(keys: KeySet, kid: Json) -> Key:
    """The key that a token names, or the only one where it names none."""
    if kid is None:
        if len(keys.keys) != 1:
            raise RefusedError(f"the token names no key, and there are {len(keys.keys)}")
        return read_key(keys.keys[0])
    for body in keys.keys:
        if isinstance(kid, str) and body.get("kid") == kid:
            return read_key(body)
    raise RefusedError(f"no key `{str(kid)[:80]}`")


def read_key(body: JsonObject) -> Key:
    """Read one key of a set.

    Raises:
        RefusedError: it is malformed, of a kind that signs nothing, or for another use.
    """
    if body.get("use") not in (None, "", "sig"):
        raise RefusedError(f"a key for `{body['use']}`, not for signatures")
    kind = body.get("kty")
    reader = _KINDS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise RefusedError(f"a key of unknown type `{kind}`")
    try:
        key = reader(body)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RefusedError(f"a malformed key of type `{kind}`") from error
    algorithm = body.get("alg")
    if algorithm is None:
        return key
    return key._replace(algorithms=key.algorithms & {str(algorithm)})


def _number(body: JsonObject, name: str) -> int:
    return int.from_bytes(_bytes(body, name), "big")


def _bytes(body: JsonObject, name: str) -> bytes:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > MAX_CHARS:
        raise RefusedError(f"a key without `{name}`")
    return decode_base64url(value.rstrip("="), f"the key's `{name}`")


def _shared(secret: bytes) -> Key:
    def verify(algorithm: str, signature: bytes, data: bytes) -> None:
        check = HMAC(secret, _HASHES[algorithm[2:]]())
        check.update(data)
        check.verify(signature)

    return Key(frozenset({"HS256", "HS384", "HS512"}), verify)


def _read_shared(body: JsonObject) -> Key:
    secret = _bytes(body, "k")
    if not secret:
        raise RefusedError("an empty secret")
    return _shared(secret)


def _read_rsa(body: JsonObject) -> Key:
    modulus, exponent = _number(body, "n"), _number(body, "e")
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS or exponent >= _MAX_EXPONENT:
        raise RefusedError(f"an RSA key of {modulus.bit_length()} bits is not to be trusted")
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()

    def verify(algorithm: str, signature: bytes, data: bytes) -> None:
        digest = _HASHES[algorithm[2:]]()
        if algorithm.startswith("RS"):
            key.verify(signature, data, padding.PKCS1v15(), digest)
        else:
            key.verify(signature, data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)

    return Key(frozenset(f"{kind}{bits}" for kind in ("RS", "PS") for bits in _HASHES), verify)


def _read_curve(body: JsonObject) -> Key:
    known = _CURVES.get(str(body.get("crv")))
    if known is None:
        raise RefusedError(f"a key on the unknown curve `{body.get('crv')}`")
    curve, size, name = known
    key = ec.EllipticCurvePublicNumbers(_number(body, "x"), _number(body, "y"), curve()).public_key()

    def verify(_algorithm: str, signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * size:
            raise InvalidSignature
        halves = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
        key.verify(encode_dss_signature(*halves), data, ec.ECDSA(_HASHES[name[2:5]]()))

    return Key(frozenset({name}), verify)


def _read_edwards(body: JsonObject) -> Key:
    if body.get("crv") != "Ed25519":
        raise RefusedError(f"a key on the unknown curve `{body.get('crv')}`")
    key = ed25519.Ed25519PublicKey.from_public_bytes(_bytes(body, "x"))

    def verify(_algorithm: str, signature: bytes, data: bytes) -> None:
        key.verify(signature, data)

    return Key(frozenset({"EdDSA", "Ed25519"}), verify)


_KINDS: Final[Mapping[str, Callable[[Any], Key]]] = {
    "oct": _read_shared,
    "RSA": _read_rsa,
    "EC": _read_curve,
    "OKP": _read_edwards,
}
