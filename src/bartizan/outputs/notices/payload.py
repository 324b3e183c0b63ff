"""What is sent over HTTP: a body and the headers that belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

IDEMPOTENCY: Final = "Idempotency-Key"
"""The header by which a receiver knows a message that comes twice (IETF draft-ietf-httpapi-idempotency-key-header)."""


class Payload(NamedTuple):
    """One request's body and headers."""

    body: bytes
    headers: Mapping[str, str]


def of_json(document: Any, key: str, headers: Mapping[str, str] | None = None) -> Payload:
    """A document as a payload; `key` is the message's own."""
    named = {"Content-Type": "application/json", IDEMPOTENCY: key, **(headers or {})}
    return Payload(orjson.dumps(document), named)
