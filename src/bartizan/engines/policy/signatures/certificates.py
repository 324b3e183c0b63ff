"""Certificates read once and whole, and chains of them built to a trusted root.

Times are checked apart from the chain, for a signature is judged at the time
it was made: a certificate of ten minutes is good for years if a log or a
timestamp authority has seen the signature within them.

Source: RFC 5280, 6.1, without policies and name constraints; a chain that has
constraints on names is refused rather than half checked.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from warnings import catch_warnings, simplefilter

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from bartizan.base.budget import Budget, OverBudgetError
from bartizan.engines.policy.signatures.keys import PublicKey, usable
from bartizan.engines.policy.signatures.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

CODE_SIGNING: Final = ExtendedKeyUsageOID.CODE_SIGNING.dotted_string
_ANY_USAGE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string
_OTHER_NAME: Final = "1.3.6.1.4.1.57264.1.7"
"""Fulcio's own kind of name, for user names that are no mail addresses."""
MAX_CERTIFICATES: Final = 12
"""A leaf, ten intermediates and a root, as the peer has it: longer chains are made to be expensive."""
_MAX_CHECKS: Final = 100
"""Signatures checked for one chain: cross-signed certificates can be arranged in very many ways."""
_MAX_PEM_CHARS: Final = 1 << 18
_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
MALFORMED: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
)
"""What the library raises for what is not a certificate, or not one that anybody should have."""


@contextmanager
def quietly() -> Iterator[None]:
    """Let the library's warnings about strange certificates not reach the terminal: their makers do not read it."""
    with catch_warnings():
        simplefilter("ignore", CryptographyDeprecationWarning)
        yield


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with everything that verification reads of it. `names` are those it was issued to."""

    inner: x509.Certificate
    key: PublicKey
    not_before: datetime
    not_after: datetime
    is_ca: bool
    path_length: int | None
    usage: x509.KeyUsage | None
    purposes: frozenset[str] | None
    names: tuple[str, ...]
    common_name: str
    issuer: x509.Name
    extensions: dict[str, bytes]
    stranger: str
    """A critical extension that is not understood here, which makes the certificate useless."""

    @property
    def der(self) -> bytes:
        """The certificate's bytes."""
        return self.inner.public_bytes(Encoding.DER)

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer, as roots do."""
        return self.issuer == self.inner.subject


def read_certificates(pem: str | bytes, what: str = "the certificate") -> list[Certificate]:
    """Read every certificate of a text in PEM.

    Raises:
        RefusedError: there is none, there are too many, or one is malformed.
    """
    data = pem.encode() if isinstance(pem, str) else pem
    if len(data) > _MAX_PEM_CHARS:
        raise RefusedError(f"{what} is far too long")
    blocks = _BLOCK.findall(data)
    if not blocks:
        raise RefusedError(f"{what} is not in PEM")
    if len(blocks) > MAX_CERTIFICATES:
        raise RefusedError(f"{what} has {len(blocks)} certificates, and at most {MAX_CERTIFICATES} are allowed")
    try:
        with quietly():
            return [_read(x509.load_pem_x509_certificate(block)) for block in blocks]
    except MALFORMED as error:
        raise RefusedError(f"{what} is malformed: {error}") from error


def read_der(der: bytes, what: str = "the certificate") -> Certificate:
    """Read one certificate in DER.

    Raises:
        RefusedError: it is malformed.
    """
    try:
        with quietly():
            return _read(x509.load_der_x509_certificate(der))
    except MALFORMED as error:
        raise RefusedError(f"{what} is malformed: {error}") from error


def _read(inner: x509.Certificate) -> Certificate:
    found = list(inner.extensions)
    values = {extension.oid: extension.value for extension in found}
    basic, usage, purposes = (
        values.get(oid)
        for oid in (ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE)
    )
    strangers = [extension.oid.dotted_string for extension in found if _is_strange(extension)]
    common = inner.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Certificate(
        inner=inner,
        key=usable(inner.public_key()),
        not_before=inner.not_valid_before_utc,
        not_after=inner.not_valid_after_utc,
        is_ca=isinstance(basic, x509.BasicConstraints) and basic.ca,
        path_length=basic.path_length if isinstance(basic, x509.BasicConstraints) else None,
        usage=usage if isinstance(usage, x509.KeyUsage) else None,
        purposes=frozenset(item.dotted_string for item in purposes)
        if isinstance(purposes, x509.ExtendedKeyUsage)
        else None,
        names=_names(values.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)),
        common_name=str(common[0].value) if common else "",
        issuer=inner.issuer,  # names are parsed late, and a malformed one must be found here
        extensions={
            extension.oid.dotted_string: extension.value.value
            for extension in found
            if isinstance(extension.value, x509.UnrecognizedExtension)
        },
        stranger=", ".join(strangers),
    )


def _is_strange(extension: x509.Extension[x509.ExtensionType]) -> bool:
    if extension.oid == ExtensionOID.NAME_CONSTRAINTS:
        return True  # whether it is critical or not: ignoring it would let a narrowed authority sign for anybody
    return extension.critical and extension.oid not in _UNDERSTOOD


def _names(extension: x509.ExtensionType | None) -> tuple[str, ...]:
    if not isinstance(extension, x509.SubjectAlternativeName):
        return ()
    found: list[str] = []
    for name in extension:
        match name:
            case x509.DNSName() | x509.RFC822Name() | x509.UniformResourceIdentifier():
                found.append(name.value)
            case x509.IPAddress():
                found.append(str(name.value))
            case x509.OtherName() if name.type_id.dotted_string == _OTHER_NAME:
                found.append(der_text(name.value))
    return tuple(found)


def der_text(der: bytes) -> str:
    """The text of a short DER string (tag, one or three bytes of length, UTF-8); empty where it is none."""
    if len(der) >= 2 and der[0] in (0x0C, 0x13, 0x16):
        start = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
        length = der[1] if der[1] < 0x80 else int.from_bytes(der[2:start], "big")
        if start + length == len(der):
            return der[start:].decode(errors="replace")
    return ""


def build_chain(
    leaf: Certificate, between: Sequence[Certificate], roots: Sequence[Certificate], purpose: str = CODE_SIGNING
) -> list[Certificate]:
    """A chain from `leaf` to one of `roots`, both included; when it was good is for `check_times`.

    Raises:
        RefusedError: there is none.
    """
    if leaf.stranger:
        raise RefusedError(f"the certificate has a critical extension that is not understood: {leaf.stranger}")
    if len(between) + len(roots) > 4 * MAX_CERTIFICATES:
        raise RefusedError("there are too many certificates to build a chain from")
    if any(leaf.der == root.der for root in roots):
        chain = [leaf]
    else:
        try:
            found = _climb([leaf], [one for one in between if one.is_ca], roots, Budget(_MAX_CHECKS))
        except OverBudgetError as error:
            raise RefusedError("the certificates can be chained in too many ways") from error
        if found is None:
            raise RefusedError("the certificate was issued by nobody who is trusted here")
        chain = found
    for one in chain:
        if one.purposes is not None and not {purpose, _ANY_USAGE} & one.purposes:
            raise RefusedError("the certificate is not for signing code")
    return chain


def _climb(
    chain: list[Certificate], between: Sequence[Certificate], roots: Sequence[Certificate], budget: Budget
) -> list[Certificate] | None:
    if len(chain) > MAX_CERTIFICATES:
        return None
    for root in roots:
        if _issued(root, chain, budget):
            return [*chain, root]
    for index, one in enumerate(between):
        if _issued(one, chain, budget):
            rest = [*between[:index], *between[index + 1 :]]
            found = _climb([*chain, one], rest, roots, budget)
            if found is not None:
                return found
    return None


def _issued(issuer: Certificate, chain: Sequence[Certificate], budget: Budget) -> bool:
    """Whether `issuer` issued the last of the chain, and may."""
    last = chain[-1]
    if issuer.inner.subject != last.issuer or not issuer.is_ca or issuer.stranger:
        return False
    if issuer.usage is not None and not issuer.usage.key_cert_sign:
        return False
    between = sum(1 for one in chain[1:] if not one.is_self_issued)
    if issuer.path_length is not None and between > issuer.path_length:
        return False
    budget.spend()
    try:
        last.inner.verify_directly_issued_by(issuer.inner)
    except (*MALFORMED, InvalidSignature):
        return False
    return True


def check_times(chain: Iterable[Certificate], at: datetime) -> None:
    """Refuse a chain that was not good at `at`.

    Raises:
        RefusedError: a certificate of it was expired, or not good yet.
    """
    for number, one in enumerate(chain):
        which = "the certificate" if number == 0 else f"the issuing certificate `{one.common_name}`"
        if at > one.not_after:
            raise RefusedError(f"{which} expired on {one.not_after:%Y-%m-%d %H:%M:%S}, before {at:%Y-%m-%d %H:%M:%S}")
        if at < one.not_before:
            raise RefusedError(f"{which} is good from {one.not_before:%Y-%m-%d %H:%M:%S}, after {at:%Y-%m-%d %H:%M:%S}")
