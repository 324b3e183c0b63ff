"""Text that stands for something else: base64, JSON, YAML, certificates, and digests."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

import orjson

from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.signature import ANY, OBJECT, STRING, Ambient, define, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.lang.jmespath.library.signature import Function

_CERTIFICATE: Final = (
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBBjCBraADAgECAgEBMAoGCCqGSM49BAMCMA0xCzAJBgNVBAMMAmNhMB4XDTI2\n"
    "MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowDTELMAkGA1UEAwwCY2EwWTATBgcq\n"
    "hkjOPQIBBggqhkjOPQMBBwNCAAQBmvyLcKGz0Bvc4PEeOjBvewWcyvymxLRDUDJK\n"
    "g+vjR8RddAnMgk4DIBAUhYDUnHFzBFZavq3/VtZY93rMspllMAoGCCqGSM49BAMC\n"
    "A0gAMEUCIQD3m/WDbW0SWd6Bx+lA/tNIv6ugTRmUTTOY6Tp1q80rNgIgThaP/RVV\n"
    "z5ReldDw8Uc+eZK+MZitHV30u5f9H6Xix2M=\n"
    "-----END CERTIFICATE-----\n"
)
"""A certificate for the example: of nobody, for nothing."""


def _base64_decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError) as error:
        raise JmesPathError(f"`base64_decode` takes base64 text: {error}") from error


def _base64_encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _parse_json(text: str) -> Json:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise JmesPathError(f"`parse_json` takes JSON text: {error}") from error


def _parse_yaml(ambient: Ambient) -> Callable[[str], Json]:
    def parse(text: str) -> Json:
        try:
            return ambient.parse_yaml(text)
        except ValueError as error:
            raise JmesPathError(f"`parse_yaml` takes YAML text: {error}") from error

    return parse


def _digest(algorithm: str, text: str) -> str:
    import hashlib  # brings OpenSSL, and few policies digest anything

    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


def _x509_decode(text: str) -> Json:
    from bartizan.lang.jmespath.library.certificates import decode_pem

    return decode_pem(text)


_FIXED: Final = table(
    define(
        "base64_decode",
        _base64_decode,
        STRING,
        gives=STRING,
        doc="The text that base64 stands for.",
        example=("base64_decode('aGk=')", "hi"),
    ),
    define(
        "base64_encode",
        _base64_encode,
        STRING,
        gives=STRING,
        doc="A text as base64.",
        example=("base64_encode('hi')", "aGk="),
    ),
    define(
        "parse_json",
        _parse_json,
        STRING,
        gives=ANY,
        doc="The value that JSON text writes.",
        example=("parse_json('{\"a\": 1}')", {"a": 1}),
    ),
    define(
        "x509_decode",
        _x509_decode,
        STRING,
        gives=OBJECT,
        doc="The fields of a certificate or a certificate request in PEM.",
        example=(f"x509_decode('{_CERTIFICATE}').Subject.CommonName", "ca"),
    ),
    define(
        "sha256",
        lambda text: _digest("sha256", text),
        STRING,
        gives=STRING,
        doc="The SHA-256 digest of a text, in hexadecimal.",
        example=("truncate(sha256('hi'), `8`)", "8f434346"),
    ),
    # digests of what a policy names, not of secrets: these two are Kyverno's, for compatibility
    define(
        "sha1",
        lambda text: _digest("sha1", text),
        STRING,
        gives=STRING,
        doc="The SHA-1 digest of a text, in hexadecimal: for comparing, not for secrets.",
        example=("truncate(sha1('hi'), `8`)", "c22b5f91"),
    ),
    define(
        "md5",
        lambda text: _digest("md5", text),
        STRING,
        gives=STRING,
        doc="The MD5 digest of a text, in hexadecimal: for comparing, not for secrets.",
        example=("truncate(md5('hi'), `8`)", "49f68a5c"),
    ),
)
"""Those that are given nothing."""


def functions(ambient: Ambient) -> Mapping[str, Function]:
    """The family, with the YAML reader it is given."""
    return _FIXED | table(
        define(
            "parse_yaml",
            _parse_yaml(ambient),
            STRING,
            gives=ANY,
            doc="The value that YAML text writes.",
            example=("parse_yaml('a: 1')", {"a": 1}),
        ),
    )
