"""How bad a finding is."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Ordered, so that `--fail-on high` is a comparison."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The lower-case word people write and read."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: object, default: Severity) -> Severity:
        """Read a word as policies write it; anything unknown is `default`."""
        return cls.__members__.get(str(word).upper(), default)
