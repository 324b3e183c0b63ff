"""Outside text read into typed values, with limits; what does not fit is refused, never half read."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64decode
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import orjson

from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from bartizan.base.json import Json

MAX_BYTES: Final = 10_000_000
"""The most that one signature, bundle or attestation may have; the peer's own limit."""
MAX_DEPTH: Final = 128
"""Real statements nest some ten levels; deeper ones are made to exhaust whoever walks them."""

Record = TypeVar("Record")


def decode_json(data: bytes | str, what: str) -> Json:
    """Decode JSON of a bounded size and depth.

    Raises:
        RefusedError: it is too large, too deep, or no JSON.
    """
    if len(data) > MAX_BYTES:
        raise RefusedError(f"{what} is larger than {MAX_BYTES:,} bytes")
    try:
        value = orjson.loads(data)
    except ValueError as error:
        raise RefusedError(f"{what} is no JSON: {error}") from error
    if _is_deep(value):
        raise RefusedError(f"{what} nests deeper than {MAX_DEPTH} levels")
    return value


def decode_record(data: bytes | str, to: type[Record], what: str) -> Record:
    """Decode JSON as a record.

    Raises:
        RefusedError: it does not have the record's shape.
    """
    return as_record(decode_json(data, what), to, what)


def as_record(value: Json, to: type[Record], what: str) -> Record:
    """Read decoded JSON as a record.

    Raises:
        RefusedError: it does not have the record's shape.
    """
    try:
        return msgspec.convert(value, to)
    except (msgspec.ValidationError, ValueError) as error:
        raise RefusedError(f"{what} is malformed: {error}") from error


def decode_base64(text: str, what: str) -> bytes:
    """Decode standard base64; line breaks inside are let pass, other strangers are not.

    Raises:
        RefusedError: it is no base64.
    """
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(f"{what} is no base64") from error


def decode_base64url(text: str, what: str) -> bytes:
    """Decode base64 for URLs, whose padding is left out (RFC 7515).

    Raises:
        RefusedError: it is no such text.
    """
    if not text.isascii() or set("+/=\n ") & set(text):
        raise RefusedError(f"{what} is no base64url")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise RefusedError(f"{what} is no base64url") from error


def _is_deep(value: Json) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
