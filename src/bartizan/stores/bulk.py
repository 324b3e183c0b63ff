"""Many rows at once: COPY and arrays on PostgreSQL, prepared statements run again and again on SQLite.

Rows are tuples of what is kept (`columns.micros`, not a datetime): these
calls carry thousands of rows a second past SQLAlchemy's conversions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, TypeDecorator, text
from sqlalchemy.dialects import postgresql, sqlite

from bartizan.stores.storable import storable as storable  # noqa: PLC0414  who writes rows finds it here

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Connection, Table

    Row = tuple[Any, ...]

_FEW: Final = 8
"""Below this many rows a COPY costs more than the statement."""


def unless_there(connection: Connection, table: Table) -> Any:
    """A statement that writes rows, and passes over those that are there."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def numbers(connection: Connection, table: Table, count: int) -> list[int]:
    """Ids for `count` new rows, known before they are written, so that rows can name each other."""
    if not count:
        return []
    if connection.dialect.name == "sqlite":  # the transaction has the only writer's lock
        last = connection.exec_driver_sql(f'SELECT coalesce(max(id), 0) FROM "{table.name}"').scalar_one()  # noqa: S608  our name
        return list(range(last + 1, last + 1 + count))
    statement = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :count)")
    return list(connection.execute(statement, {"table": table.name, "count": count}).scalars())


def insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write rows that are not there yet."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and len(rows) > _FEW:
        with connection.connection.cursor() as cursor, cursor.copy(_copy(table, columns)) as copy:  # type: ignore[attr-defined]  # the driver's
            for row in rows:
                copy.write_row(row)
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(columns))
    into = f'INSERT INTO "{table.name}" ({_quoted(columns)}) VALUES ({marks})'  # noqa: S608  our names
    connection.exec_driver_sql(into, list(rows))


def add(connection: Connection, table: Table, columns: Sequence[str], sums: Sequence[str], rows: Sequence[Row]) -> None:
    """Write rows, or add their `sums` to those that are there with the same primary key."""
    what = ", ".join(f'"{name}" = "{table.name}"."{name}" + excluded."{name}"' for name in sums)
    _upsert(connection, table, columns, what, rows)


def put(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write rows in place of those that are there with the same primary key."""
    keys = {column.name for column in table.primary_key}
    what = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in keys)
    _upsert(connection, table, columns, what, rows)


def change(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Set columns of rows that are there; the first column is `id`."""
    if not rows:
        return
    first, *others = columns
    if connection.dialect.name == "sqlite":
        setting = ", ".join(f'"{name}" = ?' for name in others)
        update = f'UPDATE "{table.name}" SET {setting} WHERE "{first}" = ?'  # noqa: S608  our names
        connection.exec_driver_sql(update, [(*row[1:], row[0]) for row in rows])
        return
    setting = ", ".join(f'"{name}" = given."{name}"' for name in others)
    same = f'"{table.name}"."{first}" = given."{first}"'
    update = f'UPDATE "{table.name}" SET {setting} FROM {_given(table, columns)} WHERE {same}'  # noqa: S608  our names
    connection.exec_driver_sql(update, _arrays(table, columns, rows))


def _upsert(connection: Connection, table: Table, columns: Sequence[str], what: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    keys = _quoted([column.name for column in table.primary_key])
    into = f'INSERT INTO "{table.name}" ({_quoted(columns)})'
    conflict = f"ON CONFLICT ({keys}) DO UPDATE SET {what}"
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"{into} VALUES ({marks}) {conflict}", list(rows))
        return
    given = _given(table, columns)
    connection.exec_driver_sql(f"{into} SELECT * FROM {given} {conflict}", _arrays(table, columns, rows))  # noqa: S608  our names


def _given(table: Table, columns: Sequence[str]) -> str:
    arrays = ", ".join(f"%s::{_postgresql_type(table.c[name])}[]" for name in columns)
    return f"unnest({arrays}) AS given({_quoted(columns)})"


def _arrays(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> tuple[str, ...]:
    """Columns as PostgreSQL's array literals: the driver makes them item by item, which takes ten times as long."""
    return tuple(
        _literal(_postgresql_type(table.c[name]), values)
        for name, values in zip(columns, zip(*rows, strict=True), strict=True)
    )


def _literal(kind: str, values: Sequence[Any]) -> str:
    if kind == "bytea":
        items = ["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]
    elif kind == "text":
        items = ["NULL" if value is None else _quoted_item(value) for value in values]
    else:
        items = ["NULL" if value is None else str(value) for value in values]
    return f"{{{','.join(items)}}}"


def _quoted_item(words: str) -> str:
    if "\\" in words or '"' in words:
        words = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{words}"'


def _copy(table: Table, columns: Sequence[str]) -> str:
    return f'COPY "{table.name}" ({_quoted(columns)}) FROM STDIN'


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _postgresql_type(column: Column[Any]) -> str:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    for known, name in _TYPES:
        if isinstance(kind, known):
            return name
    return "text"


_TYPES: Final = (
    (BigInteger, "bigint"),
    (SmallInteger, "smallint"),
    (Integer, "integer"),
    (LargeBinary, "bytea"),
    (Boolean, "boolean"),
)
