"""What is kept where others can read it, and only we can open: AES-256-GCM under a key made for one purpose."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Final

_NONCE_BYTES: Final = 12


def seal(key: bytes, purpose: str, plain: bytes) -> bytes:
    """Close `plain` for a purpose; what was closed for another does not open."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_key(key, purpose)).encrypt(nonce, plain, None)


def unseal(key: bytes, purpose: str, sealed: bytes) -> bytes | None:
    """Open what was closed; nothing where it was not closed by us, for this purpose, as it is."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(_key(key, purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        return None


def to_text(sealed: bytes) -> str:
    """As a cookie carries it."""
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """From a cookie; empty where it is none of ours."""
    try:
        return urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except ValueError:
        return b""


def _key(key: bytes, purpose: str) -> bytes:
    return blake2b(purpose.encode(), key=key[:64], digest_size=32).digest()
