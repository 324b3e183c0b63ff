"""A database, opened: brought to this release's schema, with transactions that say plainly what went wrong.

SQLite runs in WAL, where readers and the one writer do not wait for each
other, and syncs each commit: what was acknowledged survives the power. A
writer takes its lock at BEGIN, for one taken later can fail in the middle.
"""

from __future__ import annotations

import random
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bartizan.base.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_BUSY_S: Final = 30
"""How long a writer waits for another: a restore or a compaction takes its time."""
_TRIES: Final = 5
_PAUSE_S: Final = 0.05
_CONFLICTS: Final = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock not available. Nothing was done; again is right."""
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={_BUSY_S * 1000}",
    "PRAGMA cache_size=-65536",  # KiB: the inner pages of a million findings' indexes
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
)
_FIRST_LINE: Final = re.compile(r"[^\n]*")


class Store:
    """An open database. `dialect` is what only a query that one engine writes differently may ask."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect: Literal["sqlite", "postgresql"] = "sqlite" if engine.dialect.name == "sqlite" else "postgresql"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment, and writes nothing."""
        with self._transaction({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is there as a whole when the block ends, and not at all when it raises."""
        with self._transaction({"writes": True}) as connection:
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction, and again where another writer was in its way and nothing was done."""
        for attempt in range(_TRIES):
            try:
                with self.writing() as connection:
                    return work(connection)
            except StoreError as error:
                if attempt == _TRIES - 1 or not _is_conflict(error.__cause__):
                    raise
                time.sleep(_PAUSE_S * 2**attempt * (1 + random.random()))  # noqa: S311  spreads writers, guards nothing
        raise AssertionError  # the last try raises or returns

    def ask(self) -> None:
        """Ask for nothing, and return where the database answers.

        Raises:
            StoreError: it is away.
        """
        with self.reading() as connection:
            connection.exec_driver_sql("SELECT 1")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        if self.dialect == "sqlite":
            options = {"writes": options.get("writes", False)}
        try:
            with self.engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise _told(error) from error


def open_store(url: str, *, connections: int = 5) -> Store:
    """Open a database by URL (`sqlite:///path`, `postgresql://…`) and bring it to this release's schema.

    Raises:
        StoreError: the URL names no engine we have, the database is away, or of a newer release.
    """
    from bartizan.stores.migrate import migrate

    store = Store(_engine(_parsed(url), connections))
    try:
        migrate(store)
    except BaseException:
        store.close()
        raise
    return store


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError("the database's URL cannot be read", hint=_URLS) from error
    name = parsed.get_backend_name()
    if name == "postgres":
        parsed = parsed.set(drivername="postgresql")
        name = "postgresql"
    if name not in ("sqlite", "postgresql"):
        raise StoreError(f"no store is kept in `{name}`", hint=_URLS)
    if name == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError("a store in memory would forget", hint="Name a file: `sqlite:///bartizan.db`.")
    return parsed.set(drivername="postgresql+psycopg") if name == "postgresql" else parsed


_URLS: Final = "Use `sqlite:///bartizan.db` or `postgresql://user@host/database`."


def _engine(url: URL, connections: int) -> Engine:
    if url.get_backend_name() == "sqlite":
        _make_folder(Path(url.database or ""))
        engine = create_engine(url, pool_size=connections, max_overflow=0, connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "bartizan"},
        )
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            "the driver for PostgreSQL is not installed", hint="Install it: `pip install 'bartizan[postgres]'`."
        ) from error


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # people's hashes and the fleet's weak points are in it
    except OSError as error:
        raise StoreError(f"`{path}` cannot be made: {(error.strerror or str(error)).lower()}") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin late and by itself; `_begin_sqlite` does it
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_conflict(error: BaseException | None) -> bool:
    origin = getattr(error, "orig", None)
    if getattr(origin, "sqlstate", None) in _CONFLICTS:
        return True
    return getattr(origin, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _told(error: DBAPIError | PoolTimeoutError) -> Exception:
    """What a person can act on; a statement that the database calls wrong is a bug here, and stays one."""
    origin: BaseException = getattr(error, "orig", None) or error
    said = (_FIRST_LINE.match(str(origin).strip()) or [""])[0].rstrip(".")
    if isinstance(error, PoolTimeoutError):
        return StoreError("every connection to the database is taken", hint="Try again, or allow more connections.")
    kind = type(error).__name__
    if kind in ("OperationalError", "InterfaceError") or error.connection_invalidated:
        return StoreError(f"the database does not answer as it should: {said}", hint=_hint(said))
    if kind == "DatabaseError":
        return StoreError(f"the database is damaged: {said}", hint="Restore it from a back-up.")
    return error


def _hint(said: str) -> str:
    if "locked" in said:
        return "Another process writes for long: try again when it is done."
    if "full" in said or "No space" in said:
        return "Make room on the disk; nothing half-written is kept."
    if "readonly" in said or "unable to open" in said:
        return "Let this user write to the file and its folder."
    return "See that it runs and that its URL is right; what was acknowledged is kept."
