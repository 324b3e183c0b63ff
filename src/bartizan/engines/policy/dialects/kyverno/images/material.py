"""One image, asked about: each kind of material once, checked by whatever attestor comes along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from bartizan.engines.policy.dialects.kyverno.images.attestors import World, demand_of
from bartizan.engines.policy.lookup import RegistryAccess, SignaturesQuestion
from bartizan.engines.policy.signatures.bundle import predicate_type_of, verify_bundle
from bartizan.engines.policy.signatures.cosign import MAX_LAYERS, verify_attestations, verify_signatures
from bartizan.engines.policy.signatures.material import Material, read_material
from bartizan.engines.policy.signatures.notary import Store, verify_artifact, verify_notary
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from bartizan.engines.policy.dialects.kyverno.images.spec import AttestorSpec, VerifyImagesSpec
    from bartizan.engines.policy.signatures.demand import Demand
    from bartizan.engines.policy.signatures.statement import Statement

_NO_SIGNATURE: Final = "the image has no signature"


Kind: TypeAlias = Literal["digest", "signatures", "attestations", "bundles", "notary", "referrers"]


class Place(msgspec.Struct, frozen=True):
    """Where what stands beside an image is kept, and how it is asked for; the defaults are the image's own place."""

    repository: str = ""
    tag_prefix: str = ""
    oci11: bool = False
    access: RegistryAccess = RegistryAccess()
    use_cache: bool = True


class Beside:
    """What the registry holds beside one image: each thing is asked for once, and all must be about one digest."""

    def __init__(self, reference: str, world: World) -> None:
        self._reference = reference
        self._world = world
        self._held: dict[SignaturesQuestion, Material] = {}
        self._digest = ""

    def digest(self, place: Place) -> str:
        """The digest that the reference leads to.

        Raises:
            RefusedError: there is no such image.
            UndecidedError: the registry cannot be asked.
        """
        return self._digest or self.ask("digest", place).target.digest

    def ask(self, kind: Kind, place: Place, artifact_type: str = "", about: str = "") -> Material:
        """Ask the registry; `about` is the digest of something else in the image's repository.

        Raises:
            RefusedError: there is no such image, or it is not the one that is meant.
            UndecidedError: the registry cannot be asked.
        """
        reference = self._reference
        if about:
            name = reference.partition("@")[0]
            head, slash, last = name.rpartition("/")
            reference = f"{head}{slash}{last.partition(':')[0]}@{about}"
        question = SignaturesQuestion(
            reference=reference,
            kind=kind,
            repository=place.repository,
            tag_prefix=place.tag_prefix,
            artifact_type=artifact_type,
            oci11=place.oci11,
            access=place.access,
            use_cache=place.use_cache,
        )
        if question not in self._held:
            self._held[question] = read_material(self._world.ask(question))
        material = self._held[question]
        if not material.target.digest:
            raise RefusedError("the registry has no such image")
        if not about:
            self._agree(material.target.digest)
        return material

    def _agree(self, digest: str) -> None:
        """Refuse an image that is another one from one question to the next, or not the one that is named."""
        meant = self._reference.partition("@")[2] or self._digest or digest
        if digest != meant:
            raise RefusedError(f"the registry gave digest `{digest}` where `{meant}` was meant")
        self._digest = digest


class Reader:
    """Reads what the registry holds about one image, for one entry of a rule."""

    def __init__(self, spec: VerifyImagesSpec, reference: str, access: RegistryAccess, world: World) -> None:
        self._spec = spec
        self._beside = Beside(reference, world)
        self._place = Place(oci11=spec.cosign_oci11, access=access, use_cache=spec.use_cache)
        self._world = world

    def digest(self) -> str:
        """The digest that the reference leads to.

        Raises:
            RefusedError: there is no such image.
            UndecidedError: the registry cannot be asked.
        """
        return self._beside.digest(self._place)

    def signed_by(self, attestor: AttestorSpec, _place: str) -> None:
        """Check that an attestor has signed the image.

        Raises:
            RefusedError: it has not.
            UndecidedError: whether it has cannot be decided.
        """
        spec = self._spec
        if spec.type_ == "Notary":
            material = self._ask("notary", attestor.repository)
            verify_notary(material.envelopes, material.target, self._store(attestor), self._world.now)
        elif spec.type_ == "SigstoreBundle":
            self._bundles(attestor, "")
        else:
            material = self._ask("signatures", attestor.repository)
            if not material.layers:
                raise RefusedError(_NO_SIGNATURE)
            demand = demand_of(attestor, spec.annotations, self._world)
            verify_signatures(material.layers, material.target.digest, demand)

    def attested_by(self, attestor: AttestorSpec, wanted: str) -> list[Statement]:
        """The statements of a type that an attestor has signed about the image; never none.

        Raises:
            RefusedError: there are none.
            UndecidedError: whether there are cannot be decided.
        """
        spec = self._spec
        if spec.type_ == "Notary":
            return [self._artifact(attestor, wanted)]
        if spec.type_ == "SigstoreBundle":
            return self._bundles(attestor, wanted)
        material = self._ask("attestations", attestor.repository)
        if not material.layers:
            raise RefusedError("the image has no attestation")
        demand = demand_of(attestor, spec.annotations, self._world)
        found = verify_attestations(material.layers, material.target.digest, wanted, demand)
        return of_type(found, wanted)

    def _bundles(self, attestor: AttestorSpec, wanted: str) -> list[Statement]:
        """The statements of all bundles that meet the demand; with no type wanted, one that does is enough."""
        material = self._ask("bundles", attestor.repository)
        if not material.bundles:
            raise RefusedError("the image has no attestation" if wanted else _NO_SIGNATURE)
        demand = demand_of(attestor, self._spec.annotations, self._world, bundled=True)
        return bundled_statements(material, wanted, demand)

    def _artifact(self, attestor: AttestorSpec, wanted: str) -> Statement:
        """What an artifact that refers to the image says, once its own Notary signature is checked."""
        material = self._ask("referrers", attestor.repository, wanted)
        if not material.referrers:
            raise RefusedError(f"nothing of type `{wanted}` refers to the image")
        artifact = material.referrers[0]
        if attestor.certificates is not None:
            target = artifact.descriptor.digest
            signed = self._ask("notary", attestor.repository, about=target)
            verify_notary(signed.envelopes, artifact.descriptor, self._store(attestor), self._world.now)
        return verify_artifact(artifact, material.target.digest, wanted)

    def _store(self, attestor: AttestorSpec) -> Store:
        spec = attestor.certificates
        return Store.read(spec.cert, spec.cert_chain) if spec else Store(())

    def _ask(self, kind: Kind, repository: str = "", artifact_type: str = "", about: str = "") -> Material:
        place = msgspec.structs.replace(self._place, repository=repository or self._spec.repository)
        return self._beside.ask(kind, place, artifact_type, about)


def bundled_statements(material: Material, wanted: str, demand: Demand) -> list[Statement]:
    """The statements of all bundles that meet the demand; with no type wanted none, but one bundle that does.

    Raises:
        RefusedError: none does, or there are too many.
    """
    if len(material.bundles) > MAX_LAYERS:
        raise RefusedError(f"there are {len(material.bundles)} bundles, and at most {MAX_LAYERS} are looked at")
    reasons: list[str] = []
    found: list[Statement] = []
    for data in material.bundles:
        try:
            if wanted and predicate_type_of(data) != wanted:
                continue
            statement = verify_bundle(data, material.target.digest, demand)
        except RefusedError as error:
            reasons.append(str(error))
            continue
        if not wanted:
            return []
        found += [statement] if statement else []
    if not found:
        said = "; ".join(dict.fromkeys(reasons))
        raise RefusedError(said or f"the image has no attestation of type `{wanted}`")
    return found


def of_type(statements: list[Statement], wanted: str) -> list[Statement]:
    """The statements of a type.

    Raises:
        RefusedError: there are none.
    """
    found = [one for one in statements if one.predicate_type == wanted]
    if not found:
        types = ", ".join(sorted({f"`{one.predicate_type}`" for one in statements}))
        raise RefusedError(f"the image has no attestation of type `{wanted}`; it has {types}")
    return found
