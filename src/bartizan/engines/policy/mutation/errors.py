"""What can go wrong when a patch meets an object."""

from __future__ import annotations


class PatchError(Exception):
    """A patch does not fit the object: where in the object, and why. An outcome, not a crash.

    `path` is found out on the way back up, so that the way down costs nothing.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: list[str] = []

    def __str__(self) -> str:
        return (
            f"at `{''.join(f'/{step}' for step in reversed(self.path))}`: {self.message}" if self.path else self.message
        )
