"""What an expression can end in, other than a value."""

from __future__ import annotations

from typing import Final

TOO_DEEP: Final = "a value or an expression nests too deep"


class CelError(Exception):
    """An expression has no value for this input. An outcome, not a crash; `&&` and `||` may absorb it."""


class CelBudgetError(Exception):
    """An expression took more work than it was given. Nothing absorbs it."""


class CelTotalError(CelBudgetError):
    """Expressions took more work together than they were given: no other is asked."""


def no_such_overload(what: str = "") -> CelError:
    """The error of an operation that its operands do not have; some of them are said, as the reference does."""
    return CelError(f"no such overload: {what}" if what else "no such overload")


def no_such_key(key: object) -> CelError:
    """The error of a field or key that is not there."""
    return CelError(f"no such key: {key}")


def no_conversion(kind: str) -> CelError:
    """The error of a text that is no value of a type."""
    return CelError(f"type conversion error from 'string' to '{kind}'")
