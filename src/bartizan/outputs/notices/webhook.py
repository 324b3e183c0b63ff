"""Any program: the whole notice as JSON, signed so that its receiver knows who sent it and when.

The signature is HMAC-SHA256 over `timestamp.body`: a receiver compares it in
constant time, refuses an old timestamp, and passes over a key it has seen.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.outputs.notices.pagerduty import dedup_key
from bartizan.outputs.notices.payload import Payload, of_json
from bartizan.outputs.notices.words import MESSAGE, PLACE, headline, short

if TYPE_CHECKING:
    from datetime import datetime

    from bartizan.model.notice import Notice

SIGNATURE: Final = "X-Bartizan-Signature"
TIMESTAMP: Final = "X-Bartizan-Timestamp"
VERSION: Final = 1


def webhook(notice: Notice, key: str, secret: bytes, at: datetime) -> Payload:
    """The request of a notice, sent at a time."""
    document = {"version": VERSION, "key": key, "summary": headline(notice), "notice": _harmless(notice)}
    made = of_json(document, key)
    stamp = str(int(at.timestamp()))
    return Payload(made.body, {**made.headers, TIMESTAMP: stamp, SIGNATURE: signature(secret, stamp, made.body)})


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """What the header of the signature holds."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, "sha256").hexdigest()


def _harmless(notice: Notice) -> dict[str, Any]:
    """The notice with severities as words, and every text bounded and encodable."""
    document: dict[str, Any] = msgspec.to_builtins(notice)
    document["severity"] = notice.severity.label
    document["incident"] = dedup_key(notice.incident)
    document["items"] = [
        {**one, "severity": item.severity.label} for one, item in zip(document["items"], notice.items, strict=True)
    ]
    bounded: dict[str, Any] = _bounded(document)
    return bounded


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return short(value, 2000 if value.startswith("http") else MESSAGE + PLACE)
    if isinstance(value, dict):
        return {short(name, PLACE): _bounded(item) for name, item in value.items()}
    return [_bounded(item) for item in value] if isinstance(value, (list, tuple)) else value
