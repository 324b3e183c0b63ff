"""Registries of container images, read: what an image is, who says so, and whether that is true."""

from bartizan.sources.registry.address import Place, is_local, locate
from bartizan.sources.registry.client import BLOB_BYTES, MANIFEST_BYTES, Registry
from bartizan.sources.registry.credentials import Credential, Keychain, ask_helper, read_docker_config, read_pull_secret
from bartizan.sources.registry.descriptor import DEFAULT_PLATFORM, IMAGES, INDEXES, Descriptor, Manifest, Platform
from bartizan.sources.registry.digest import digest_of, is_digest
from bartizan.sources.registry.errors import NotThereError, RefusedError, SilentError, UntrueError
from bartizan.sources.registry.once import Once
from bartizan.sources.registry.session import ORDINARY, Access, Settings

__all__ = [
    "BLOB_BYTES",
    "DEFAULT_PLATFORM",
    "IMAGES",
    "INDEXES",
    "MANIFEST_BYTES",
    "ORDINARY",
    "Access",
    "Credential",
    "Descriptor",
    "Keychain",
    "Manifest",
    "NotThereError",
    "Once",
    "Place",
    "Platform",
    "RefusedError",
    "Registry",
    "Settings",
    "SilentError",
    "UntrueError",
    "ask_helper",
    "digest_of",
    "is_digest",
    "is_local",
    "locate",
    "read_docker_config",
    "read_pull_secret",
]
