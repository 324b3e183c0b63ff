"""What registries hold beside images: the answers to `SignaturesQuestion`.

Layers of cosign's tags, Sigstore bundles and Notary envelopes that refer to
an image, and other artifacts that do. Nothing is judged here but that the
bytes have the digests they are asked for by; the engine judges the rest.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SourceError, SpecError
from bartizan.base.image import parse_image
from bartizan.sources.registry import NotThereError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bartizan.base.image import Image
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.lookup import RegistryAccess, SignaturesQuestion
    from bartizan.sources.registry import Access, Descriptor, Manifest, Registry

MATERIAL_BYTES: Final = 10_000_000
"""The most that one signature or attestation may have."""
MATERIAL_ITEMS: Final = 50
"""The most signatures, bundles or referrers of one image that are fetched; more are made to be expensive."""
_NOTARY: Final = "application/vnd.cncf.notary.signature"
_BUNDLE: Final = "application/vnd.dev.sigstore.bundle"
_COSIGN_SIGNATURE: Final = "application/vnd.dev.cosign.artifact.sig.v1+json"


class _Reader:
    """One image in one registry; signatures may be kept in another repository."""

    def __init__(self, registry: Registry, image: Image, beside: Image, access: Access, prefix: str = "") -> None:
        self.registry = registry
        self.prefix = prefix
        self.image = image
        self.beside = beside
        self.access = access

    def layers(self, manifest: Manifest) -> list[tuple[Descriptor, bytes]]:
        """The layers of something kept beside the image."""
        if len(manifest.layers) > MATERIAL_ITEMS:
            raise SourceError(f"image `{self.image.reference}`: {len(manifest.layers)} signatures", hint=_TOO_MANY)
        return [
            (one, self.registry.blob(self.beside, one.digest, MATERIAL_BYTES, size=one.size, access=self.access))
            for one in manifest.layers
        ]

    def tagged(self, digest: str, suffix: str) -> list[JsonObject]:
        """The layers under cosign's tag for a digest; none where there is no such tag."""
        tag = f"{self.prefix}{digest.replace(':', '-')}.{suffix}"
        try:
            manifest = self.registry.manifest(replace(self.beside, tag=tag, digest=""), access=self.access)
        except NotThereError:
            return []
        return _annotated(self.layers(manifest))

    def referring(self, digest: str, is_wanted: Callable[[str], bool]) -> list[tuple[Descriptor, Manifest]]:
        """The artifacts of some types that refer to a digest."""
        found = self.registry.referrers(self.beside, digest, access=self.access)
        wanted = [one for one in found if is_wanted(one.artifact_type)]
        if len(wanted) > MATERIAL_ITEMS:
            raise SourceError(f"image `{self.image.reference}`: {len(wanted)} referrers", hint=_TOO_MANY)
        return [
            (one, self.registry.manifest(self.beside, one.digest, size=one.size, access=self.access)) for one in wanted
        ]


_TOO_MANY: Final = f"No more than {MATERIAL_ITEMS} are looked at; remove the old ones."


def describe_material(registry: Registry, question: SignaturesQuestion, access: Access) -> JsonObject:
    """The answer to a question; without an image under that name its digest is empty.

    Raises:
        SpecError: the reference or the repository is none.
        SourceError: a registry has no answer, or none that is true.
    """
    image = _image(question.reference)
    beside = _image(question.repository) if question.repository else image
    try:
        target = registry.resolve(image, access=access)
    except NotThereError:
        return {"digest": ""}
    reader = _Reader(registry, image, beside, access, question.tag_prefix)
    answer: JsonObject = {"digest": target.digest, "mediaType": target.media_type, "size": target.size}
    return answer | _held(reader, question, target.digest)


def credentials_of(access: RegistryAccess) -> JsonObject:
    """How a registry is to be reached, in the words of a policy's `imageRegistryCredentials`.

    The pull secrets of a pod are used beside what the user has, as a node
    would use them.
    """
    own = [f"{access.namespace}/{name}" if access.namespace else name for name in access.pull_secrets]
    providers = list(access.providers)
    if own and not access.secrets and not providers:
        providers = ["default"]
    made: JsonObject = {"secrets": [*access.secrets, *own], "providers": providers}
    if access.insecure:
        made["allowInsecureRegistry"] = True
    return {key: value for key, value in made.items() if value}


def _image(text: str) -> Image:
    image = parse_image(text)
    if image is None:
        raise SpecError(f"`{text[:200]}` is no image reference", hint="Write registry/name:tag.")
    return image


def _held(reader: _Reader, question: SignaturesQuestion, digest: str) -> JsonObject:
    match question.kind:
        case "digest":
            return {}
        case "signatures":
            found = reader.tagged(digest, "sig")
            if question.oci11:
                for _, manifest in reader.referring(digest, _COSIGN_SIGNATURE.__eq__):
                    found += _annotated(reader.layers(manifest))
            return {"layers": found}
        case "attestations":
            return {"layers": reader.tagged(digest, "att")}
        case "bundles":
            every = reader.referring(digest, lambda kind: kind.startswith(_BUNDLE))
            return {"bundles": [_text(data) for _, manifest in every for _, data in reader.layers(manifest)[:1]]}
        case "notary":
            every = reader.referring(digest, _NOTARY.__eq__)
            first = [one for _, manifest in every for one in reader.layers(manifest)[:1]]
            return {"envelopes": [{"mediaType": one.media_type, "payload": _text(data)} for one, data in first]}
        case "referrers":
            every = reader.referring(digest, question.artifact_type.__eq__)
            return {"referrers": [_referrer(reader, one, manifest) for one, manifest in every]}


def _referrer(reader: _Reader, described: Descriptor, manifest: Manifest) -> JsonObject:
    return {
        "digest": described.digest,
        "mediaType": described.media_type,
        "size": described.size,
        "artifactType": described.artifact_type,
        "manifest": _text(manifest.content),
        "layers": [_text(data) for _, data in reader.layers(manifest)],
    }


def _annotated(layers: Iterable[tuple[Descriptor, bytes]]) -> list[JsonObject]:
    made: list[dict[str, Any]] = []
    for described, data in layers:
        made.append({"payload": _text(data), "annotations": described.annotations or {}})
    return made


def _text(data: bytes) -> str:
    return b64encode(data).decode()
