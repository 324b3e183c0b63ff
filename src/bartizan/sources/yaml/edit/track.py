"""What one try changes, and what it must write as a whole because a try before it failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and numbers of elements from the root of the document, as it was before."""


@dataclass(slots=True)
class Track:
    """`touched` are the places that changed; `forced` those whose value is to be written out."""

    forced: frozenset[Path] = frozenset()
    touched: set[Path] = field(default_factory=set)

    def touch(self, path: Path) -> None:
        """Remember a change."""
        self.touched.add(path)
