"""Signatures of images, for an ImageValidatingPolicy: how many of some attestors signed, and what they attest.

What a signature is, and whose, is the `Verifier`'s matter, which the kind
gives through the world. An image that the policy is not for has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.dialects.kyverno.library.values import doubles
from bartizan.engines.policy.dialects.kyverno.library.world import WORLD, unfit
from bartizan.engines.policy.lookup import ImageDataQuestion, LookupFailedError
from bartizan.lang.cel import CelError, Overload
from bartizan.lang.cel.types import DYN, INT, STRING, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.library.world import Verifier, World

_NO_IMAGE: Final = "failed to get imagedata"


def _verify_signatures(world: World, image: str, given: list[Any]) -> int:
    """How many attestors signed an image."""
    verifier, attestors = _verifier(world), _attestors(given)
    if not verifier.is_meant(image):
        return 0
    return _count(verifier, image, attestors, lambda attestor: verifier.is_signed(image, attestor))


def _verify_attestations(world: World, image: str, name: str, given: list[Any]) -> int:
    """How many attestors signed an attestation of an image."""
    verifier, attestors = _verifier(world), _attestors(given)
    if not verifier.is_meant(image):
        return 0
    attestation = _attestation(verifier, name)

    def holds(attestor: JsonObject) -> bool:
        if attestor.get("cosign") is None and attestation.get("referrer") is None:
            raise CelError("notary verifier only supports oci 1.1 referrers as attestations")
        return verifier.is_attested(image, attestation, attestor)

    return _count(verifier, image, attestors, holds)


def _count(verifier: Verifier, image: str, attestors: list[JsonObject], holds: Callable[[JsonObject], bool]) -> int:
    try:
        # each is asked, for the policy may want a number of them
        count = sum([holds(one) for one in attestors if one.get("cosign") is not None or one.get("notary") is not None])
    except LookupFailedError as error:
        raise CelError(f"{_NO_IMAGE}: {error}") from error
    if attestors:
        verifier.record(image, verified=count > 0)
    return count


def _payload(world: World, image: str, name: str) -> Json:
    verifier = _verifier(world)
    attestation = _attestation(verifier, name)
    try:
        return doubles(verifier.payload(image, attestation))
    except LookupFailedError as error:
        raise CelError(f"failed to get payload: {error}") from error


def _image_data(world: World, image: str) -> Json:
    return doubles(world.answer(ImageDataQuestion(image, world.access), _NO_IMAGE))


def _verifier(world: World) -> Verifier:
    if world.verifier is None:
        raise CelError("nil image verification policy")
    return world.verifier


def _attestors(given: list[Any]) -> list[JsonObject]:
    for item in given:
        if not isinstance(item, dict):
            raise CelError(unfit(item, "v1beta1.Attestor"))
    return given


def _attestation(verifier: Verifier, name: str) -> JsonObject:
    found = verifier.attestation(name)
    if found is None:
        raise CelError(f"attestation not found in policy: {name[:200]}")
    return found


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "verifyImageSignatures": (Overload((STRING, list_of(DYN)), INT, _verify_signatures, ambient=WORLD),),
    "verifyAttestationSignatures": (
        Overload((STRING, STRING, list_of(DYN)), INT, _verify_attestations, ambient=WORLD),
    ),
    "getImageData": (Overload((STRING,), DYN, _image_data, ambient=WORLD),),
    "extractPayload": (Overload((STRING, STRING), DYN, _payload, ambient=WORLD),),
}
