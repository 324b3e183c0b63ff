"""The encoders extension: bytes as text and back."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final

from bartizan.lang.cel.declare import Overload
from bartizan.lang.cel.errors import CelError
from bartizan.lang.cel.types import BYTES, STRING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _decode(text: str) -> bytes:
    """Base64 with or without its padding."""
    bare = text.replace("\n", "").replace("\r", "").rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CelError("illegal base64 data") from error


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "base64.decode": (Overload((STRING,), BYTES, _decode, grows=True),),
    "base64.encode": (Overload((BYTES,), STRING, lambda value: base64.b64encode(value).decode(), grows=True),),
}
