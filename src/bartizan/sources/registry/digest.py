"""Digests: the name of bytes, and the proof that these are the bytes.

Source: OCI image specification, descriptor.md, "Digests": sha256 must be
known, sha512 may be, and image references may have sha384; others are
refused, because what cannot be checked is not known.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from bartizan.sources.registry.errors import UntrueError

_LENGTHS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX: Final = re.compile(r"[a-f0-9]+")
_TAG_ALGORITHM_CHARS: Final = 32
_TAG_HEX_CHARS: Final = 64


def is_digest(text: str) -> bool:
    """Whether this is a digest that can be checked; its hexadecimal digits are lower case, by specification."""
    algorithm, _, encoded = text.partition(":")
    return len(encoded) == _LENGTHS.get(algorithm) and _HEX.fullmatch(encoded) is not None


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of bytes, by a known algorithm."""
    return f"{algorithm}:{hashlib.new(algorithm, content, usedforsecurity=True).hexdigest()}"


def check(content: bytes, digest: str, what: str, *, says: str = "was asked for") -> None:
    """Check bytes against their digest; `what` names them for the reader.

    Raises:
        UntrueError: they are others, or the digest is of no kind that can be checked.
    """
    if not is_digest(digest):
        raise UntrueError(f"{what}: `{digest[:150]}` is no digest that can be checked", hint="Use a sha256 digest.")
    found = digest_of(content, digest.partition(":")[0])
    if found != digest:
        raise UntrueError(
            f"{what}: the registry sent bytes of digest `{found}` where `{digest}` {says}",
            hint="Do not use this image: the registry, or someone before it, changes what it sends.",
        )


def referrers_tag(digest: str) -> str:
    """The tag that lists what refers to a digest, where there is no API for it.

    Source: OCI distribution specification 1.1, "Referrers tag schema".
    """
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:_TAG_ALGORITHM_CHARS]}-{encoded[:_TAG_HEX_CHARS]}"
