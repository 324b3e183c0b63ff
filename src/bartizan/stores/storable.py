"""Text as both engines keep it. It stands by itself: who only redacts brings no database's library."""

from __future__ import annotations


def storable(words: str) -> str:
    """Text that both engines keep: PostgreSQL has no NUL, and neither has half of a surrogate pair."""
    if words.isascii():
        return words.replace("\0", "\ufffd") if "\0" in words else words
    return words.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
