"""As much of CBOR as a COSE signature is made of (RFC 8949): no floats, no lengths left open, times as tag 1.

Written here and not taken from a library, because libraries decode far more
(regular expressions, shared and cyclic values, big numbers), and what comes
from a registry should not reach any of that. Eighty lines need no trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bartizan.engines.policy.signatures.refusal import RefusedError

_MAX_DEPTH: Final = 16
_MAX_ITEMS: Final = 10_000
_EPOCH: Final = 1


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with a tag that is not a time."""

    tag: int
    value: Any


def decode(data: bytes) -> Any:
    """Decode one value, which must be all of `data`.

    Raises:
        RefusedError: it is malformed, or of a kind that COSE signatures do not have.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise RefusedError("there is something behind the CBOR value")
    return value


def encode(value: str | bytes | list[Any]) -> bytes:
    """Encode text, bytes, and lists of such."""
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(encode(item) for item in value)
    data = value.encode() if isinstance(value, str) else value
    return _head(3 if isinstance(value, str) else 2, len(data)) + data


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size = next(power for power in (0, 1, 2, 3) if number < 1 << (8 << power))
    return bytes([major << 5 | 24 + size]) + number.to_bytes(1 << size, "big")


class _Reader:
    """A place in the bytes, and how many values were read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.items = 0

    def value(self, depth: int) -> Any:  # noqa: PLR0911 (one line for each major type)
        self.items += 1
        if depth > _MAX_DEPTH or self.items > _MAX_ITEMS:
            raise RefusedError("the CBOR value is too large or nests too deep")
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if major == 7:
            return self._simple(low)
        number = self._number(low)
        match major:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self.take(number)
            case 3:
                return self._text(number)
            case 4:
                return [self.value(depth + 1) for _ in range(self._count(number))]
            case 5:
                return self._map(number, depth)
            case _:
                return self._tagged(number, depth)

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise RefusedError("the CBOR value ends too early")
        self.at += size
        return self.data[self.at - size : self.at]

    def _number(self, low: int) -> int:
        if low < 24:
            return low
        if low > 27:
            raise RefusedError("the CBOR value has a length that is left open")
        return int.from_bytes(self.take(1 << (low - 24)), "big")

    def _count(self, number: int) -> int:
        """A count of items, each of which takes a byte at least."""
        if number > len(self.data) - self.at:
            raise RefusedError("the CBOR value ends too early")
        return number

    def _text(self, size: int) -> str:
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise RefusedError("a CBOR text is no UTF-8") from error

    def _map(self, number: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(self._count(number)):
            key = self.value(depth + 1)
            if not isinstance(key, int | str) or key in found:
                raise RefusedError("a CBOR map has a strange or a repeated key")
            found[key] = self.value(depth + 1)
        return found

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self.value(depth + 1)
        if tag != _EPOCH:
            return Tagged(tag, value)
        try:
            return datetime.fromtimestamp(value, UTC)
        except (TypeError, ValueError, OverflowError, OSError) as error:
            raise RefusedError("a CBOR time is no time") from error

    def _simple(self, low: int) -> bool | None:
        known: dict[int, bool | None] = {20: False, 21: True, 22: None}
        if low not in known:
            raise RefusedError("the CBOR value is of a kind that is not understood")
        return known[low]
