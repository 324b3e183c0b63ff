"""Kinds of columns: the same bytes on both engines, so that a back-up of one is read by the other.

Times are microseconds since 1970 and days are days since then: eight bytes
and four, ordered as they are, and no engine's idea of a time zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import BigInteger, Column, Integer, MetaData, SmallInteger, Text, TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

COUNTS: Final = ("passed", "failed", "warned", "errors", "skipped", "waived", "stale")
"""The columns of counts by verdict, in the order of `Verdict` from `PASS` on."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_MICROSECOND: Final = timedelta(microseconds=1)

Id: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A number the store gives: SQLite counts by itself only where the type is said to be INTEGER."""


def micros(at: datetime) -> int:
    """A moment as it is kept."""
    return (at - _EPOCH) // _MICROSECOND


def moment(kept: int) -> datetime:
    """A kept moment, in UTC."""
    return _EPOCH + timedelta(microseconds=kept)


def days(day: date) -> int:
    """A day as it is kept."""
    return day.toordinal() - _FIRST_DAY


class Moment(TypeDecorator[datetime]):
    """A time with its zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy's
        """To what is kept."""
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  as above
        """From what is kept."""
        return None if value is None else moment(value)


class Day(TypeDecorator[date]):
    """A day in UTC."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy's
        """To what is kept."""
        return None if value is None else days(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> date | None:  # noqa: ARG002  as above
        """From what is kept."""
        return None if value is None else date.fromordinal(value + _FIRST_DAY)


class Document(TypeDecorator[Any]):
    """JSON as text: nothing asks the database what is in it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str:  # noqa: ARG002  SQLAlchemy's
        """To what is kept."""
        return orjson.dumps(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:  # noqa: ARG002  as above
        """From what is kept."""
        return None if value is None else orjson.loads(value)


def text(name: str) -> Column[str]:
    """Words; empty where there are none, never NULL."""
    return Column(name, Text, nullable=False, server_default="")


def number(name: str) -> Column[int]:
    """A whole number, 0 where nothing is said."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def small(name: str) -> Column[int]:
    """A number of an enumeration."""
    return Column(name, SmallInteger, nullable=False, server_default="0")


def counts() -> list[Column[int]]:
    """A count for each verdict. They are differences where a table says so."""
    return [number(name) for name in COUNTS]
