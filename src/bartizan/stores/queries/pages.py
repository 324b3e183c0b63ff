"""Pages of a list that is too long: each tells where the next begins, so that no page is slower than the first."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import orjson
from sqlalchemy import tuple_

from bartizan.base.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

T = TypeVar("T")

LARGEST: Final = 500
_INT64: Final = range(-(2**63), 2**63)


class Page(NamedTuple):
    """Which part of a list: `after` is the `next` of the page before, empty for the first."""

    size: int = 50
    after: str = ""


class Part(NamedTuple, Generic[T]):
    """One page of a list; `next` is empty on the last."""

    rows: list[T]
    next: str


def paged(
    connection: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[int]],
    page: Page,
    read: Callable[[Any], T],
) -> Part[T]:
    """A page of `query`, the highest of `order` first. The columns of `order` tell any two rows apart.

    Raises:
        SpecError: `page.after` is no place in this list.
    """
    if page.after:
        query = query.where(tuple_(*order) < tuple_(*_decoded(page.after, len(order))))
    size = max(1, min(page.size, LARGEST))
    keys = [column.label(f"key_{number}") for number, column in enumerate(order)]
    query = query.add_columns(*keys).order_by(*(column.desc() for column in order)).limit(size + 1)
    found = connection.execute(query).all()
    rows = found[:size]
    after = _encoded([getattr(rows[-1], key.name) for key in keys]) if len(found) > size else ""
    return Part([read(row) for row in rows], after)


def _encoded(keys: list[int]) -> str:
    return urlsafe_b64encode(orjson.dumps(keys)).decode().rstrip("=")


def _decoded(text: str, length: int) -> list[int]:
    try:
        keys = orjson.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except ValueError:
        keys = None
    if not isinstance(keys, list) or len(keys) != length or not all(type(key) is int and key in _INT64 for key in keys):
        raise SpecError("there is no such page", hint="Begin with the first, and follow its `next`.")
    return keys


def cursor_of(key: str) -> str:
    """Where a list in the order of names goes on: after the last name of a page."""
    return urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def cursor_key(text: str) -> str:
    """The name that a page begins after.

    Raises:
        SpecError: it is no place in a list.
    """
    try:
        key = orjson.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except ValueError:
        key = None
    if not isinstance(key, str):
        raise SpecError("there is no such page", hint="Begin with the first, and follow its `next`.")
    return key
