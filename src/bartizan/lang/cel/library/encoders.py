"""The encoders extension: bytes as text and back."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.types import BYTES, STRING

if TYPE_CHECKING:
    from collections.abc import Mapping


_ALIEN: Final = re.compile(rb"[^A-Za-z0-9+/\r\n]")


def _decode(text: str) -> bytes:
    """Base64 with all of its padding, or with none."""
    given = text.encode()
    kept = given.replace(b"\n", b"").replace(b"\r", b"")
    try:
        return base64.b64decode(kept, validate=True)
    except (binascii.Error, ValueError):
        alien = _ALIEN.search(given)
    if alien is not None or len(kept) % 4 == 1:
        place = len(given) - 1 if alien is None else alien.start()
        raise CelError(f"illegal base64 data at input byte {place}")
    return base64.b64decode(kept + b"=" * (-len(kept) % 4))


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "base64.decode": (Overload((STRING,), BYTES, _decode, grows=True),),
    "base64.encode": (Overload((BYTES,), STRING, lambda value: base64.b64encode(value).decode(), grows=True),),
}
