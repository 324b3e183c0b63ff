"""What `verifyImages` and `validate.manifests` may say, and what of it makes no sense.

The old form of an entry (`image`, `key`, `issuer`, `subject`, `roots`) is
read as the new one that it stands for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from bartizan.base.errors import SpecError
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.signatures.keys import HASHES

if TYPE_CHECKING:
    from bartizan.base.json import JsonObject

_MAX_NESTING: Final = 16


class SecretSpec(Record, frozen=True):
    """A Secret that holds a key as `cosign.pub`."""

    name: str
    namespace: str


class RekorSpec(Record, frozen=True):
    """The transparency log: by what key it signs, or that it does not matter."""

    url: str = ""
    pubkey: str = ""
    ignore_tlog: bool = False


class CtLogSpec(Record, frozen=True):
    """The certificate log and the timestamp authority."""

    ignore_sct: bool = msgspec.field(default=False, name="ignoreSCT")
    pubkey: str = ""
    tsa_cert_chain: str = ""


class KeysSpec(Record, frozen=True):
    """Public keys, or where one is kept."""

    public_keys: str = ""
    signature_algorithm: str = ""
    kms: str = ""
    secret: SecretSpec | None = None
    rekor: RekorSpec | None = None
    ctlog: CtLogSpec | None = None


class CertificatesSpec(Record, frozen=True):
    """A certificate, or the roots that one must lead to."""

    cert: str = ""
    cert_chain: str = ""
    rekor: RekorSpec | None = None
    ctlog: CtLogSpec | None = None


class KeylessSpec(Record, frozen=True):
    """Who must have signed, as their certificate says."""

    rekor: RekorSpec | None = None
    ctlog: CtLogSpec | None = None
    issuer: str = ""
    issuer_reg_exp: str = ""
    subject: str = ""
    subject_reg_exp: str = ""
    roots: str = ""
    additional_extensions: dict[str, str] = msgspec.field(default_factory=dict)


class AttestorSpec(Record, frozen=True):
    """One who may vouch, or a set of such."""

    keys: KeysSpec | None = None
    certificates: CertificatesSpec | None = None
    keyless: KeylessSpec | None = None
    attestor: AttestorSetSpec | None = None
    annotations: dict[str, str] | None = None
    repository: str = ""
    signature_algorithm: str = ""


class AttestorSetSpec(Record, frozen=True):
    """Several, of which `count` must vouch; all, where there is none."""

    count: int | None = None
    entries: list[AttestorSpec] = msgspec.field(default_factory=list)


class AttestationSpec(Record, frozen=True):
    """A statement that must be there. Its `conditions` are compiled apart."""

    name: str = ""
    predicate_type: str = ""
    type_: str = msgspec.field(default="", name="type")
    attestors: list[AttestorSetSpec] | None = None
    conditions: Any = None

    @property
    def wanted_type(self) -> str:
        """The statement's type, by either name of the field."""
        return self.type_ or self.predicate_type


class CredentialsSpec(Record, frozen=True):
    """How to log in to the registry."""

    allow_insecure_registry: bool = False
    providers: list[Literal["default", "amazon", "azure", "google", "github"]] | None = None
    secrets: list[str] | None = None


class ImageValidationSpec(Record, frozen=True):
    """`validate` of an entry; its conditions are compiled apart."""

    message: str = ""
    deny: Any = None


class VerifyImagesSpec(Record, frozen=True):
    """One entry of `verifyImages`."""

    failure_action: Literal["Audit", "Enforce", "audit", "enforce"] | None = None
    type_: Literal["Cosign", "SigstoreBundle", "Notary", ""] = msgspec.field(default="", name="type")
    image: str = ""
    image_references: list[str] | None = None
    skip_image_references: list[str] | None = None
    key: str = ""
    roots: str = ""
    subject: str = ""
    issuer: str = ""
    additional_extensions: dict[str, str] | None = None
    attestors: list[AttestorSetSpec] | None = None
    attestations: list[AttestationSpec] | None = None
    annotations: dict[str, str] | None = None
    repository: str = ""
    cosign_oci11: bool = msgspec.field(default=False, name="cosignOCI11")
    mutate_digest: bool = True
    verify_digest: bool = True
    validate: ImageValidationSpec | None = None
    required: bool = True
    image_registry_credentials: CredentialsSpec | None = None
    use_cache: bool = True


class IgnoredFields(Record, frozen=True):
    """Fields of some objects that need not be as they were signed."""

    fields: list[str] = msgspec.field(default_factory=list)
    objects: list[dict[str, str]] = msgspec.field(default_factory=list)


class DryRunSpec(Record, frozen=True):
    """Whether to ask the cluster what it would make of the signed manifest."""

    enable: bool = False
    namespace: str = ""


class ManifestsSpec(Record, frozen=True):
    """`validate.manifests`."""

    attestors: list[AttestorSetSpec] = msgspec.field(default_factory=list)
    annotation_domain: str = ""
    ignore_fields: list[IgnoredFields] = msgspec.field(default_factory=list)
    dry_run: DryRunSpec = DryRunSpec()
    repository: str = ""


def read_entry(document: JsonObject, at: str) -> VerifyImagesSpec:
    """Read one entry of `verifyImages`, in the new form.

    Raises:
        SpecError: a field is unknown or malformed, or the entry makes no sense.
    """
    spec = modern(decode(document, VerifyImagesSpec, at))
    if not spec.image_references:
        hint = "Write `imageReferences:` with one pattern or more."
        raise SpecError("an entry of `verifyImages` needs image references", pointer=at, hint=hint)
    check_sets(spec.attestors or (), f"{at}/attestors", notary=spec.type_ == "Notary")
    for index, attestation in enumerate(spec.attestations or ()):
        where = f"{at}/attestations/{index}"
        if not attestation.wanted_type:
            raise SpecError("an attestation needs a type", pointer=where, hint="Write `type:` with its predicate type.")
        check_sets(attestation.attestors or (), f"{where}/attestors", notary=spec.type_ == "Notary")
    return spec


def read_manifests(document: JsonObject, at: str) -> ManifestsSpec:
    """Read `validate.manifests`.

    Raises:
        SpecError: a field is unknown or malformed, or nobody is to vouch.
    """
    spec = decode(document, ManifestsSpec, at)
    if not spec.attestors:
        hint = "Write `attestors:` with the keys that sign your manifests."
        raise SpecError("`manifests` needs attestors", pointer=at, hint=hint)
    check_sets(spec.attestors, f"{at}/attestors", notary=False)
    return spec


def modern(spec: VerifyImagesSpec) -> VerifyImagesSpec:
    """An entry of the old form in the new.

    The peer forgets the key of an old entry with attestations, and then
    takes them from anybody; here it holds for them.
    """
    if not (spec.image or spec.key or spec.issuer):
        return spec
    references = [*(spec.image_references or ()), *([spec.image] if spec.image else ())]
    attestor = _old_attestor(spec)
    made = msgspec.structs.replace(spec, image="", key="", issuer="", subject="", roots="", image_references=references)
    if attestor is None:
        return made
    added = AttestorSetSpec(entries=[attestor])
    if spec.attestations:
        attestations = [
            msgspec.structs.replace(one, attestors=[*(one.attestors or ()), added]) for one in spec.attestations
        ]
        return msgspec.structs.replace(made, attestations=attestations)
    return msgspec.structs.replace(made, attestors=[*(spec.attestors or ()), added])


def _old_attestor(spec: VerifyImagesSpec) -> AttestorSpec | None:
    if spec.key:
        return AttestorSpec(keys=KeysSpec(public_keys=spec.key), annotations=spec.annotations)
    if spec.issuer:
        keyless = KeylessSpec(
            issuer=spec.issuer,
            subject=spec.subject,
            roots=spec.roots,
            rekor=RekorSpec(),
            additional_extensions=spec.additional_extensions or {},
        )
        return AttestorSpec(keyless=keyless, annotations=spec.annotations)
    return None


def check_sets(sets: list[AttestorSetSpec] | tuple[()], at: str, *, notary: bool) -> None:
    """Refuse sets of attestors that nobody could satisfy, or anybody.

    Raises:
        SpecError: a set or an entry makes no sense.
    """
    for index, one in enumerate(sets):
        _check_set(one, f"{at}/{index}", notary=notary, depth=0)


def _check_set(one: AttestorSetSpec, at: str, *, notary: bool, depth: int) -> None:
    if depth > _MAX_NESTING:
        raise SpecError("attestors nest too deep", pointer=at, hint="Write them side by side.")
    if not one.entries:
        raise SpecError("a set of attestors needs an entry", pointer=at, hint="Write `entries:` in it.")
    if one.count is not None and not 0 <= one.count <= max(len(one.entries), _keys_in(one)):
        hint = "`count` is how many of the entries must vouch."
        raise SpecError(f"`count` is {one.count} of {len(one.entries)} entries", pointer=f"{at}/count", hint=hint)
    for index, entry in enumerate(one.entries):
        _check_entry(entry, f"{at}/entries/{index}", notary=notary, depth=depth)


def _keys_in(one: AttestorSetSpec) -> int:
    """How many entries a set comes to have once texts with several keys are taken apart; one with variables may."""
    texts = [entry.keys.public_keys if entry.keys else "" for entry in one.entries]
    if any("{{" in text for text in texts):
        return one.count or 0
    return sum(max(text.count("-----END PUBLIC KEY-----"), 1) for text in texts)


def _check_entry(entry: AttestorSpec, at: str, *, notary: bool, depth: int) -> None:
    ways = [way for way in ("keys", "certificates", "keyless", "attestor") if getattr(entry, way) is not None]
    if len(ways) != 1:
        hint = "Write one of keys, certificates, keyless or attestor."
        raise SpecError("an attestor must be of one kind", pointer=at, hint=hint)
    if notary and ways[0] in ("keys", "keyless"):
        hint = "Write `certificates`, for Notary has nothing else."
        raise SpecError(f"`{ways[0]}` cannot verify a Notary signature", pointer=f"{at}/{ways[0]}", hint=hint)
    keys, certificates, keyless = entry.keys, entry.certificates, entry.keyless
    for name in (entry.signature_algorithm, keys.signature_algorithm if keys else ""):
        if name not in HASHES and "{{" not in name:
            hint = "Write sha224, sha256, sha384 or sha512."
            raise SpecError(f"unknown signature algorithm `{name}`", pointer=at, hint=hint)
    if keys is not None and not (keys.public_keys or keys.kms or keys.secret):
        raise SpecError("a key is needed", pointer=f"{at}/keys", hint="Write `publicKeys`, `secret` or `kms`.")
    if certificates is not None and not (certificates.cert or certificates.cert_chain):
        hint = "Write `cert`, `certChain` or both."
        raise SpecError("a certificate is needed", pointer=f"{at}/certificates", hint=hint)
    if keyless is not None and keyless.rekor is None and not keyless.roots:
        hint = "Write `rekor`, or `roots` of your own authority."
        raise SpecError("keyless signatures need a log or roots", pointer=f"{at}/keyless", hint=hint)
    if entry.attestor is not None:
        _check_set(entry.attestor, f"{at}/attestor", notary=notary, depth=depth + 1)
