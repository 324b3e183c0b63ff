"""What can go wrong between us and a registry, as far as a caller may want to tell it apart.

SourceError
├── NotThereError    the registry answers, and has no such manifest, blob or repository
├── RefusedError     the registry answers, and does not let us
├── UntrueError      what it sent is not what it said, or not what was asked for
└── SilentError      it does not answer, or stops in the middle
"""

from __future__ import annotations

from bartizan.base.errors import SourceError


class NotThereError(SourceError):
    """The registry has no such manifest, blob or repository, or does not show it to strangers."""


class RefusedError(SourceError):
    """The registry refused: `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class UntrueError(SourceError):
    """The bytes are not those of the digest, or contradict what was said about them."""


class SilentError(SourceError):
    """No answer, or not the whole of one; `tries_again` where another try may help."""

    def __init__(self, message: str, *, hint: str = "", tries_again: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.tries_again = tries_again
