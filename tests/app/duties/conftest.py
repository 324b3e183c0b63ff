"""Stores of the tests of duties."""

from tests.stores.conftest import empty_url, server, sqlite_url, store, template, url

__all__ = ["empty_url", "server", "sqlite_url", "store", "template", "url"]
