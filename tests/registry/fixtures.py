"""A registry that is open to all, one for all tests that ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.conformance import built
from tests.registry.start import RegistryServer, start

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryServer]:
    """A running registry on loopback, plain HTTP; skips where it is not built and Go is missing."""
    built("registry")
    server = start(tmp_path_factory.mktemp("registry"))
    try:
        yield server
    finally:
        server.stop()
