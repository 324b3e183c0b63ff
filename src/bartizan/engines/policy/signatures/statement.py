"""What signatures are of: simple signing payloads, DSSE envelopes, and the in-toto statements inside them.

Source: containers/image's "simple signing" as cosign writes it, DSSE 1.0
(`protocol.md`), and in-toto's Statement, versions 0.1 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.engines.policy.signatures.decoding import decode_base64, decode_json, decode_record
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject

IN_TOTO: Final = "application/vnd.in-toto+json"
_CUSTOM: Final = "https://cosign.sigstore.dev/attestation/v1"
"""Statements that `cosign attest` makes of any text: JSON in them is text inside `Data`."""
_MAX_SIGNATURES: Final = 16


class _Image(msgspec.Struct, frozen=True):
    digest: str = msgspec.field(default="", name="docker-manifest-digest")


class _Critical(msgspec.Struct, frozen=True):
    image: _Image = _Image()


class SimplePayload(msgspec.Struct, frozen=True):
    """A cosign signature's payload: the digest it is of, and whatever its maker said with `-a`."""

    critical: _Critical
    optional: dict[str, Any] | None = None

    @property
    def digest(self) -> str:
        """The digest of the image that was signed."""
        return self.critical.image.digest


def read_simple(payload: bytes) -> SimplePayload:
    """Read a cosign payload.

    Raises:
        RefusedError: it is malformed.
    """
    return decode_record(payload, SimplePayload, "the signed payload")


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str | None = None


class _Envelope(msgspec.Struct, frozen=True):
    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: list[_Signature]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE envelope; `signed` is what its signatures are over."""

    payload: bytes
    payload_type: str
    signatures: tuple[bytes, ...]

    @property
    def signed(self) -> bytes:
        """The pre-authentication encoding of payload and type."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)


def read_envelope(data: bytes) -> Envelope:
    """Read a DSSE envelope.

    Raises:
        RefusedError: it is malformed, unsigned, or not about a statement.
    """
    return envelope_from(decode_json(data, "the attestation"))


def envelope_from(value: Json) -> Envelope:
    """Read a decoded DSSE envelope.

    Raises:
        RefusedError: as `read_envelope` has it.
    """
    try:
        read = msgspec.convert(value, _Envelope)
    except msgspec.ValidationError as error:
        raise RefusedError(f"the attestation is malformed: {error}") from error
    if read.payload_type != IN_TOTO:
        raise RefusedError(f"the attestation holds `{read.payload_type[:80]}`, not an in-toto statement")
    if not 0 < len(read.signatures) <= _MAX_SIGNATURES:
        raise RefusedError(f"the attestation has {len(read.signatures)} signatures")
    signatures = tuple(decode_base64(one.sig, "a signature") for one in read.signatures)
    return Envelope(decode_base64(read.payload, "the attestation's payload"), read.payload_type, signatures)


class _Subject(msgspec.Struct, frozen=True):
    digest: dict[str, str] = {}
    annotations: dict[str, Any] | None = None


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    predicate_type: str
    subject: list[_Subject] = []
    predicate: Any = None
    type_: str = msgspec.field(default="", name="_type")


@dataclass(frozen=True, slots=True)
class Statement:
    """An in-toto statement: of which digests it says what.

    `whole` is all of it, with its type as `type` and a custom predicate's
    text read; `written` is what its maker wrote.
    """

    predicate_type: str
    subjects: tuple[tuple[str, JsonObject], ...]
    whole: JsonObject
    written: JsonObject

    @property
    def predicate(self) -> JsonObject | None:
        """What is said, where it is an object."""
        found = self.whole.get("predicate")
        return found if isinstance(found, dict) else None

    def check_subject(self, digest: str) -> JsonObject:
        """The annotations of the subject with this digest.

        Raises:
            RefusedError: the statement is about something else.
        """
        for known, said in self.subjects:
            if known == digest:
                return said
        raise RefusedError("the attestation is about another image")


def read_statement(payload: bytes) -> Statement:
    """Read a statement.

    Raises:
        RefusedError: it is malformed.
    """
    value = decode_json(payload, "the statement")
    try:
        read = msgspec.convert(value, _Statement)
    except msgspec.ValidationError as error:
        raise RefusedError(f"the statement is malformed: {error}") from error
    subjects = tuple(
        (f"{algorithm}:{found}", one.annotations or {})
        for one in read.subject
        for algorithm, found in one.digest.items()
    )
    whole = {**value, "type": read.predicate_type}
    if _CUSTOM in (read.predicate_type, read.type_):
        whole["predicate"] = _with_data(read.predicate)
    return Statement(read.predicate_type, subjects, whole, value)


def _with_data(predicate: Json) -> Json:
    """A custom predicate, with what its `Data` holds in place of the text, where that is JSON."""
    if not isinstance(predicate, dict) or not isinstance(predicate.get("Data"), str):
        return predicate
    try:
        data = decode_json(predicate["Data"], "the predicate")
    except RefusedError:
        return predicate
    return {**predicate, "Data": data} if isinstance(data, dict) else predicate
