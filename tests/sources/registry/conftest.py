"""The open registry, for every test of this folder."""

from tests.registry.fixtures import registry_server

__all__ = ["registry_server"]
