"""Why a value does not match a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bartizan.base.json import Json, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST = 200  # characters of a value in a message


class Mismatch(msgspec.Struct, frozen=True, gc=False):
    """One reason, at a JSON pointer into the value.

    `skip` says that the pattern is not about this value at all (a
    conditional anchor did not hold), and `is_global` that a global anchor
    said so, which no other anchor beside it outweighs; `broken` that it
    could not be judged, because a key that its anchors name is nowhere in
    the value.
    """

    pointer: str
    value: Json = None
    wanted: Json = None
    reason: str = ""
    skip: bool = False
    broken: bool = False
    is_global: bool = False

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        """The reason in words."""
        if self.reason:
            return self.reason
        found = "is missing" if self.value is None else f"is `{to_text(self.value)[:_LONGEST]}`"
        wanted = self.wanted if isinstance(self.wanted, str) else to_text(self.wanted)
        return f"{found}, not `{wanted[:_LONGEST]}`"


def below(pointer: str, inner: Mismatch) -> Mismatch:
    """The same reason, for the value that holds the one it was found in at `pointer`."""
    return msgspec.structs.replace(inner, pointer=pointer + inner.pointer)


def failed(seen: Mapping[str, bool], pointer: str, value: Json, wanted: Json) -> Mismatch:
    """A failure in a pattern with anchors; `seen` says which of their keys the value has anywhere."""
    if not all(seen.values()):
        missing = ", ".join(sorted(key for key, found in seen.items() if not found))
        return Mismatch(
            pointer, value, wanted, f"anchor {missing} names a key that the resource does not have", broken=True
        )
    return Mismatch(pointer, value, wanted)
