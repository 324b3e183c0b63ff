"""What a registry holds, as records: descriptors, manifests, indexes.

One kind of manifest record serves images, indexes and artifacts, because
signatures and attestations are any of them. Source: OCI image specification
1.1 (manifest.md, image-index.md, descriptor.md) and Docker's schema 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from bartizan.sources.registry.digest import digest_of, is_digest
from bartizan.sources.registry.errors import UntrueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.base.json import JsonObject

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})
_SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1+"
ACCEPTED: Final = f"{OCI_MANIFEST}, {OCI_INDEX}, {DOCKER_MANIFEST}, {DOCKER_INDEX}"
_SAYS_NOTHING: Final = frozenset(
    {"", "application/json", "application/octet-stream", "text/plain", "binary/octet-stream"}
)
"""Content types of servers that keep files and know nothing of manifests; then the manifest's own word counts."""


class Platform(msgspec.Struct, frozen=True, rename={"os_version": "os.version"}):
    """What an image of an index runs on."""

    architecture: str = ""
    os: str = ""
    os_version: str = ""
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def meets(self, wanted: Platform) -> bool:
        """Whether an image of this platform will do; what is not asked for may be anything."""
        return (self.architecture, self.os) == (wanted.architecture, wanted.os) and all(
            not want or have == want
            for have, want in ((self.os_version, wanted.os_version), (self.variant, wanted.variant))
        )


DEFAULT_PLATFORM: Final = Platform("amd64", "linux")
"""What the peer takes from an index, whatever it runs on itself."""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """A pointer at bytes: what they are, their digest, how many."""

    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: tuple[str, ...] | None = None

    def __hash__(self) -> int:
        return hash((self.media_type, self.digest, self.size, self.artifact_type))


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index whose bytes are those of its digest.

    `content` is what was sent, for signatures are over it; `body` is the
    same decoded.
    """

    media_type: str
    digest: str
    content: bytes = field(repr=False)
    body: JsonObject = field(repr=False, hash=False)

    @property
    def descriptor(self) -> Descriptor:
        """A pointer at this."""
        return Descriptor(self.media_type, self.digest, len(self.content), self.artifact_type)

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests."""
        return self.media_type in INDEXES

    @property
    def artifact_type(self) -> str:
        """What an artifact is: `artifactType`, else the type of its config."""
        own = self.body.get("artifactType")
        config = self.body.get("config")
        kind = own or (config.get("mediaType") if isinstance(config, dict) else "")
        return kind if isinstance(kind, str) else ""

    @property
    def config(self) -> Descriptor | None:
        """Where the configuration is.

        Raises:
            UntrueError: it is not described as it must be.
        """
        found = self.body.get("config")
        return None if found is None else self._read(found, Descriptor, "config")

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """Where the layers are.

        Raises:
            UntrueError: they are not described as they must be.
        """
        return self._listed("layers")

    @property
    def manifests(self) -> tuple[Descriptor, ...]:
        """What an index lists.

        Raises:
            UntrueError: it is not described as it must be.
        """
        return self._listed("manifests")

    @property
    def subject(self) -> Descriptor | None:
        """What this is about: a signature's image.

        Raises:
            UntrueError: it is not described as it must be.
        """
        found = self.body.get("subject")
        return None if found is None else self._read(found, Descriptor, "subject")

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations, of which those that are no text are left out."""
        found = self.body.get("annotations")
        pairs: Iterable[tuple[str, Any]] = found.items() if isinstance(found, dict) else ()
        return {key: value for key, value in pairs if isinstance(value, str)}

    def _listed(self, name: str) -> tuple[Descriptor, ...]:
        found: tuple[Descriptor, ...] = self._read(self.body.get(name) or [], tuple[Descriptor, ...], name)
        return found

    def _read(self, value: Any, kind: Any, name: str) -> Any:
        try:
            found = msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise UntrueError(f"manifest `{self.digest}`: malformed `{name}`: {error}", hint=_PUSH_AGAIN) from error
        for item in found if isinstance(found, tuple) else (found,):
            if not is_digest(item.digest) or item.size < 0:
                raise UntrueError(
                    f"manifest `{self.digest}`: `{name}` points at `{item.digest[:150]}` of {item.size} bytes",
                    hint=_PUSH_AGAIN,
                )
        return found


_PUSH_AGAIN: Final = "Build and push the image again."


def read_manifest(content: bytes, content_type: str, what: str) -> Manifest:
    """Read a manifest whose digest the caller has checked; `what` names it for the reader.

    The media type is the one the registry gives, as it is for the peer,
    unless that says nothing; where it and the manifest contradict each other
    the manifest could be read as two things, and is refused (CVE-2021-41190).

    Raises:
        UntrueError: it is no manifest, or could be read as two things.
    """
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        page = content.lstrip()[:1] == b"<"
        found = "answers with a web page" if page else "sent something that is no JSON"
        raise UntrueError(
            f"{what}: the registry {found} instead of a manifest", hint="Check that the host is a registry."
        ) from error
    if not isinstance(body, dict):
        raise UntrueError(f"{what}: the manifest is no JSON object", hint=_PUSH_AGAIN)
    given = content_type.partition(";")[0].strip().lower()
    own = body.get("mediaType")
    media_type = _media_type(given, own if isinstance(own, str) else "", body, what)
    return Manifest(media_type, digest_of(content), content, body)


def _media_type(given: str, own: str, body: JsonObject, what: str) -> str:
    if given.startswith(_SCHEMA_1) or own.startswith(_SCHEMA_1) or body.get("schemaVersion") == 1:
        raise UntrueError(f"{what}: the image is in the format of 2014 (schema 1)", hint=_PUSH_AGAIN)
    if "manifests" in body and ("layers" in body or "config" in body):
        raise UntrueError(f"{what}: the manifest is an image and an index at once", hint="Do not use this image.")
    said = "" if given in _SAYS_NOTHING else given
    if said and own and said != own:
        raise UntrueError(
            f"{what}: the registry calls it `{said}` and the manifest calls itself `{own[:150]}`",
            hint="Do not use this image.",
        )
    if found := said or own:
        return found
    return OCI_INDEX if "manifests" in body else OCI_MANIFEST


def choose(index: Manifest, wanted: Platform, what: str) -> Descriptor:
    """The first image of an index for a platform; one that says none is for linux/amd64, as for the peer.

    Raises:
        UntrueError: the index is malformed, or has none.
    """
    for item in index.manifests:
        if (item.platform or DEFAULT_PLATFORM).meets(wanted):
            return item
    has = ", ".join(sorted({str(item.platform or DEFAULT_PLATFORM) for item in index.manifests})) or "none"
    raise UntrueError(
        f"{what}: the index has no image for `{wanted}`", hint=f"Push one for that platform: it has {has}."
    )
