"""Container image references: `registry/path/name:tag@digest`, parsed as policies see them.

Source: the grammar of the distribution project's `reference` package, with
Kyverno's defaults: registry `docker.io`, and tag `latest` where there is
neither tag nor digest. `library/` is not added to a bare name. What is
before the first slash is a registry where it has a dot, a colon or an upper
case letter, or is `localhost`, also where it has an underscore, which no
host name has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DEFAULT_REGISTRY: Final = "docker.io"
DEFAULT_TAG: Final = "latest"
_MAX_CHARS: Final = 4096  # far above what the longest name, tag and digest take; longer text is no reference
_MAX_PATH_CHARS: Final = 255  # `RepositoryNameTotalLengthMax` of the grammar
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_REGISTRY: Final = re.compile(
    r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*"
    r"(?::[0-9]+)?|\[[a-fA-F0-9:]+\](?::[0-9]+)?"
)
_TAG: Final = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Image:
    """A parsed reference. `path` includes `name`; `tag` is empty where only a digest is given."""

    registry: str
    path: str
    name: str
    tag: str
    digest: str

    @property
    def reference(self) -> str:
        """The whole reference, by digest where there is one."""
        return f"{self.registry}/{self.path}@{self.digest}" if self.digest else self.reference_with_tag

    @property
    def reference_with_tag(self) -> str:
        """The whole reference, by tag."""
        return f"{self.registry}/{self.path}:{self.tag}"


@lru_cache(maxsize=4096)
def parse_image(text: str, default_registry: str = DEFAULT_REGISTRY) -> Image | None:
    """Parse a reference; `None` where the text is none."""
    if len(text) > _MAX_CHARS:
        return None
    rest, _, digest = text.partition("@")
    head, slash, tail = rest.partition("/")
    registry = default_registry
    if slash and (set(".:") & set(head) or head == "localhost" or head != head.lower()):
        registry, rest = head, tail
    path, colon, tag = rest.partition(":")
    if not _PATH.fullmatch(path):
        return None
    whole = path
    if not _REGISTRY.fullmatch(registry):
        whole = f"{registry}/{path}"  # to the grammar it is a path; policies see its head as the registry
        if "_" not in registry or not _PATH.fullmatch(whole):
            return None
    if len(whole) > _MAX_PATH_CHARS:
        return None
    if (colon and not _TAG.fullmatch(tag)) or ("@" in text and not _DIGEST.fullmatch(digest)):
        return None
    if not tag and not digest:
        tag = DEFAULT_TAG
    return Image(registry, path, path.rpartition("/")[2], tag, digest)
