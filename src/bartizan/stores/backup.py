"""Everything in a store as one file, and back: of one moment, the same for both engines.

So a back-up of SQLite is restored into PostgreSQL, which is how a fleet
outgrows its first database. The file is a gzip of framed MessagePack; it
ends with the number of rows of each table, so that half of one is noticed.
"""

from __future__ import annotations

import gzip
import os
import zlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import func, select, text

from bartizan.base.errors import StoreError, reason_of
from bartizan.stores import bulk
from bartizan.stores.migrate import HEAD
from bartizan.stores.schema import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from bartizan.stores.open import Store

_FORMAT: Final = "bartizan/backup/v1"
_ROWS: Final = 1000
_LARGEST: Final = 1 << 30
"""Bytes of one frame: a thousand of the largest objects a cluster can hold are 1.5 GB before they are compressed."""


def back_up(store: Store, path: Path) -> dict[str, int]:
    """Write all rows to a file, which is there as a whole or not at all. Returns how many of each table.

    Raises:
        StoreError: the file cannot be written, or the database is away.
    """
    part = path.with_name(path.name + ".part")
    try:
        with store.reading() as connection, gzip.open(part, "wb", compresslevel=3) as file:
            os.chmod(part, 0o600)  # noqa: PTH101  as open files go
            _write(file, {"format": _FORMAT, "schema": HEAD})
            counts = {str(table.name): _save(connection, table, file) for table in METADATA.sorted_tables}
            _write(file, {"end": counts})
        part.replace(path)
    except OSError as error:
        raise StoreError(f"the back-up `{path}` cannot be written: {reason_of(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    return counts


def restore(store: Store, path: Path) -> dict[str, int]:
    """Fill an empty store from a file, as a whole or not at all. Returns how many rows of each table.

    Raises:
        StoreError: the store is not empty, or the file is none of ours, of another schema, or not whole.
    """
    try:
        with gzip.open(path, "rb") as file:
            return store.write(lambda connection: _load(connection, file, path))
    except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error).lower()
        raise StoreError(f"the back-up `{path}` cannot be read: {reason}", hint="Nothing was restored.") from error


def _save(connection: Connection, table: Table, file: gzip.GzipFile) -> int:
    """All rows of a table, as they are kept: past SQLAlchemy's conversions."""
    names = [str(column.name) for column in table.columns]
    quoted = ", ".join(f'"{name}"' for name in names)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    statement = text(f'SELECT {quoted} FROM "{table.name}" ORDER BY {key}')  # noqa: S608  our names
    count = 0
    with connection.execute(statement, execution_options={"yield_per": _ROWS}) as found:
        for some in found.partitions(_ROWS):
            _write(file, {"table": str(table.name), "columns": names, "rows": [list(map(_plain, row)) for row in some]})
            count += len(some)
    return count


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _load(connection: Connection, file: gzip.GzipFile, path: Path) -> dict[str, int]:
    for table in METADATA.sorted_tables:
        if connection.execute(select(func.count()).select_from(select(table).limit(1).subquery())).scalar():
            raise StoreError("the store is not empty", hint="Restore into a new database.")
    frames = _read(file)
    head = next(frames, None)
    if not isinstance(head, dict) or head.get("format") != _FORMAT:
        raise StoreError(f"`{path}` is no back-up of ours")
    if head.get("schema") != HEAD:
        hint = "Restore it with the release that wrote it, and start this one on the result."
        raise StoreError(f"the back-up is of schema `{head.get('schema')}`, and this release's is `{HEAD}`", hint=hint)
    counts = {table.name: 0 for table in METADATA.sorted_tables}
    for frame in frames:
        if "end" in frame:
            if frame["end"] != counts:
                break
            _count_on(connection)
            return counts
        table = METADATA.tables[frame["table"]]
        if frame["columns"] != [column.name for column in table.columns]:
            break
        bulk.insert(connection, table, frame["columns"], [_typed(connection, table, row) for row in frame["rows"]])
        counts[table.name] += len(frame["rows"])
    raise StoreError(f"the back-up `{path}` is not whole", hint="Nothing was restored.")


def _typed(connection: Connection, table: Table, row: list[Any]) -> tuple[Any, ...]:
    """SQLite keeps booleans as numbers, and PostgreSQL does not take them for any."""
    if connection.dialect.name == "sqlite":
        return tuple(row)
    kinds = [str(column.type) for column in table.columns]
    return tuple(bool(value) if kind == "BOOLEAN" else value for value, kind in zip(row, kinds, strict=True))


def _count_on(connection: Connection) -> None:
    """Let PostgreSQL's counters go on after the ids that were restored."""
    if connection.dialect.name == "sqlite":
        return
    for table in METADATA.sorted_tables:
        if "id" in table.c and table.c.id.autoincrement is not False:
            statement = f"""SELECT setval(pg_get_serial_sequence('"{table.name}"', 'id'), coalesce(max(id), 0) + 1, false) FROM "{table.name}" """  # noqa: E501, S608  our names
            connection.execute(text(statement))


def _write(file: gzip.GzipFile, frame: dict[str, Any]) -> None:
    packed = msgspec.msgpack.encode(frame)
    file.write(len(packed).to_bytes(4, "big"))
    file.write(packed)


def _read(file: gzip.GzipFile) -> Iterator[Any]:
    while length := file.read(4):
        size = int.from_bytes(length, "big")
        if size > _LARGEST:
            return
        yield msgspec.msgpack.decode(file.read(size))
