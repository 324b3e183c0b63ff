"""`gzip`: texts compressed, and what is compressed as text again.

A few bytes may stand for gigabytes, so what comes out is bounded. The bytes
of `gzip.compress` are not those that Go's compressor chooses; what they
decompress to is the same, and so is the header, which has no time in it.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library.world import MAX_TEXT, bounded, too_long, unfit
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import BYTES, DYN, STRING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_MAGIC: Final = b"\x1f\x8b\x08"
_GZIP: Final = 16 + zlib.MAX_WBITS
_MAX_MEMBERS: Final = 1000


def _compress(value: Any) -> bytes:
    if value.__class__ is not str:
        raise CelError(unfit(value, "string"))
    data = bounded(value, "gzip: text too long").encode()
    press = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = press.compress(data) + press.flush()
    return _HEADER + body + zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")


def _decompress(data: bytes) -> str:
    """The text of one compressed member after another."""
    made = bytearray()
    for _ in range(_MAX_MEMBERS):
        if not data:
            break
        data = _member(data, made)
    else:
        raise CelError(f"gzip: more than {_MAX_MEMBERS} members")
    return made.decode(errors="replace")


def _member(data: bytes, made: bytearray) -> bytes:
    """Add what one member holds; gives what follows it."""
    if not made and len(data) < len(_HEADER):
        raise CelError("EOF" if not data else "unexpected EOF")
    if not data.startswith(_MAGIC):
        raise CelError("gzip: invalid header")
    press = zlib.decompressobj(_GZIP)
    try:
        made += press.decompress(data, MAX_TEXT + 1 - len(made))
    except zlib.error as error:
        raise CelError(
            "gzip: invalid checksum" if "check" in str(error) else f"gzip: corrupt input: {error}"
        ) from error
    if len(made) > MAX_TEXT:
        too_long("gzip: text too long")
    if not press.eof:
        raise CelError("unexpected EOF")
    return press.unused_data


def _not_empty(data: bytes) -> str:
    if not data:
        raise CelError("EOF")
    return _decompress(data)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "gzip.compress": (Overload((DYN,), BYTES, _compress, grows=True),),
    "gzip.decompress": (Overload((BYTES,), STRING, _not_empty, grows=True),),
}
