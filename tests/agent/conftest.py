"""A plane that is served over HTTP, on each engine, and agents whose clock stands where a test puts it."""

from __future__ import annotations

from tests.stores.conftest import empty_url, server, sqlite_url, store, template, url

__all__ = ["empty_url", "server", "sqlite_url", "store", "template", "url"]
