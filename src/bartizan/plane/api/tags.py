"""Entity tags (RFC 9110, 8.8.3): strong, of the bytes that are sent.

What is packed on its way is another representation with a tag of its own;
both are of the same thing, so that a change may be asked for by either.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PACKED_FROM: Final = 500
"""Bytes from which on answers are packed for who takes gzip."""
_PACKED: Final = "-gzip"


def of_bytes(body: bytes) -> str:
    """The tag of what is sent as it is."""
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def of(answer: Response, request: Request) -> str:
    """The tag of an answer; empty for one that is no plain success."""
    body = getattr(answer, "body", b"")
    if answer.status_code not in (200, 201) or not body:
        return ""
    tag = of_bytes(bytes(body))
    packs = len(body) >= PACKED_FROM and "gzip" in request.headers.get("accept-encoding", "")
    return f'{tag[:-1]}{_PACKED}"' if packs else tag


def is_among(tag: str, wanted: str, *, weakly: bool) -> bool:
    """Whether a tag is one of those in a header (13.1.1 and 13.1.2); a weak one never matches strongly."""
    if wanted.strip() == "*":
        return True
    return any(
        _plain(one.strip(), weakly=weakly) == _plain(tag, weakly=False) for one in wanted.split(",") if one.strip()
    )


def _plain(tag: str, *, weakly: bool) -> str:
    if weakly:
        tag = tag.removeprefix("W/")
    return f'{tag[: -len(_PACKED) - 1]}"' if tag.endswith(f'{_PACKED}"') else tag
