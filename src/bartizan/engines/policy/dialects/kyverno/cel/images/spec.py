"""What an ImageValidatingPolicy may say, and what of it makes no sense."""

from __future__ import annotations

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.regex import compile_regex
from bartizan.engines.policy.cel.expressions import AnnotationSpec, ConditionSpec, ValidationSpec, VariableSpec
from bartizan.engines.policy.cel.match import MatchResources
from bartizan.engines.policy.dialects.kyverno.cel.spec import Autogen, WebhookConfiguration
from bartizan.engines.policy.dialects.kyverno.cel.validating import Evaluation
from bartizan.engines.policy.dialects.kyverno.images.spec import CredentialsSpec
from bartizan.engines.policy.document import Record, decode
from bartizan.engines.policy.signatures.keys import HASHES


class TextSpec(Record, frozen=True):
    """A text, or an expression that gives one."""

    value: str = ""
    expression: str = ""


class KeySpec(Record, frozen=True):
    """A public key, or where one is kept."""

    data: str = ""
    kms: str = ""
    hash_algorithm: str = ""
    expression: str = ""


class IdentitySpec(Record, frozen=True):
    """Who must have signed, as their certificate says."""

    issuer: str = ""
    subject: str = ""
    issuer_reg_exp: str = ""
    subject_reg_exp: str = ""
    subject_expression: str = ""


class KeylessSpec(Record, frozen=True):
    """One of some identities, by certificates that the trusted root or `roots` vouch for."""

    identities: tuple[IdentitySpec, ...]
    roots: str = ""
    additional_extensions: dict[str, str] = msgspec.field(default_factory=dict)


class CertificateSpec(Record, frozen=True):
    """A certificate, or the roots that one must lead to."""

    cert: TextSpec | None = None
    cert_chain: TextSpec | None = None


class PullSecretSpec(Record, frozen=True):
    """A Secret with credentials for a registry."""

    name: str = ""


class SourceSpec(Record, frozen=True):
    """Where else signatures are kept."""

    repository: str = ""
    pull_secrets: tuple[PullSecretSpec, ...] = msgspec.field(default=(), name="PullSecrets")
    tag_prefix: str = ""


class LogsSpec(Record, frozen=True):
    """The transparency log, the certificate log and the timestamp authority."""

    url: str = ""
    rekor_pub_key: str = ""
    ct_log_pub_key: str = ""
    tsa_cert_chain: str = ""
    insecure_ignore_tlog: bool = False
    insecure_ignore_sct: bool = msgspec.field(default=False, name="insecureIgnoreSCT")


class TufRootSpec(Record, frozen=True):
    """The root that a TUF repository is believed by."""

    path: str = ""
    data: str = ""


class TufSpec(Record, frozen=True):
    """The TUF repository that the trusted root is from."""

    root: TufRootSpec = TufRootSpec()
    mirror: str = ""


class CosignSpec(Record, frozen=True):
    """Somebody who signs with cosign. Of several ways keyless counts first, then the key, as the peer has it."""

    key: KeySpec | None = None
    keyless: KeylessSpec | None = None
    certificate: CertificateSpec | None = None
    source: SourceSpec | None = None
    ctlog: LogsSpec | None = None
    tuf: TufSpec | None = None
    annotations: dict[str, str] | None = None
    trusted_root: TextSpec | None = None


class NotarySpec(Record, frozen=True):
    """Somebody who signs with Notary."""

    certs: TextSpec | None = None
    tsa_certs: TextSpec | None = None


class AttestorSpec(Record, frozen=True):
    """Somebody who may vouch, by a name that expressions have for them."""

    name: str
    cosign: CosignSpec | None = None
    notary: NotarySpec | None = None


class TypeSpec(Record, frozen=True):
    """The type of an attestation."""

    type_: str = msgspec.field(name="type")


class AttestationSpec(Record, frozen=True):
    """Something that may be attested of an image."""

    name: str
    intoto: TypeSpec | None = None
    referrer: TypeSpec | None = None


class ReferenceSpec(Record, frozen=True):
    """Images that the policy is for."""

    glob: str = ""
    expression: str = ""


class ExtractorSpec(Record, frozen=True):
    """Where images stand in a resource."""

    name: str
    expression: str


class SwitchesSpec(Record, frozen=True):
    """What is asked of digests, and whether somebody must have verified each image; all are on unless switched off."""

    mutate_digest: bool | None = None
    verify_digest: bool | None = None
    required: bool | None = None


class ImageValidatingSpec(Record, frozen=True):
    """`spec` of an ImageValidatingPolicy."""

    attestors: tuple[AttestorSpec, ...]
    validations: tuple[ValidationSpec, ...]
    match_constraints: MatchResources | None = None
    failure_policy: str | None = None
    audit_annotations: tuple[AnnotationSpec, ...] = ()
    validation_actions: tuple[str, ...] | None = None
    match_conditions: tuple[ConditionSpec, ...] = ()
    variables: tuple[VariableSpec, ...] = ()
    validation_configurations: SwitchesSpec = SwitchesSpec()
    match_image_references: tuple[ReferenceSpec, ...] = ()
    credentials: CredentialsSpec | None = None
    images: tuple[ExtractorSpec, ...] = ()
    attestations: tuple[AttestationSpec, ...] = ()
    webhook_configuration: WebhookConfiguration | None = None
    evaluation: Evaluation | None = None
    autogen: Autogen | None = None


def read_spec(document: object) -> ImageValidatingSpec:
    """Read the spec of a policy.

    Raises:
        SpecError: a field is unknown or malformed, or somebody is named who could vouch for nothing.
    """
    spec = decode(document, ImageValidatingSpec, "/spec")
    _check_names([one.name for one in spec.attestors], "/spec/attestors")
    _check_names([one.name for one in spec.attestations], "/spec/attestations")
    for index, one in enumerate(spec.attestors):
        _check_attestor(one, f"/spec/attestors/{index}")
    for index, item in enumerate(spec.attestations):
        if (item.intoto is None) == (item.referrer is None):
            hint = "Write one of `intoto` and `referrer`, with a `type`."
            raise SpecError("an attestation must be of one form", pointer=f"/spec/attestations/{index}", hint=hint)
    return spec


def _check_names(names: list[str], at: str) -> None:
    for index, name in enumerate(names):
        if not name or name in names[:index]:
            message = f"`{name}` is there twice" if name else "a name is needed"
            raise SpecError(message, pointer=f"{at}/{index}/name", hint="Expressions find it by its name.")


def _check_attestor(one: AttestorSpec, at: str) -> None:
    if (one.cosign is None) == (one.notary is None):
        raise SpecError("an attestor must be of one form", pointer=at, hint="Write one of `cosign` and `notary`.")
    if one.cosign is not None:
        _check_cosign(one.cosign, f"{at}/cosign")
    if one.notary is not None:
        _check_text(one.notary.certs, f"{at}/notary/certs")
        if one.notary.tsa_certs is not None:
            _check_text(one.notary.tsa_certs, f"{at}/notary/tsaCerts")


def _check_text(text: TextSpec | None, at: str) -> None:
    if text is None or not (text.value or text.expression):
        raise SpecError("a certificate is needed", pointer=at, hint="Write it as `value`, or an `expression` for it.")
    if text.value and text.expression:
        raise SpecError("both a text and an expression for it", pointer=at, hint="Leave one of them out.")


def _check_cosign(cosign: CosignSpec, at: str) -> None:
    key, certificate = cosign.key, cosign.certificate
    if cosign.keyless is not None:
        for index, identity in enumerate(cosign.keyless.identities):
            _check_identity(identity, f"{at}/keyless/identities/{index}")
    elif key is not None:
        if not (key.data or key.kms or key.expression):
            raise SpecError("a key is needed", pointer=f"{at}/key", hint="Write `data`, `kms` or `expression`.")
        if key.hash_algorithm not in HASHES:
            message = f"unknown hash algorithm `{key.hash_algorithm}`"
            hint = "Write sha224, sha256, sha384 or sha512."
            raise SpecError(message, pointer=f"{at}/key/hashAlgorithm", hint=hint)
    elif certificate is None:
        raise SpecError("nobody is named", pointer=at, hint="Write one of key, keyless or certificate.")
    elif certificate.cert is None:
        _check_text(certificate.cert_chain, f"{at}/certificate/certChain")


def _check_identity(identity: IdentitySpec, at: str) -> None:
    for field, pattern in (("issuerRegExp", identity.issuer_reg_exp), ("subjectRegExp", identity.subject_reg_exp)):
        try:
            compile_regex(pattern)
        except SpecError as error:
            raise SpecError(error.message, pointer=f"{at}/{field}", hint=error.hint) from error
    if identity.subject_reg_exp and identity.subject_expression:
        hint = "Leave one of `subjectRegExp` and `subjectExpression` out."
        raise SpecError("two expressions for one subject", pointer=at, hint=hint)
