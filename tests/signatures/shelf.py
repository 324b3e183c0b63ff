"""What a registry holds beside one image, as answers of a lookup, or pushed to a real registry."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.registry.images import CONFIG, INDEX, MANIFEST, Built, build_artifact, build_image, describe, encode

from bartizan.engines.policy.lookup import ApiQuestion, LookupFailedError, SignaturesQuestion, TrustQuestion

if TYPE_CHECKING:
    from tests.registry.images import Pusher
    from tests.signatures.cosign import Layer

    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Question

NOTARY: Final = "application/vnd.cncf.notary.signature"
BUNDLE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_SIMPLE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"


def text(data: bytes) -> str:
    """Bytes as an answer holds them."""
    return b64encode(data).decode()


@dataclass
class Artifact:
    """Something that refers to the image, with Notary signatures of its own."""

    built: Built
    kind: str
    content: bytes
    envelopes: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass
class Shelf:
    """An image, and everything beside it."""

    image: Built = field(default_factory=lambda: build_image("signed"))
    signatures: list[Layer] = field(default_factory=list)
    attestations: list[Layer] = field(default_factory=list)
    bundles: list[bytes] = field(default_factory=list)
    envelopes: list[tuple[str, bytes]] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)

    @property
    def target(self) -> dict[str, Any]:
        """The image's descriptor."""
        return self.image.descriptor()

    def push(self, pusher: Pusher, repository: str) -> None:
        """Put all of it into a registry, under the tag `v1`."""
        digest = pusher.push(repository, "v1", self.image)
        for layers, suffix in ((self.signatures, "sig"), (self.attestations, "att")):
            if layers:
                pusher.push(repository, f"{digest.replace(':', '-')}.{suffix}", _layered(layers))
        referrers = [(BUNDLE, build_artifact(data, BUNDLE, self.image)) for data in self.bundles]
        referrers += [(NOTARY, _envelope(kind, data, self.image)) for kind, data in self.envelopes]
        referrers += [(artifact.kind, artifact.built) for artifact in self.artifacts]
        _refer(pusher, repository, digest, referrers)
        for artifact in self.artifacts:
            signed = [(NOTARY, _envelope(kind, data, artifact.built)) for kind, data in artifact.envelopes]
            _refer(pusher, repository, artifact.built.digest, signed)


def _refer(pusher: Pusher, repository: str, digest: str, referrers: list[tuple[str, Built]]) -> None:
    """Put what refers to a digest there, and its list under the tag that stands for the API this registry lacks."""
    for _, built in referrers:
        pusher.push(repository, "", built)
    if referrers:
        listed = [built.descriptor(artifactType=kind) for kind, built in referrers]
        index = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed})
        pusher.push_manifest(repository, digest.replace(":", "-"), index, INDEX)


def _layered(layers: list[Layer]) -> Built:
    config = b"{}"
    described = [describe(one.payload, _SIMPLE, annotations=one.annotations) for one in layers]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": describe(config, CONFIG),
        "layers": described,
    }
    return Built(encode(manifest), MANIFEST, (config, *(one.payload for one in layers)))


def _envelope(kind: str, data: bytes, subject: Built) -> Built:
    return build_artifact(data, NOTARY, subject, layers=[describe(data, kind)])


@dataclass
class Recorded:
    """A lookup that has one shelf, and maybe a trusted root and secrets."""

    shelf: Shelf
    trust: Json = None
    objects: dict[str, Json] = field(default_factory=dict)
    asked: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> Json:
        """The answer, as the engine's `Lookup` has it."""
        self.asked.append(question)
        match question:
            case SignaturesQuestion():
                return self._material(question)
            case TrustQuestion() if self.trust is not None:
                return self.trust
            case ApiQuestion(url) if url in self.objects:
                return self.objects[url]
        raise LookupFailedError(f"nothing is recorded for {type(question).__name__}")

    def _material(self, question: SignaturesQuestion) -> Json:
        shelf = self.shelf
        target = shelf.target
        envelopes = shelf.envelopes
        for artifact in shelf.artifacts:
            if question.reference.endswith(artifact.built.digest):
                target, envelopes = artifact.built.descriptor(), artifact.envelopes
        answer: dict[str, Any] = dict(target)
        match question.kind:
            case "signatures" | "attestations":
                layers = getattr(shelf, question.kind)
                answer["layers"] = [{"payload": text(one.payload), "annotations": one.annotations} for one in layers]
            case "bundles":
                answer["bundles"] = [text(one) for one in shelf.bundles]
            case "notary":
                answer["envelopes"] = [{"mediaType": kind, "payload": text(data)} for kind, data in envelopes]
            case "referrers":
                wanted = [one for one in shelf.artifacts if one.kind == question.artifact_type]
                answer["referrers"] = [
                    {
                        **one.built.descriptor(),
                        "artifactType": one.kind,
                        "manifest": text(one.built.manifest),
                        "layers": [text(one.content)],
                    }
                    for one in wanted
                ]
        return answer
