"""What a registry holds about an image, as the answer to a `SignaturesQuestion` has it: JSON, bytes in base64.

    digest: sha256:…            what the reference leads to; empty where there is no such image
    mediaType, size             of that
    layers:                     for signatures and attestations
    - {payload: base64, annotations: {…}}
    bundles: [base64, …]
    envelopes:                  for notary
    - {mediaType: application/jose+json, payload: base64}
    referrers:
    - {digest, mediaType, size, artifactType, manifest: base64, layers: [base64, …]}

The registry is not believed: what these bytes say is checked against the
digest, and the digest pins the image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from bartizan.engines.policy.signatures.cosign import Layer
from bartizan.engines.policy.signatures.decoding import as_record, decode_base64
from bartizan.engines.policy.signatures.refusal import UndecidedError

if TYPE_CHECKING:
    from bartizan.base.json import Json

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class _Layer(msgspec.Struct, frozen=True):
    payload: str
    annotations: dict[str, str] = {}


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str
    payload: str


class _Referrer(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    media_type: str
    size: int
    artifact_type: str = ""
    manifest: str = ""
    layers: list[str] = []


class _Material(msgspec.Struct, frozen=True, rename="camel"):
    digest: str
    media_type: str = ""
    size: int = 0
    layers: list[_Layer] = []
    bundles: list[str] = []
    envelopes: list[_Envelope] = []
    referrers: list[_Referrer] = []


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a registry knows a manifest by."""

    digest: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A Notary signature, in one of its two forms."""

    media_type: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Referrer:
    """An artifact that refers to the image: its manifest, and its layers' bytes."""

    descriptor: Descriptor
    artifact_type: str
    manifest: bytes
    layers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """The answer, read."""

    target: Descriptor
    layers: tuple[Layer, ...] = ()
    bundles: tuple[bytes, ...] = ()
    envelopes: tuple[Envelope, ...] = ()
    referrers: tuple[Referrer, ...] = ()


def read_material(answer: Json) -> Material:
    """Read an answer.

    Raises:
        RefusedError: it does not have the shape above.
        UndecidedError: its digest is none.
    """
    read = as_record(answer, _Material, "what the registry holds")
    if read.digest and not _DIGEST.fullmatch(read.digest):
        raise UndecidedError(f"the registry gave `{read.digest[:80]}` for a digest")
    return Material(
        target=Descriptor(read.digest, read.media_type, read.size),
        layers=tuple(Layer(decode_base64(one.payload, "a layer"), one.annotations) for one in read.layers),
        bundles=tuple(decode_base64(one, "a bundle") for one in read.bundles),
        envelopes=tuple(Envelope(one.media_type, decode_base64(one.payload, "an envelope")) for one in read.envelopes),
        referrers=tuple(_referrer(one) for one in read.referrers),
    )


def _referrer(one: _Referrer) -> Referrer:
    return Referrer(
        Descriptor(one.digest, one.media_type, one.size),
        one.artifact_type,
        decode_base64(one.manifest, "a manifest"),
        tuple(decode_base64(layer, "a layer") for layer in one.layers),
    )
