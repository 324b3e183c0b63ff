"""What an expression can end in, other than a value."""

from __future__ import annotations


class JmesPathError(Exception):
    """An expression has no value for this input. An outcome, not a crash."""


class NotFoundError(JmesPathError):
    """A key that the expression needs is not there."""

    @property
    def key(self) -> str:
        """The key."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"unknown key `{self.args[0]}`"
