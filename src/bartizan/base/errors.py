"""Every error a user can cause, as one short tree.

    BartizanError
    ├── SourceError    the world could not be read   (exit 3, a retry may help)
    ├── StoreError     history could not be kept     (exit 3, a retry may help)
    └── SpecError      a document is malformed       (exit 2, never retry)

A bug in this project is not in the tree: it stays a plain exception, and
only the outermost surface catches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from bartizan.base.location import Location


class BartizanError(Exception):
    """An error whose reader can do something about it.

    `message` is one lower-case clause without a full stop, user input in
    backticks; `hint` is one full sentence that says what to do next.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, at: Location | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.at}: " if self.at else ""
        advice = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


class SourceError(BartizanError):
    """The world could not be read: file, cluster, registry or program."""


class StoreError(BartizanError):
    """History could not be saved or read back: the database is away, full, damaged or of another release."""


class SpecError(BartizanError):
    """A policy, check, manifest or configuration document is not what it must be.

    `pointer` is where in the document, as a JSON pointer, for a caller that
    knows the file and can turn it into a line. `column` is where in an
    expression, from 1; 0 means "not known".
    """

    exit_code: ClassVar[int] = 2

    def __init__(
        self, message: str, *, at: Location | None = None, hint: str = "", pointer: str = "", column: int = 0
    ) -> None:
        super().__init__(message, at=at, hint=hint)
        self.pointer = pointer
        self.column = column


def reason_of(error: OSError) -> str:
    """Why the system refused something, as a clause that a message can end with."""
    return (error.strerror or str(error)).lower()
