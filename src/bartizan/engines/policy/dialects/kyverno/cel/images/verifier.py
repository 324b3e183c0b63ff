"""The `Verifier` of a request: what signatures say about its images, each asked for and checked once.

An image that nobody vouches for has none; where that could not be decided (a
key, a trusted root or an answer cannot be had) and nobody else vouches, the
expression has no value. The peer says zero there, so that `== 0` would pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.engines.policy.dialects.kyverno.cel.images.attestors import Attestor
from bartizan.engines.policy.dialects.kyverno.cel.images.verdicts import Listener, Subject, Verdict, Verdicts
from bartizan.engines.policy.dialects.kyverno.images.attestors import World, demand_of, satisfy
from bartizan.engines.policy.dialects.kyverno.images.material import Beside, Place, bundled_statements, of_type
from bartizan.engines.policy.dialects.kyverno.images.spec import AttestorSetSpec
from bartizan.engines.policy.lookup import LookupFailedError
from bartizan.engines.policy.signatures.cosign import verify_attestations, verify_signatures
from bartizan.engines.policy.signatures.notary import Store, verify_artifact, verify_notary
from bartizan.engines.policy.signatures.refusal import RefusedError, UndecidedError
from bartizan.lang.cel import CelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.cel.images.spec import AttestationSpec, CosignSpec, NotarySpec
    from bartizan.engines.policy.dialects.kyverno.images import spec as classic
    from bartizan.engines.policy.lookup import Lookup, RegistryAccess
    from bartizan.engines.policy.signatures.demand import Demand
    from bartizan.engines.policy.signatures.statement import Statement

_TYPES: Final = {
    "custom": "https://cosign.sigstore.dev/attestation/v1",
    "cyclonedx": "https://cyclonedx.org/bom",
    "link": "https://in-toto.io/Link/v1",
    "openvex": "https://openvex.dev/ns",
    "slsaprovenance": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance02": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance1": "https://slsa.dev/provenance/v1",
    "spdx": "https://spdx.dev/Document",
    "spdxjson": "https://spdx.dev/Document",
    "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
}
"""Short names of predicate types, as cosign has them."""


class Evidence(dict[str, bool]):
    """Which images of a request were looked at, by any policy, and whether somebody vouched for them.

    `why` is what was said of those that nobody vouched for.
    """

    __slots__ = ("why",)

    def __init__(self) -> None:
        super().__init__()
        self.why: dict[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy says of verification, whatever the request."""

    is_meant: Callable[[str], bool]
    attestations: Mapping[str, AttestationSpec]
    written: Mapping[str, JsonObject]
    verdicts: Verdicts = field(default_factory=Verdicts)


class _Asking(NamedTuple):
    """An image that is asked about, and what was heard of it."""

    beside: Beside
    listener: Listener


@dataclass(slots=True)
class ImageVerifier:
    """Verifies the images of one request for one policy."""

    terms: Terms
    access: RegistryAccess
    lookup: Lookup
    now: datetime
    evidence: Evidence
    _asking: dict[str, _Asking] = field(default_factory=dict)
    _verdicts: dict[tuple[str, str, str], Verdict] = field(default_factory=dict)
    _payloads: dict[tuple[str, str], Json] = field(default_factory=dict)
    _doubts: dict[str, list[str]] = field(default_factory=dict)

    def is_meant(self, image: str) -> bool:
        """Whether the policy is for an image.

        Raises:
            CelError: the expression that decides it has no value.
        """
        return self.terms.is_meant(image)

    def attestation(self, name: str) -> JsonObject | None:
        """What the policy says of an attestation it names."""
        return self.terms.written.get(name)

    def is_signed(self, image: str, attestor: JsonObject) -> bool:
        """Whether an attestor signed an image.

        Raises:
            LookupFailedError: the registry has no such image, or cannot be asked.
        """
        known = _known(attestor)

        def check(asking: _Asking) -> Json:
            self._signed(asking, known)
            return None

        return self._once(image, known, "", check).vouches

    def is_attested(self, image: str, attestation: JsonObject, attestor: JsonObject) -> bool:
        """Whether an attestor signed an attestation of an image; what it says is kept for `payload`.

        Raises:
            LookupFailedError: the registry has no such image, or cannot be asked.
        """
        known = _known(attestor)
        name = str(attestation["name"])
        spec = self.terms.attestations[name]
        verdict = self._once(image, known, name, lambda asking: self._attested(asking, known, spec))
        if verdict.vouches:
            self._payloads[image, name] = verdict.payload
        return verdict.vouches

    def payload(self, image: str, attestation: JsonObject) -> Json:
        """What an attestation says; a referrer may be read without having been verified, as the peer has it.

        Raises:
            LookupFailedError: there is none, or an in-toto one was not verified before.
        """
        name = str(attestation["name"])
        if (image, name) not in self._payloads:
            spec = self.terms.attestations[name]
            if spec.referrer is None:
                raise LookupFailedError(f"attestation `{name}` of image `{image}` was not verified before")
            self._payloads[image, name] = self._referred(image, spec.referrer.type_)
        return self._payloads[image, name]

    def record(self, image: str, *, verified: bool) -> None:
        """Note what came of verifying an image.

        Raises:
            CelError: nobody vouches, but whether somebody does could not be decided.
        """
        self.evidence[image] = self.evidence.get(image, False) or verified
        doubts = self._doubts.get(image)
        if doubts and not verified:
            raise CelError(f"image `{image}` could not be verified: {'; '.join(dict.fromkeys(doubts))}")

    def digest(self, image: str) -> str:
        """The digest that an image's reference leads to.

        Raises:
            LookupFailedError: the registry has no such image, or cannot be asked.
        """
        try:
            return self._of(image).beside.digest(Place(access=self.access))
        except (RefusedError, UndecidedError) as error:
            raise LookupFailedError(str(error)) from error

    def _once(self, image: str, attestor: Attestor, attestation: str, check: Callable[[_Asking], Json]) -> Verdict:
        key = (image, attestor.spec.name, attestation)
        found = self._verdicts.get(key)
        if found is None:
            subject = Subject(image, self.access, attestor.text, attestation)
            found = self.terms.verdicts.recall(subject, self.lookup, self.now)
            if found is None:
                self.digest(image)
                found = self._judged(subject, attestor, check)
            self._verdicts[key] = found
            if found.why:
                self.evidence.why.setdefault(image, []).append(found.why)
        return found

    def _judged(self, subject: Subject, attestor: Attestor, check: Callable[[_Asking], Json]) -> Verdict:
        """Find out whether an attestor vouches; only what is certain is kept."""
        name, image = subject.attestation, subject.image
        what = f"attestor `{attestor.spec.name}`" + (f", attestation `{name}`" if name else "")
        asking = self._of(image)
        try:
            verdict = Verdict(vouches=True, payload=check(asking))
        except RefusedError as error:
            verdict = Verdict(vouches=False, why=f"{what}: {error}")
        except UndecidedError as error:
            self._doubts.setdefault(image, []).append(f"{what}: {error}")
            return Verdict(vouches=False)
        self.terms.verdicts.keep(subject, verdict, asking.listener, self.now)
        return verdict

    def _of(self, image: str) -> _Asking:
        if image not in self._asking:
            listener = Listener(self.lookup)
            self._asking[image] = _Asking(Beside(image, World(listener, self.now)), listener)
        return self._asking[image]

    def _signed(self, asking: _Asking, attestor: Attestor) -> None:
        cosign, notary = attestor.spec.cosign, attestor.spec.notary
        beside = asking.beside
        if notary is not None:
            material = beside.ask("notary", Place(access=self.access))
            verify_notary(material.envelopes, material.target, _store(notary), self.now)
        elif cosign is not None:
            place, world = self._place(cosign), self._world(cosign, asking)
            self._somebody(attestor, lambda who, _place: _sign_check(beside, place, world, who))

    def _attested(self, asking: _Asking, attestor: Attestor, attestation: AttestationSpec) -> Json:
        cosign, notary = attestor.spec.cosign, attestor.spec.notary
        if notary is not None and attestation.referrer is not None:
            return self._artifact(asking.beside, notary, attestation.referrer.type_)
        if cosign is None or attestation.intoto is None:
            raise RefusedError("cosign signs no referrers, only in-toto attestations")
        wanted = _TYPES.get(attestation.intoto.type_, attestation.intoto.type_)
        place, world = self._place(cosign), self._world(cosign, asking)
        statements = self._somebody(attestor, lambda who, _place: _statements(asking.beside, place, world, wanted, who))
        return statements[-1].written

    def _somebody(
        self, attestor: Attestor, check: Callable[[classic.AttestorSpec, str], list[Statement]]
    ) -> list[Statement]:
        """Ask whether the attestor is one of the identities it may be."""
        if len(attestor.who) == 1:
            return check(attestor.who[0], "")
        return satisfy(AttestorSetSpec(1, list(attestor.who)), "identities", check)

    def _artifact(self, beside: Beside, notary: NotarySpec, wanted: str) -> Json:
        """What the first artifact of a type says that has a Notary signature by the attestor."""
        place = Place(access=self.access)
        material = beside.ask("referrers", place, wanted)
        store = _store(notary)
        reasons: list[str] = []
        for artifact in material.referrers:
            try:
                signed = beside.ask("notary", place, about=artifact.descriptor.digest)
                verify_notary(signed.envelopes, artifact.descriptor, store, self.now)
                return verify_artifact(artifact, material.target.digest, wanted).written
            except RefusedError as error:
                reasons.append(str(error))
        raise RefusedError("; ".join(dict.fromkeys(reasons)) or f"nothing of type `{wanted}` refers to the image")

    def _referred(self, image: str, wanted: str) -> Json:
        try:
            material = self._of(image).beside.ask("referrers", Place(access=self.access), wanted)
            if not material.referrers:
                raise LookupFailedError(f"nothing of type `{wanted}` refers to image `{image}`")
            return verify_artifact(material.referrers[0], material.target.digest, wanted).written
        except (RefusedError, UndecidedError) as error:
            raise LookupFailedError(str(error)) from error

    def _place(self, cosign: CosignSpec) -> Place:
        """Where the attestor keeps what they sign."""
        source = cosign.source
        if source is None:
            return Place(access=self.access)
        secrets = tuple(one.name for one in source.pull_secrets if one.name)
        access = msgspec.structs.replace(self.access, secrets=(*self.access.secrets, *secrets))
        return Place(repository=source.repository, tag_prefix=source.tag_prefix, access=access)

    def _world(self, cosign: CosignSpec, asking: _Asking) -> World:
        """The world with the trusted root that the attestor is to be believed by."""
        world = World(asking.listener, self.now)
        if cosign.trusted_root is not None:
            return world.believing(cosign.trusted_root.value)
        tuf = cosign.tuf
        if tuf is not None and (tuf.mirror or tuf.root.path or tuf.root.data):
            world.mirror = tuf.mirror or "the policy's own TUF root"
        return world


def _known(attestor: JsonObject) -> Attestor:
    if not isinstance(attestor, Attestor):
        raise CelError("an attestor must be one that the policy names, such as `attestors.somebody`")
    return attestor


def _store(notary: NotarySpec) -> Store:
    certs = notary.certs.value if notary.certs else ""
    return Store.read(certs, "", notary.tsa_certs.value if notary.tsa_certs else "")


def _demand(who: classic.AttestorSpec, world: World, *, bundled: bool = False) -> Demand:
    demand = demand_of(who, None, world, bundled=bundled)
    return replace(demand, identity=replace(demand.identity, strict=True))


def _sign_check(beside: Beside, place: Place, world: World, who: classic.AttestorSpec) -> list[Statement]:
    """Check that somebody signed the image; where there are bundles they count, and older signatures do not."""
    bundles = beside.ask("bundles", place)
    if bundles.bundles:
        return bundled_statements(bundles, "", _demand(who, world, bundled=True))
    material = beside.ask("signatures", place)
    if not material.layers:
        raise RefusedError("the image has no signature")
    verify_signatures(material.layers, material.target.digest, _demand(who, world))
    return []


def _statements(beside: Beside, place: Place, world: World, wanted: str, who: classic.AttestorSpec) -> list[Statement]:
    """The statements of a type that somebody signed; never none."""
    bundles = beside.ask("bundles", place)
    if bundles.bundles:
        return bundled_statements(bundles, wanted, _demand(who, world, bundled=True))
    material = beside.ask("attestations", place)
    if not material.layers:
        raise RefusedError("the image has no attestation")
    demand = _demand(who, world)
    return of_type(verify_attestations(material.layers, material.target.digest, wanted, demand, lenient=True), wanted)
