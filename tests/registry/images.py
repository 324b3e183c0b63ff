"""Tiny real images, and putting them into a registry."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest(content: bytes) -> str:
    """The name of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def encode(document: Any) -> bytes:
    """JSON as registries keep it: the bytes are what is signed."""
    return json.dumps(document, separators=(",", ":")).encode()


def describe(content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    """A descriptor of bytes."""
    return {"mediaType": media_type, "digest": digest(content), "size": len(content), **more}


@dataclass(frozen=True)
class Built:
    """A manifest or index, and everything that must be there before it is."""

    manifest: bytes
    media_type: str = MANIFEST
    blobs: tuple[bytes, ...] = ()
    children: tuple[Built, ...] = ()

    @property
    def digest(self) -> str:
        """Its name."""
        return digest(self.manifest)

    def descriptor(self, **more: Any) -> dict[str, Any]:
        """A pointer at it."""
        return describe(self.manifest, self.media_type, **more)


def build_image(
    text: str = "hello",
    *,
    architecture: str = "amd64",
    config: dict[str, Any] | None = None,
    docker: bool = False,
    **more: Any,
) -> Built:
    """An image of one layer that holds one file with `text`; `more` are fields of the manifest."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("message")
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))
    layer = gzip.compress(archive.getvalue(), mtime=0)
    described = encode(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"User": "65532", "Env": ["PATH=/bin"], "Labels": {"org.opencontainers.image.title": text}},
            "rootfs": {"type": "layers", "diff_ids": [digest(archive.getvalue())]},
            "history": [{"created_by": "test"}],
            **(config or {}),
        }
    )
    media_type = DOCKER_MANIFEST if docker else MANIFEST
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": describe(described, DOCKER_CONFIG if docker else CONFIG),
        "layers": [describe(layer, DOCKER_LAYER if docker else LAYER)],
        **more,
    }
    return Built(encode(manifest), media_type, (described, layer))


def build_index(children: Iterable[tuple[str, Built]], *, docker: bool = False, **more: Any) -> Built:
    """An index of images by platform (`linux/arm64`); an empty platform is left out."""
    listed, built = [], []
    for platform, child in children:
        system, _, architecture = platform.partition("/")
        described = {"platform": {"os": system, "architecture": architecture}} if platform else {}
        listed.append(child.descriptor(**described))
        built.append(child)
    media_type = DOCKER_INDEX if docker else INDEX
    index = {"schemaVersion": 2, "mediaType": media_type, "manifests": listed, **more}
    return Built(encode(index), media_type, (), tuple(built))


def build_artifact(content: bytes, artifact_type: str, subject: Built | None = None, **more: Any) -> Built:
    """An artifact of one layer, such as a signature, about `subject`."""
    empty = b"{}"
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": describe(empty, "application/vnd.oci.empty.v1+json"),
        "layers": [describe(content, artifact_type)],
        **more,
    }
    if subject is not None:
        manifest["subject"] = subject.descriptor()
    return Built(encode(manifest), MANIFEST, (empty, content))


@dataclass(frozen=True)
class Pusher:
    """Puts images into a registry at `url` (`http://127.0.0.1:5000`); `headers` say who does."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    context: ssl.SSLContext | None = None

    def push(self, repository: str, tag: str, built: Built) -> str:
        """Put an image and all it needs there under a tag, or without one where that is empty; its digest."""
        for child in built.children:
            self.push(repository, "", child)
        for blob in built.blobs:
            self.push_blob(repository, blob)
        self.push_manifest(repository, tag or built.digest, built.manifest, built.media_type)
        return built.digest

    def push_blob(self, repository: str, content: bytes) -> str:
        """Put a blob there; its digest."""
        _, location = self._send("POST", f"{self.url}/v2/{repository}/blobs/uploads/", b"", "")
        target = location if "://" in location else f"{self.url}{location}"
        joint = "&" if "?" in target else "?"
        self._send("PUT", f"{target}{joint}digest={digest(content)}", content, "application/octet-stream")
        return digest(content)

    def push_manifest(self, repository: str, reference: str, content: bytes, media_type: str = MANIFEST) -> str:
        """Put a manifest there as it is; its digest."""
        self._send("PUT", f"{self.url}/v2/{repository}/manifests/{reference}", content, media_type)
        return digest(content)

    def _send(self, method: str, url: str, content: bytes, media_type: str) -> tuple[int, str]:
        headers = {**self.headers, **({"Content-Type": media_type} if media_type else {})}
        request = urllib.request.Request(url, data=content, method=method, headers=headers)  # noqa: S310 (ours)
        with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:  # noqa: S310 (ours)
            return answer.status, str(answer.headers.get("Location") or "")
