"""Text that stands for something else: base64, JSON, YAML, certificates, and digests."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import orjson

from bartizan.lang.jmespath.errors import JmesPathError
from bartizan.lang.jmespath.library.signature import STRING, Ambient, define, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json
    from bartizan.lang.jmespath.library.signature import Function


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


def functions(ambient: Ambient) -> Mapping[str, Function]:
    """The family, with the YAML reader it is given."""
    return table(
        define("base64_decode", _base64_decode, STRING),
        define("base64_encode", _base64_encode, STRING),
        define("parse_json", _parse_json, STRING),
        define("parse_yaml", _parse_yaml(ambient), STRING),
        define("x509_decode", _x509_decode, STRING),
        define("sha256", lambda text: _digest("sha256", text), STRING),
        # digests of what a policy names, not of secrets: these two are Kyverno's, for compatibility
        define("sha1", lambda text: _digest("sha1", text), STRING),
        define("md5", lambda text: _digest("md5", text), STRING),
    )
