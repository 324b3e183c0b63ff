"""Who else hears of every expression that is compiled: `explain`, to watch it run, and `policy check`, to look at it.

What the kinds' compilers do is not told a second time for either: they
compile as they always do, and whoever listens meanwhile is handed each
expression with its place. Nothing of it is there when a policy runs.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.errors import SpecError
    from bartizan.lang.cel import Environment, Expression
    from bartizan.lang.cel.types import Type


class Written(NamedTuple):
    """An expression as it stands in a document: its text, its place, and what it may use and must give.

    `owner` is the exception that it is of; that of a policy has none.
    """

    text: str
    environment: Environment
    wanted: tuple[Type, ...]
    at: str
    owner: str


class Listener(Protocol):
    """Hears of expressions."""

    def compiled(self, expression: Expression, written: Written) -> Expression:
        """Take one that compiles; what is returned runs in its place."""

    def refused(self, written: Written, error: SpecError) -> Expression:
        """Take one that does not; raise the error, or return what stands in for it."""


_LISTENER: Final[ContextVar[Listener | None]] = ContextVar("listener", default=None)
_OWNER: Final[ContextVar[str]] = ContextVar("owner", default="")


def listener() -> Listener | None:
    """Who listens, if anybody does."""
    return _LISTENER.get()


def owner() -> str:
    """The exception that is being compiled, if one is."""
    return _OWNER.get()


@contextmanager
def listening(to_whom: Listener) -> Iterator[None]:
    """Hand everything that is compiled meanwhile to a listener."""
    token = _LISTENER.set(to_whom)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def owned_by(name: str) -> Iterator[None]:
    """Say of everything that is compiled meanwhile that it is of an exception."""
    token = _OWNER.set(name)
    try:
        yield
    finally:
        _OWNER.reset(token)
