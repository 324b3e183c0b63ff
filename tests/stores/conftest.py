"""A fresh store for each test, on each engine; PostgreSQL is one a process of tests, with a database a test.

To start one takes three seconds; with all its tests in one process, the others would wait for minutes.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from tests.stores import postgresql

from bartizan.stores.open import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NUMBERS = itertools.count(1)
ENGINES = (
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql"),
)


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A running PostgreSQL."""
    with postgresql.running() as running:
        yield running


@pytest.fixture(scope="session")
def template(server: postgresql.Server) -> str:
    """The name of a database with our tables, to be copied: a copy is quicker than a migration."""
    server.sql("CREATE DATABASE template_of_ours")
    open_store(server.url("template_of_ours")).close()
    return "template_of_ours"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database that is not there yet."""
    return f"sqlite:///{tmp_path}/history.db"


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database without our tables."""
    if request.param == "sqlite":
        return f"{request.getfixturevalue('sqlite_url')}.empty"
    running: postgresql.Server = request.getfixturevalue("server")
    name = f"empty_{next(_NUMBERS)}"
    running.sql(f"CREATE DATABASE {name}")
    return running.url(name)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    """A database with our tables, and nothing in them."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    running: postgresql.Server = request.getfixturevalue("server")
    name = f"test_{next(_NUMBERS)}"
    running.sql(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('template')}")
    return running.url(name)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store."""
    opened = open_store(url)
    try:
        yield opened
    finally:
        opened.close()
